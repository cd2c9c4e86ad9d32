"""Our own JSONL: one line per question with its judgments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.evaluation.formats.assembly import Assembler, Claim
from workbench.evaluation.library import Library, document_name
from workbench.evaluation.questions import QuestionSet
from workbench.records import Judgment


def objects(text: str, into: Assembler) -> list[tuple[int, dict[str, Any]]]:
    """Return the JSON objects of the file with their lines; other lines become problems."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            into.problem(number, f"this is not JSON: {error}")
            continue
        if isinstance(value, dict):
            found.append((number, value))
        else:
            into.problem(number, "each line must be an object such as {“question”: …}")
    return found


def id_of(value: Mapping[str, Any], key: str) -> str:
    """Return an id as text, "" where there is none or it is null; some files number their questions."""
    found = value.get(key)
    return "" if found is None else str(found)


def read(text: str, into: Assembler) -> None:
    """Hand every line to the assembler."""
    for number, value in objects(text, into):
        given = value.get("question", value.get("text"))
        if not isinstance(given, str):
            into.problem(number, "“question” is missing or not a text")
            continue
        question = into.question(number, given, id_of(value, "id"))
        if question is not None:
            judged(number, question, value.get("judgments"), into)


def judged(line: int, question: str, values: object, into: Assembler) -> None:
    """Hand a list of judgments, as ``objects_of`` writes them, to the assembler."""
    if values is None:
        return
    if not isinstance(values, list):
        into.problem(line, "“judgments” must be a list")
        return
    for value in values:
        claim = _claim(value)
        if claim is None:
            into.problem(line, f"this is not a judgment: {json.dumps(value, ensure_ascii=False):.100}")
        else:
            into.judged(line, question, claim)


def objects_of(
    questions: QuestionSet, judgments: tuple[Judgment, ...], documents: Library
) -> list[dict[str, Any]]:
    """Return judgments as JSON objects that lose nothing."""
    result = []
    for j in judgments:
        found = documents.named("", j.document_id)
        name = {"document": document_name(found[0])} if found else {}
        place = {"document_id": j.document_id, "start": j.start, "end": j.end, "grade": j.grade}
        result.append({**name, **place, "text": questions.text_of(j)})
    return result


def write(questions: QuestionSet, documents: Library) -> bytes:
    """Return the file."""
    return lines(
        {
            "id": question.id,
            "question": question.text,
            "judgments": objects_of(questions, questions.by_question[question.id], documents),
        }
        for question in questions.questions
    )


def lines(values: Any) -> bytes:
    """Return one line of JSON per value, in UTF-8."""
    text = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    return text.encode("utf-8", "surrogatepass")


def _claim(value: object) -> Claim | None:
    if not isinstance(value, dict):
        return None
    document, document_id, text = (value.get(key) or "" for key in ("document", "document_id", "text"))
    start, end, grade = (value.get(key) for key in ("start", "end", "grade"))
    if not all(isinstance(given, str) for given in (document, document_id, text)):
        return None
    if not all(number is None or type(number) is int for number in (start, end, grade)):
        return None
    return Claim(document, document_id, start, end, grade, text)
