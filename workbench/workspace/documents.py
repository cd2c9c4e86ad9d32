"""The documents of a workspace: which there are, and how a file becomes one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from workbench.files import database_error, writing

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    uri TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    stored_hash TEXT NOT NULL,
    suffix TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    title TEXT NOT NULL,
    page_count INTEGER NOT NULL,
    character_count INTEGER NOT NULL,
    empty_pages TEXT NOT NULL,
    failed_pages TEXT NOT NULL,
    warnings TEXT NOT NULL,
    added_at_utc TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS documents_by_content ON documents (content_hash);
CREATE TABLE IF NOT EXISTS rates (
    model_id TEXT PRIMARY KEY,
    tokens INTEGER NOT NULL,
    seconds REAL NOT NULL
) STRICT;
"""


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


@dataclass(frozen=True, slots=True)
class AddResult:
    """What happened to one file.

    ``status`` is one of added, unchanged, replaced, partly_read (it is in, some pages are not), needs_password,
    no_text, damaged, unsupported, too_large, timed_out, failed.
    """

    path: str
    status: str
    document_id: str | None
    pages: int
    characters: int
    empty_pages: tuple[int, ...]
    message: str

    @property
    def is_in(self) -> bool:
        """Whether the document is in the workspace now."""
        return self.status in ("added", "unchanged", "replaced", "partly_read")


class DocumentList:
    """The rows of ``workspace.db``; safe for several processes and threads, one short connection per call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self.connection() as db:
            # Not WAL: there even reading writes, so that a full disk would hide what is kept on it.
            with suppress(sqlite3.OperationalError):
                db.execute("PRAGMA journal_mode = DELETE")
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'rates'").fetchone():
                db.executescript(SCHEMA)

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
            found = db.execute("SELECT * FROM documents WHERE id = ?", (document_id,)).fetchone()
        return None if found is None else _row(found)

    def with_content(self, content_hash: str, suffix: str) -> DocumentRow | None:
        """Return a document of this kind of file with exactly this content, or None."""
        with self.connection() as db:
            found = db.execute(
                "SELECT * FROM documents WHERE content_hash = ? AND suffix = ? ORDER BY added_at_utc LIMIT 1",
                (content_hash, suffix),
            ).fetchone()
        return None if found is None else _row(found)

    def holds(self, column: Literal["stored_hash", "content_hash"], value: str) -> bool:
        """Return whether a document has this content, as it is kept or as it came."""
        with self.connection() as db:
            query = f"SELECT 1 FROM documents WHERE {column} = ? LIMIT 1"  # noqa: S608 one of two names
            return db.execute(query, (value,)).fetchone() is not None

    def put_unless_here(self, row: DocumentRow) -> DocumentRow | None:
        """Add or replace a document, unless one is here with the same content: then change nothing and return it."""
        with self.connection(write=True) as db:
            same = db.execute(
                "SELECT * FROM documents WHERE content_hash = ? AND suffix = ? LIMIT 1",
                (row.content_hash, row.suffix),
            ).fetchone()
            if same is not None:
                return _row(same)
            db.execute(
                f"INSERT OR REPLACE INTO documents VALUES ({', '.join('?' * 14)})",  # noqa: S608 only question marks
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
                ),
            )
        return None

    def remove(self, document_id: str) -> None:
        """Forget a document; an unknown id is ignored."""
        with self.connection(write=True) as db:
            db.execute("DELETE FROM documents WHERE id = ?", (document_id,))

    def note_rate(self, model_id: str, tokens: int, seconds: float) -> None:
        """Remember how fast a model embeds here; the newest measurement counts as much as all before it."""
        with self.connection(write=True) as db:
            db.execute(
                "INSERT INTO rates VALUES (?, ?, ?) ON CONFLICT (model_id) DO UPDATE SET"
                " tokens = tokens / 2 + excluded.tokens, seconds = seconds / 2 + excluded.seconds",
                (model_id, tokens, seconds),
            )

    def tokens_per_second(self, model_id: str) -> float | None:
        """Return the measured speed of a model on this machine, or None before its first use."""
        with self.connection() as db:
            found = db.execute("SELECT tokens, seconds FROM rates WHERE model_id = ?", (model_id,)).fetchone()
        return None if found is None or found[1] <= 0 else float(found[0] / found[1])


def now_utc() -> str:
    """Return the time now as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _row(values: tuple[object, ...]) -> DocumentRow:
    *head, empty, failed, warnings, added = values
    lists = [tuple(json.loads(str(v))) for v in (empty, failed, warnings)]
    return DocumentRow(*head, *lists, added)  # type: ignore[arg-type, call-arg]
