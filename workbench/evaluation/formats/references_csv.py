"""The CSV ``question, references, corpus_id``: one row per question and document.

``references`` is a JSON list of ``{content, start_index, end_index}``, half-open in code points; ``corpus_id`` is
the file name without its ending. So that nothing is lost we add what the format leaves out, where readers of the
plain form do not look: a column ``question_id`` and the keys ``grade`` and ``document_id`` of a reference.
"""

from __future__ import annotations

import json
from typing import Any

from workbench.evaluation.formats.assembly import Assembler, Claim
from workbench.evaluation.formats.cells import Row, header, rows, written
from workbench.evaluation.library import Library, corpus_id
from workbench.evaluation.questions import QuestionSet

COLUMNS = ("question", "references", "corpus_id", "question_id")


def read(text: str, into: Assembler) -> None:
    """Hand every row to the assembler. Rows without a question_id are questions of their own."""
    columns, delimiter = header(text)
    for row in rows(text, columns, delimiter):
        if row.problem:
            into.problem(row.line, row.problem)
            continue
        references = _references(row, into)
        if references is None:
            continue
        question = into.question(
            row.line, row.get("question", "query"), row.get("question_id"), separate=True
        )
        if question is None:
            continue
        for reference in references:
            claim = _claim(reference, row.get("corpus_id"))
            if claim is None:
                shown = json.dumps(reference, ensure_ascii=False)
                into.problem(row.line, f"this is not a reference: {shown:.100}")
            else:
                into.judged(row.line, question, claim)


def write(questions: QuestionSet, documents: Library) -> bytes:
    """Return the file."""
    records: list[list[object]] = []
    for question in questions.questions:
        by_document: dict[str, list[dict[str, Any]]] = {}
        for j in questions.by_question[question.id]:
            by_document.setdefault(j.document_id, []).append(
                {
                    "content": questions.text_of(j),
                    "start_index": j.start,
                    "end_index": j.end,
                    "grade": j.grade,
                    "document_id": j.document_id,
                }
            )
        if not by_document:
            records.append([question.text, "[]", "", question.id])
        for document_id, references in by_document.items():
            found = documents.named("", document_id)
            name = corpus_id(found[0]) if found else document_id
            records.append([question.text, json.dumps(references, ensure_ascii=False), name, question.id])
    return written(COLUMNS, records)


def _references(row: Row, into: Assembler) -> list[Any] | None:
    try:
        found = json.loads(row.get("references") or "[]")
    except (ValueError, RecursionError) as error:
        into.problem(row.line, f"references is not JSON: {error}")
        return None
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        into.problem(row.line, "references must be a list of {content, start_index, end_index}")
        return None
    return found


def _claim(value: object, corpus: str) -> Claim | None:
    if not isinstance(value, dict):
        return None
    content, document_id = value.get("content") or "", value.get("document_id") or ""
    start, end, grade = (value.get(key) for key in ("start_index", "end_index", "grade"))
    if not isinstance(content, str) or not isinstance(document_id, str):
        return None
    if not all(number is None or type(number) is int for number in (start, end, grade)):
        return None
    return Claim(corpus, document_id, start, end, grade, content)
