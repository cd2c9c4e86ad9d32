"""The list of a workspace's documents, and of the files that are copies of one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from workbench.files import database_error, writing
from workbench.ingest.database import migrate, schema_version
from workbench.records import PageLetters, ParsedFile
from workbench.workspace.schema import MIGRATIONS


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as the list shows it. ``uri`` is a path, or ``upload:`` and the name."""

    id: str
    name: str
    uri: str
    content_hash: str
    stored_hash: str
    suffix: str
    size_bytes: int
    title: str
    page_count: int
    character_count: int
    empty_pages: tuple[int, ...]
    failed_pages: tuple[int, ...]
    warnings: tuple[str, ...]
    added_at_utc: str
    letters_kept: int = 0
    """Letters and digits in the text, of those counted on its pages; both are 0 where a format does not count them."""
    letters_on_page: int = 0
    short_pages: tuple[PageLetters, ...] = ()
    """The pages of which letters are missing in the text."""
    incomplete: str = ""
    """Why the file is incomplete, as ``ParsedFile.incomplete`` says it; "" for a complete one."""


def apply_reading(row: DocumentRow, found: ParsedFile) -> DocumentRow:
    """Return the row with the counts and notes of a parsed file; its title and date stay."""
    return replace(
        row,
        page_count=len(found.document.pages),
        character_count=len(found.document.text),
        empty_pages=found.empty_pages,
        failed_pages=found.failed_pages,
        warnings=found.warnings,
        letters_kept=sum(page.kept for page in found.letters),
        letters_on_page=sum(page.on_page for page in found.letters),
        short_pages=found.short_pages,
        incomplete=found.incomplete,
    )


