"""Question files in and out: every format that is read is also written, and nothing is lost on the way round."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from workbench.errors import InputError, SettingsError
from workbench.evaluation.formats import beir, expected_text_csv, own_csv, own_jsonl, references_csv
from workbench.evaluation.formats.assembly import Assembler, Imported, Remark
from workbench.evaluation.formats.cells import decoded, header
from workbench.evaluation.library import Library
from workbench.evaluation.questions import QuestionSet
from workbench.records import Document

__all__ = ["FORMATS", "Format", "Imported", "Remark", "exported", "format_of", "imported", "imported_path"]

ADVICE = (
    "no questions were found in it. A CSV starts with a line of names such as "
    "“question, expected text, document”; then comes one question per line"
)


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write questions down."""

    name: str
    label: str
    suffix: str
    write: Callable[[QuestionSet, Library], bytes]


FORMATS: dict[str, Format] = {
    found.name: found
    for found in (
        Format("csv", "CSV, one row per judgment", ".csv", own_csv.write),
        Format("jsonl", "JSONL, one line per question", ".jsonl", own_jsonl.write),
        Format("references", "CSV question, references, corpus_id", ".csv", references_csv.write),
        Format("expected_text", "CSV question, expected text, document", ".csv", expected_text_csv.write),
        Format("beir", "BEIR (corpus, queries, qrels)", ".zip", beir.write),
    )
}


def imported(
    data: bytes,
    file_name: str,
    documents: Iterable[Document] | None,
    name: str | None = None,
    format: str | None = None,
) -> Imported:
    """Return the questions in a file, with what was left out by line.

    ``documents`` are those that judgments may lie in; None takes ids and ranges as they are written. ``name`` is
    the set's name, else the file's name without its ending. ``format`` is found out when it is not given. Raises
    ``InputError`` for a file of which nothing can be read, ``SettingsError`` for an unknown format.
    """
    into = Assembler(None if documents is None else Library(documents))
    chosen = format or format_of(data, file_name)
    _checked(chosen)
    if chosen == "beir":
        beir.read(beir.files_in_zip(data), into)
    else:
        text, guess = decoded(data)
        if guess:
            into.note(0, guess)
        readers = {
            "csv": own_csv.read,
            "jsonl": own_jsonl.read,
            "references": references_csv.read,
            "expected_text": expected_text_csv.read,
        }
        readers[chosen](text, into)
    return into.result(PurePath(file_name).stem if name is None else name, ADVICE)


def imported_path(path: Path, documents: Iterable[Document] | None, name: str | None = None) -> Imported:
    """Return the questions in a file, or in the folder of a BEIR dataset."""
    try:
        if path.is_dir():
            into = Assembler(None if documents is None else Library(documents))
            beir.read(beir.files_in_folder(path), into)
            return into.result(path.name if name is None else name, ADVICE)
        return imported(path.read_bytes(), path.name, documents, name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def exported(questions: QuestionSet, documents: Iterable[Document], format: str) -> bytes:
    """Return the set as a file; importing it with the same documents gives the same set."""
    _checked(format)
    return FORMATS[format].write(questions, Library(documents))


def format_of(data: bytes, file_name: str) -> str:
    """Return the name of the format that a file seems to have."""
    if data.startswith(b"PK"):
        return "beir"
    text = decoded(data)[0]
    if text.lstrip().startswith("{") or PurePath(file_name).suffix.lower() in (".jsonl", ".ndjson"):
        return "jsonl"
    columns = set(header(text)[0])
    if "references" in columns:
        return "references"
    return "csv" if {"start", "end"} <= columns else "expected_text"


def _checked(name: str) -> None:
    if name not in FORMATS:
        raise SettingsError(f"format ({name!r:.40}) must be one of {', '.join(FORMATS)}")
