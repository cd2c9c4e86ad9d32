"""The list of a workspace's documents, and of the files that are copies of one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from workbench.counts import counted
from workbench.database import Database, Style
from workbench.errors import ServiceError
from workbench.records import PageLetters, ParsedFile
from workbench.workspace.document_names import DocumentNames
from workbench.workspace.document_rows import Copy, DocumentRow, apply_reading
from workbench.workspace.schema import MIGRATIONS

__all__ = ["Copy", "DocumentList", "DocumentRow", "Placed", "apply_reading", "now_utc"]


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


STYLE = Style(
    "the documents are found again from the files that are kept beside it",
    # Not WAL: there even reading writes, so that a full disk would hide what is kept on it.
    write_ahead=False,
)


class DocumentList:
    """The rows of ``workspace.db``; safe for several processes and threads, one short connection per call."""

    def __init__(self, path: Path) -> None:
        self.notice = ""
        """What has to be told of a list that was lost, "" where it was not."""
        self._names = DocumentNames(path.parent)
        self._database = Database(path, MIGRATIONS, STYLE, self._find_again)
        if self._database.set_aside is not None:
            self.notice += (
                f"; the damaged list is kept as {self._database.set_aside.name}" if self.notice else ""
            )
        # Where nothing can be written, the list is read as it stands.
        with suppress(ServiceError):
            self._catch_up()

    @contextmanager
    def connection(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield a connection; with ``write`` inside one transaction that nobody else can write in."""
        with self._database.writing() if write else self._database.reading() as db:
            yield db

    def _find_again(self, db: sqlite3.Connection) -> None:
        """Fill a list that was just made with the documents whose files are kept here: then an earlier one was lost."""
        if db.execute("SELECT 1 FROM documents LIMIT 1").fetchone() is not None:
            return  # not lost: it was made by a version that did not number its migrations
        rows, copies = self._names.find_all()
        if not rows:
            return
        for row in rows:
            _insert(db, row)
        db.executemany("INSERT INTO copies VALUES (?, ?, ?, ?, ?)", [astuple(copy) for copy in copies])
        unnamed = sum(row.name == f"found-{row.stored_hash[:8]}{row.suffix}" for row in rows)
        self.notice = (
            f"the list of documents was lost: {counted(len(rows), 'document was', 'documents were')} found again from"
            " the files kept here" + (f", {unnamed:,} of them without the names they had" if unnamed else "")
        )

    def _catch_up(self) -> None:
        """Put documents on the list that the files kept here name and it does not: then it is a backup, older than they are."""
        with self.connection() as db:
            if self._unlisted(db) == ([], []):
                return
        with self.connection(write=True) as db:
            # Looked for again where nobody can add or delete a document meanwhile.
            rows, copies = self._unlisted(db)
            for row in rows:
                db.execute("DELETE FROM documents WHERE id = ?", (row.id,))
                _insert(db, row)
            db.executemany("INSERT INTO copies VALUES (?, ?, ?, ?, ?)", [astuple(copy) for copy in copies])
        if rows:
            self.notice = (
                "the list of documents is older than the files kept here:"
                f" {counted(len(rows), 'document was', 'documents were')} found again from them"
            )

    def _unlisted(self, db: sqlite3.Connection) -> tuple[list[DocumentRow], list[Copy]]:
        rows: dict[tuple[str, str], DocumentRow] = {}
        noted, noted_copies = self._names.find_unlisted(lambda: _listed(db))
        for row in noted:
            here = _with_id(db, row.id)
            if here is not None and self._names.has_original(here.stored_hash, here.suffix):
                continue  # left by a kill between noting another content and listing it
            if _with_content(db, row.content_hash, row.suffix) is None:
                rows[row.content_hash, row.suffix] = row
        ids = {row.id for row in rows.values()}
        copies = [
            copy
            for copy in noted_copies
            if copy.id not in ids
            and db.execute(
                "SELECT id FROM copies WHERE id = ?1 UNION SELECT id FROM documents WHERE id = ?1", (copy.id,)
            ).fetchone()
            is None
            and (
                (copy.content_hash, copy.suffix) in rows or _with_content(db, copy.content_hash, copy.suffix)
            )
        ]
        return list(rows.values()), copies

    def complete_names(self) -> None:
        """Keep what the list says of its documents, so that it can be found again, where an earlier version did not."""
        if not self._names.without(self.rows()):
            return
        with self.connection(write=True) as db:
            # In a transaction: what is deleted meanwhile must not be noted again.
            for row in self._names.without(_all_rows(db)):
                self._names.note(row)

    def rows(self) -> list[DocumentRow]:
        """Return all documents by name."""
        with self.connection() as db:
            return _all_rows(db)

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
        try:
            return self._put(row)
        except BaseException:
            # Else what was not added would count as a document that the list has lost.
            self._names.forget(row.stored_hash, row.id)
            raise

    def _put(self, row: DocumentRow) -> Placed:
        with self.connection(write=True) as db:
            same = _with_content(db, row.content_hash, row.suffix)
            if same is not None:
                return self._noted(db, Copy(row.id, row.name, row.uri, row.content_hash, row.suffix), same)
            if row.incomplete and (stays := _version(db, row.id)) is not None:
                return Placed(None, stays=stays)
            before, heir = self._taken_out(db, row.id)
            _insert(db, row)
            self._names.note(row)
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
            return None if same is None else self._noted(db, copy, same)

    def remove(self, document_id: str) -> DocumentRow | None:
        """Forget a document and every copy of it, and return what it was; an unknown id is ignored."""
        with self.connection(write=True) as db:
            row = _with_id(db, document_id)
            if row is not None:
                db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
                copies = db.execute(
                    "DELETE FROM copies WHERE content_hash = ? AND suffix = ? RETURNING id",
                    (row.content_hash, row.suffix),
                ).fetchall()
                for one in (document_id, *(found[0] for found in copies)):
                    self._names.forget(row.stored_hash, one)
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
                self._names.note(apply_reading(here, found))

    def entitle(self, row: DocumentRow, title: str) -> None:
        """Give a document another title, unless it has another content by now."""
        with self.connection(write=True) as db:
            db.execute(
                "UPDATE documents SET title = ? WHERE id = ? AND content_hash = ?",
                (title, row.id, row.content_hash),
            )
            here = _with_id(db, row.id)
            if here is not None and here.content_hash == row.content_hash:
                self._names.note(here)

    def _noted(self, db: sqlite3.Connection, copy: Copy, same: DocumentRow) -> Placed:
        if same.id == copy.id:
            return Placed(same)
        if same.incomplete and (stays := _version(db, copy.id)) not in (None, same):
            return Placed(same, stays=stays)
        before, heir = self._taken_out(db, copy.id)
        db.execute("INSERT INTO copies VALUES (?, ?, ?, ?, ?)", astuple(copy))
        self._names.note_copy(copy, same.stored_hash)
        return Placed(same, before, heir)

    def _taken_out(
        self, db: sqlite3.Connection, document_id: str
    ) -> tuple[DocumentRow | None, DocumentRow | None]:
        """Take an id off both lists; return the document it was and the copy that is one in its place."""
        db.execute("DELETE FROM copies WHERE id = ?", (document_id,))
        before = _with_id(db, document_id)
        if before is None:
            return None, None
        db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        self._names.forget(before.stored_hash, document_id)
        found = db.execute(
            "SELECT id, name, uri FROM copies WHERE content_hash = ? AND suffix = ? ORDER BY rowid LIMIT 1",
            (before.content_hash, before.suffix),
        ).fetchone()
        if found is None:
            return before, None
        heir = replace(before, id=found[0], name=found[1], uri=found[2])
        db.execute("DELETE FROM copies WHERE id = ?", (heir.id,))
        _insert(db, heir)
        self._names.note(heir)
        return before, heir


def now_utc() -> str:
    """Return the time now as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _all_rows(db: sqlite3.Connection) -> list[DocumentRow]:
    found = db.execute("SELECT * FROM documents ORDER BY name COLLATE NOCASE, id").fetchall()
    return [_row(values) for values in found]


def _listed(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the stored hash and id of every document and copy."""
    found = db.execute(
        "SELECT stored_hash, id FROM documents UNION ALL"
        " SELECT documents.stored_hash, copies.id FROM copies JOIN documents USING (content_hash, suffix)"
    )
    return [(stored_hash, document_id) for stored_hash, document_id in found]


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
