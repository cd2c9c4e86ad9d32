"""BEIR: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv``, in a folder or a zip file.

BEIR judges whole corpus entries. On export the entries are our documents, and the exact ranges travel in the
``metadata`` of each query, which other readers ignore; on import they are used where they are present, otherwise the
entry's text is found in our documents. Layout: Thakur et al., BEIR, NeurIPS 2021.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.errors import InputError
from workbench.evaluation.formats.assembly import Assembler, Claim
from workbench.evaluation.formats.cells import decoded
from workbench.evaluation.formats.own_jsonl import id_of, judged, lines, objects, objects_of
from workbench.evaluation.library import Library, document_name
from workbench.evaluation.questions import QuestionSet

LARGEST_UNPACKED_BYTES = 2**29
JUDGMENTS_KEY = "judged_ranges"
_DAY_ONE = (1980, 1, 1, 0, 0, 0)

Files = Mapping[str, bytes]
"""File name inside the dataset → content."""


def files_in_zip(data: bytes) -> dict[str, bytes]:
    """Return the dataset's files; raises ``InputError`` for other archives and for bombs."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            wanted = [info for info in archive.infolist() if _is_ours(info.filename)]
            if sum(info.file_size for info in wanted) > LARGEST_UNPACKED_BYTES:
                raise InputError(
                    f"the archive unfolds to more than {LARGEST_UNPACKED_BYTES >> 20} MB", "too_large"
                )
            # A header that lies about the size makes zipfile raise, not unfold further.
            return {info.filename: archive.read(info) for info in wanted}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError(f"this archive cannot be read: {error}") from error


def files_in_folder(folder: Path) -> dict[str, bytes]:
    """Return the dataset's files."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in named.items() if _is_ours(name)}


def corpus_texts(files: Files) -> list[tuple[str, str]]:
    """Return (id, text with its title) of every corpus entry, for who wants to add them as documents."""
    into = Assembler(None)
    result = []
    for _, value in _objects(files, "corpus.jsonl", into):
        title, text = str(value.get("title") or ""), str(value.get("text") or "")
        result.append((id_of(value, "_id"), f"{title}\n\n{text}" if title else text))
    return result


def read(files: Files, into: Assembler) -> None:
    """Hand every query and judgment to the assembler."""
    if not any(PurePosixPath(name).name == "queries.jsonl" for name in files):
        raise InputError(
            "there is no queries.jsonl in it: a BEIR dataset has corpus.jsonl, queries.jsonl and qrels/*.tsv",
            "unsupported",
        )
    questions: dict[str, str] = {}
    exact: set[str] = set()
    for line, value in _objects(files, "queries.jsonl", into):
        given, text = id_of(value, "_id"), value.get("text")
        if not isinstance(text, str):
            into.problem(line, "“text” is missing or not a text")
            continue
        question = into.question(line, text, given)
        if question is None:
            continue
        questions[given] = question
        metadata = value.get("metadata")
        if isinstance(metadata, dict) and JUDGMENTS_KEY in metadata:
            exact.add(_flat(given))
            judged(line, question, metadata[JUDGMENTS_KEY], into)
    entries = {id_of(value, "_id"): value for _, value in _objects(files, "corpus.jsonl", into)}
    for name in sorted(files):
        if name.endswith(".tsv"):
            into.file = name
            _read_qrels(decoded(files[name])[0], questions, exact, entries, into)
    into.file = ""


def write(questions: QuestionSet, documents: Library) -> bytes:
    """Return the dataset as a zip file; the same set gives the same bytes."""
    corpus = [
        {"_id": d.id, "title": d.title, "text": d.text, "metadata": {"file": document_name(d)}}
        for d in documents.documents
    ]
    queries, qrels = [], ["query-id\tcorpus-id\tscore\n"]
    for question in questions.questions:
        judgments = questions.by_question[question.id]
        ranges = objects_of(questions, judgments, documents)
        queries.append({"_id": question.id, "text": question.text, "metadata": {JUDGMENTS_KEY: ranges}})
        best: dict[str, int] = {}
        for j in judgments:
            best[j.document_id] = max(j.grade, best.get(j.document_id, 0))
        qrels += [
            "\t".join([_flat(question.id), _flat(document), str(grade)]) + "\n"
            for document, grade in best.items()
        ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("corpus.jsonl", lines(corpus)),
            ("queries.jsonl", lines(queries)),
            ("qrels/test.tsv", "".join(qrels).encode("utf-8", "surrogatepass")),
        ):
            archive.writestr(zipfile.ZipInfo(name, _DAY_ONE), content, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _read_qrels(
    text: str, questions: Mapping[str, str], exact: set[str], entries: Mapping[str, Any], into: Assembler
) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        cells = line.rstrip("\r").split("\t")
        if not line.strip() or (number == 1 and not cells[-1].strip().lstrip("-").isdigit()):
            continue
        if len(cells) == 4:  # the TREC form has an unused second column
            cells = [cells[0], *cells[2:]]
        try:
            given, entry, grade = cells[0], cells[1], int(cells[2])
        except (IndexError, ValueError):
            into.problem(number, "a line of qrels is: query-id, corpus-id, score, with tabs between them")
            continue
        if _flat(given) in exact:
            continue
        if given not in questions:
            into.problem(number, f"there is no query {given!r:.60} in queries.jsonl")
            continue
        if not 0 <= grade <= 3:
            into.note(number, f"the score {grade} was read as {min(3, max(0, grade))}; grades are 0 to 3")
        into.judged(number, questions[given], _claim(entry, entries, min(3, max(0, grade)), into))


def _claim(entry: str, entries: Mapping[str, Any], grade: int, into: Assembler) -> Claim:
    value = entries.get(entry, {})
    text, title = str(value.get("text") or ""), str(value.get("title") or "")
    metadata = value.get("metadata")
    file = str(metadata.get("file") or "") if isinstance(metadata, dict) else ""
    known = into.documents
    for name in (file, entry, title):
        if known is not None and name and known.named(name, entry):
            return Claim(name, entry, grade=grade, text=text, whole=not text)
    # Entries are often passages of documents that are called differently here: look for the text.
    return Claim(grade=grade, text=text) if text else Claim(entry, grade=grade, whole=True)


def _objects(files: Files, wanted: str, into: Assembler) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    for name in sorted(files):
        if PurePosixPath(name).name == wanted:
            into.file = name
            found += objects(decoded(files[name])[0], into)
    return found


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and (
        path.name in ("corpus.jsonl", "queries.jsonl") or (path.suffix == ".tsv" and "qrels" in name)
    )


def _flat(name: str) -> str:
    return " ".join(name.split())
