"""The plain CSV ``question, expected text[, document]``: the answer is quoted, and found in the documents.

A quote is placed exactly, else blind to blanks and case, else by similarity; short ones as whole words. Exported files carry four more columns
so that nothing is lost: question_id, document_id, start (where to look first among equal texts) and grade.
"""

from __future__ import annotations

from workbench.evaluation.formats.assembly import Assembler, Claim
from workbench.evaluation.formats.cells import header, rows, written
from workbench.evaluation.library import Library, document_name
from workbench.evaluation.questions import QuestionSet

COLUMNS = ("question", "expected text", "document", "question_id", "document_id", "start", "grade")
QUESTION = ("question", "query")
EXPECTED = (
    "expected_text",
    "expected",
    "answer",
    "expected_answer",
    "ground_truth",
    "reference",
    "quote",
    "text",
)
DOCUMENT = ("document", "file", "file_name", "corpus_id", "source")


def read(text: str, into: Assembler) -> None:
    """Hand every row to the assembler; a file without a line of names is read as question, text, document."""
    columns, delimiter = header(text)
    has_header = bool({*QUESTION} & {*columns} and {*EXPECTED} & {*columns})
    if not has_header:
        columns = ["question", "expected_text", "document"]
    for row in rows(text, columns, delimiter, has_header=has_header):
        if row.problem:
            into.problem(row.line, row.problem)
            continue
        question = into.question(row.line, row.get(*QUESTION), row.get("question_id"))
        if question is None:
            continue
        expected = row.get(*EXPECTED)
        try:
            start, grade = row.whole_number("start"), row.whole_number("grade")
        except ValueError:
            into.problem(row.line, "start and grade must be whole numbers")
            continue
        if not expected.strip() and start is None:
            if row.get(*DOCUMENT):
                into.problem(row.line, "there is no expected text")
            continue
        claim = Claim(row.get(*DOCUMENT), row.get("document_id"), start, None, grade, expected)
        into.judged(row.line, question, claim)


def write(questions: QuestionSet, documents: Library) -> bytes:
    """Return the file."""
    records: list[list[object]] = []
    for question in questions.questions:
        judgments = questions.by_question[question.id]
        if not judgments:
            records.append([question.text, "", "", question.id, "", "", ""])
        for j in judgments:
            found = documents.named("", j.document_id)
            name = document_name(found[0]) if found else ""
            # The range alone does not travel here: where nobody kept the text, the document has it.
            text = questions.text_of(j) or (found[0].text[j.start : j.end] if found else "")
            records.append([question.text, text, name, question.id, j.document_id, j.start, j.grade])
    return written(COLUMNS, records)