@dataclass(frozen=True, slots=True)
class Copy:
    """A file with the content of a document that is here: of itself only its place is kept.

    It becomes a document once the other one is no more what it is a copy of. No id is in both lists.
    """

    id: str
    name: str
    uri: str
    content_hash: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What the list made of a file."""

    same: DocumentRow | None
    """The document that has its content, where the file did not become one itself."""
    before: DocumentRow | None = None
    """What stood under its id, with another content."""
    heir: DocumentRow | None = None
    """The copy of that other content that became a document instead."""
    stays: DocumentRow | None = None
    """The earlier version, which stays because the new file is incomplete: the list was not changed."""


class DocumentList:
    """The rows of ``workspace.db``; safe for several processes and threads, one short connection per call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self.connection() as db:
            # Not WAL: there even reading writes, so that a full disk would hide what is kept on it.
            with suppress(sqlite3.OperationalError):
                db.execute("PRAGMA journal_mode = DELETE")
            is_current = schema_version(db) == len(MIGRATIONS)
        if not is_current:
            with self.connection(write=True) as db:
                migrate(db, MIGRATIONS, path)

    @contextmanager
    def connection(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield a connection; with ``write`` inside one transaction that nobody else can write in."""
        with writing(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as db:
                if write:
                    # Asked for at once: a transaction that begins by reading could find its answer outdated.
                    db.execute("BEGIN IMMEDIATE")
                yield db
                if write:
                    db.execute("COMMIT")
        except sqlite3.Error as error:
            raise database_error(self._path, error) from error

    def rows(self) -> list[DocumentRow]:
        """Return all documents by name."""
        with self.connection() as db:
            found = db.execute("SELECT * FROM documents ORDER BY name COLLATE NOCASE, id").fetchall()
        return [_row(values) for values in found]

    def row(self, document_id: str) -> DocumentRow | None:
        """Return one document, or None."""
        with self.connection() as db:
            return _with_id(db, document_id)

    def with_content(self, content_hash: str, suffix: str) -> DocumentRow | None:
        """Return a document of this kind of file with exactly this content, or None."""
        with self.connection() as db:
            return _with_content(db, content_hash, suffix)

    def holds(self, column: Literal["stored_hash", "content_hash"], value: str) -> bool:
        """Return whether a document has this content, as it is kept or as it came."""
        with self.connection() as db:
            query = f"SELECT 1 FROM documents WHERE {column} = ? LIMIT 1"  # noqa: S608 one of two names
            return db.execute(query, (value,)).fetchone() is not None

    def stored_version(self, document_id: str) -> DocumentRow | None:
        """Return the document with a file's text, perhaps one that it is a copy of; None for a new file."""
        with self.connection() as db:
            return _version(db, document_id)

    def upload_contents(self, uri: str) -> dict[str, str]:
        """Return uri → content hash of the uploads under ``uri`` and under it with a number, as ``#2``."""
        place = "uri = ? OR (uri > ? AND uri < ?)"
        query = (
            f"SELECT uri, content_hash FROM documents WHERE {place}"  # noqa: S608 only question marks
            f" UNION ALL SELECT uri, content_hash FROM copies WHERE {place}"
        )
        with self.connection() as db:
            # "$" comes right after "#".
            return dict(db.execute(query, (uri, f"{uri}#", f"{uri}$") * 2).fetchall())

    def put_unless_here(self, row: DocumentRow) -> Placed:
        """Add or replace a document; one with the same content as another is only noted as its copy.

        An incomplete file replaces nothing: then ``Placed.stays`` is the earlier version.
        """
        with self.connection(write=True) as db:
            same = _with_content(db, row.content_hash, row.suffix)
            if same is not None:
                return _noted(db, Copy(row.id, row.name, row.uri, row.content_hash, row.suffix), same)
            if row.incomplete and (stays := _version(db, row.id)) is not None:
                return Placed(None, stays=stays)
            before, heir = _taken_out(db, row.id)
            _insert(db, row)
        return Placed(None, before, heir)

    def note_copy(self, copy: Copy) -> Placed | None:
        """Note a file as a copy of the document that has its content; None where no document has it (any more)."""
        with self.connection() as db:
            # What is known needs no writing: a full disk is no reason not to say so.
            known = db.execute(
                "SELECT 1 FROM copies WHERE id = ? AND content_hash = ? AND suffix = ?",
                (copy.id, copy.content_hash, copy.suffix),
            ).fetchone()
            same = _with_content(db, copy.content_hash, copy.suffix)
        if known is not None and same is not None:
            return Placed(same)
        with self.connection(write=True) as db:
            same = _with_content(db, copy.content_hash, copy.suffix)
            return None if same is None else _noted(db, copy, same)

    def remove(self, document_id: str) -> DocumentRow | None:
        """Forget a document and every copy of it, and return what it was; an unknown id is ignored."""
        with self.connection(write=True) as db:
            row = _with_id(db, document_id)
            if row is not None:
                db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
                db.execute(
                    "DELETE FROM copies WHERE content_hash = ? AND suffix = ?", (row.content_hash, row.suffix)
                )
        return row

    def note_reading(self, row: DocumentRow, found: ParsedFile) -> None:
        """Store what a new version of the parser finds in a file, unless the document has another content by now."""
        if apply_reading(row, found) == row:
            return
        with self.connection(write=True) as db:
            here = _with_id(db, row.id)
            if here is not None and here.content_hash == row.content_hash:
                db.execute("DELETE FROM documents WHERE id = ?", (row.id,))
                _insert(db, apply_reading(here, found))

    def entitle(self, row: DocumentRow, title: str) -> None:
        """Give a document another title, unless it has another content by now."""
        with self.connection(write=True) as db:
            db.execute(
                "UPDATE documents SET title = ? WHERE id = ? AND content_hash = ?",
                (title, row.id, row.content_hash),
            )


def now_utc() -> str:
    """Return the time now as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _with_id(db: sqlite3.Connection, document_id: str) -> DocumentRow | None:
    found = db.execute("SELECT * FROM documents WHERE id = ?", (document_id,)).fetchone()
    return None if found is None else _row(found)


def _with_content(db: sqlite3.Connection, content_hash: str, suffix: str) -> DocumentRow | None:
    found = db.execute(
        "SELECT * FROM documents WHERE content_hash = ? AND suffix = ? ORDER BY added_at_utc LIMIT 1",
        (content_hash, suffix),
    ).fetchone()
    return None if found is None else _row(found)


def _version(db: sqlite3.Connection, document_id: str) -> DocumentRow | None:
    copy = db.execute("SELECT content_hash, suffix FROM copies WHERE id = ?", (document_id,)).fetchone()
    return _with_id(db, document_id) if copy is None else _with_content(db, *copy)


def _noted(db: sqlite3.Connection, copy: Copy, same: DocumentRow) -> Placed:
    if same.id == copy.id:
        return Placed(same)
    if same.incomplete and (stays := _version(db, copy.id)) not in (None, same):
        return Placed(same, stays=stays)
    before, heir = _taken_out(db, copy.id)
    values = (copy.id, copy.name, copy.uri, copy.content_hash, copy.suffix)
    db.execute("INSERT INTO copies VALUES (?, ?, ?, ?, ?)", values)
    return Placed(same, before, heir)


def _taken_out(db: sqlite3.Connection, document_id: str) -> tuple[DocumentRow | None, DocumentRow | None]:
    """Take an id off both lists; return the document it was and the copy that is one in its place."""
    db.execute("DELETE FROM copies WHERE id = ?", (document_id,))
    before = _with_id(db, document_id)
    if before is None:
        return None, None
    db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
    found = db.execute(
        "SELECT id, name, uri FROM copies WHERE content_hash = ? AND suffix = ? ORDER BY rowid LIMIT 1",
        (before.content_hash, before.suffix),
    ).fetchone()
    if found is None:
        return before, None
    heir = replace(before, id=found[0], name=found[1], uri=found[2])
    db.execute("DELETE FROM copies WHERE id = ?", (heir.id,))
    _insert(db, heir)
    return before, heir


def _insert(db: sqlite3.Connection, row: DocumentRow) -> None:
    db.execute(
        f"INSERT INTO documents VALUES ({', '.join('?' * 18)})",  # noqa: S608 only question marks
        (
            row.id,
            row.name,
            row.uri,
            row.content_hash,
            row.stored_hash,
            row.suffix,
            row.size_bytes,
            row.title,
            row.page_count,
            row.character_count,
            json.dumps(row.empty_pages),
            json.dumps(row.failed_pages),
            json.dumps(row.warnings),
            row.added_at_utc,
            row.letters_kept,
            row.letters_on_page,
            json.dumps([[one.page, one.kept, one.on_page] for one in row.short_pages]),
            row.incomplete,
        ),
    )


def _row(values: tuple[object, ...]) -> DocumentRow:
    *head, empty, failed, warnings, added, kept, on_page, short, incomplete = values
    # Most documents have none of these, and every page reads all documents.
    lists = [tuple(json.loads(str(v))) if v != "[]" else () for v in (empty, failed, warnings)]
    short_pages = tuple(PageLetters(*one) for one in json.loads(str(short))) if short != "[]" else ()
    return DocumentRow(*head, *lists, added, kept, on_page, short_pages, incomplete)  # type: ignore[arg-type, call-arg]
