"""Our own CSV: one row per judgment; a question without judgments has a row of its own."""

from __future__ import annotations

from workbench.evaluation.formats.assembly import Assembler, Claim
from workbench.evaluation.formats.cells import header, rows, written
from workbench.evaluation.library import Library, document_name
from workbench.evaluation.questions import QuestionSet

COLUMNS = ("question_id", "question", "document", "document_id", "start", "end", "grade", "text")


def read(text: str, into: Assembler) -> None:
    """Hand every row to the assembler."""
    columns, delimiter = header(text)
    for row in rows(text, columns, delimiter):
        if row.problem:
            into.problem(row.line, row.problem)
            continue
        question = into.question(row.line, row.get("question", "query"), row.get("question_id"))
        if question is None or not row.get("document", "document_id", "start", "end", "text"):
            continue
        try:
            start, end, grade = (row.whole_number(name) for name in ("start", "end", "grade"))
        except ValueError:
            into.problem(row.line, "start, end and grade must be whole numbers")
            continue
        claim = Claim(row.get("document"), row.get("document_id"), start, end, grade, row.get("text"))
        into.judged(row.line, question, claim)


def write(questions: QuestionSet, documents: Library) -> bytes:
    """Return the file."""
    records: list[list[object]] = []
    for question in questions.questions:
        judgments = questions.by_question[question.id]
        if not judgments:
            records.append([question.id, question.text, "", "", "", "", "", ""])
        for j in judgments:
            found = documents.named("", j.document_id)
            name = document_name(found[0]) if found else ""
            text = questions.text_of(j)
            records.append([question.id, question.text, name, j.document_id, j.start, j.end, j.grade, text])
    return written(COLUMNS, records)
