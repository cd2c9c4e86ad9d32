"""Contents and parsed texts of a workspace's pipelines: what makes another config cost no second fetch.

One SQLite file, because a source may hold a hundred thousand small rows; the browser's own documents lie apart.
"""

from __future__ import annotations

import os
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.database import Database, Style
from workbench.files import writing
from workbench.records import ParsedFile
from workbench.workspace.parses import packed, unpacked

KEYS_A_STEP = 500
STYLE = Style(
    "the next sync reads again what was in it",
    synchronous="NORMAL",
    gives_pages_back=True,
    is_cache=True,
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS contents (hash TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS parses (key TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;
"""


class Kept:
    """Blobs by what they are; a damaged one counts as absent. Safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = Database(path, (_SCHEMA,), STYLE)

    def content(self, content_hash: str) -> bytes | None:
        """Return the bytes of a content, or None."""
        return self.contents([content_hash]).get(content_hash)

    def contents(self, content_hashes: Sequence[str]) -> dict[str, bytes]:
        """Return the bytes of those contents that are kept, by their hash."""
        found = {}
        for content_hash, data in self._data("SELECT data FROM contents WHERE hash = ?", content_hashes):
            with suppress(zlib.error):
                found[content_hash] = zlib.decompress(data)
        return found

    def keep_contents(self, contents: Mapping[str, bytes]) -> None:
        """Keep the bytes of contents by their hash, all of them or none."""
        rows = [(content_hash, zlib.compress(data, 1)) for content_hash, data in contents.items()]
        self._put("INSERT OR REPLACE INTO contents VALUES (?, ?)", rows)

    def parse(self, key: str, document_id: str, uri: str) -> ParsedFile | None:
        """Return a parsed text under the given id, or None."""
        return self.parses([(key, document_id, uri)])[0]

    def parses(self, wanted: Sequence[tuple[str, str, str]]) -> list[ParsedFile | None]:
        """Return parsed texts by key, under the document id and address that stand beside it; None where absent."""
        kept = dict(self._data("SELECT data FROM parses WHERE key = ?", [key for key, _, _ in wanted]))
        return [
            _opened(kept[key], document_id, uri) if key in kept else None for key, document_id, uri in wanted
        ]

    def without_parse(self, wanted: Iterable[tuple[str, str]]) -> list[str]:
        """Return the document ids whose text is not kept, of (parse key, document id) in the order of the keys."""
        absent = []
        with self._database.reading() as database:
            kept = (row[0] for row in database.execute("SELECT key FROM parses ORDER BY key"))
            here = next(kept, None)
            for key, document_id in wanted:
                while here is not None and here < key:
                    here = next(kept, None)
                if here != key:
                    absent.append(document_id)
        return absent

    def keep_parses(self, parses: Mapping[str, ParsedFile]) -> None:
        """Keep parsed texts by their key, all of them or none."""
        rows = [(key, packed(parsed)) for key, parsed in parses.items()]
        self._put("INSERT OR REPLACE INTO parses VALUES (?, ?)", rows)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep others from cleaning: a run keeps blobs before the ledger knows them."""
        with self._locked(exclusive=False):
            yield

    def clean(
        self, content_hashes: Callable[[], Iterator[str]], parse_keys: Callable[[], Iterator[str]]
    ) -> int:
        """Drop everything else; return how many blobs went. None while any pipeline runs: the next clean takes them.

        What is wanted comes in order, and is compared as it streams by.
        """
        with self._locked(exclusive=True) as free:
            return self._cleaned(content_hashes(), parse_keys()) if free else 0

    def _cleaned(self, content_hashes: Iterator[str], parse_keys: Iterator[str]) -> int:
        with self._database.maintaining() as database:
            old_contents = _absent(database, "SELECT hash FROM contents ORDER BY hash", content_hashes)
            old_parses = _absent(database, "SELECT key FROM parses ORDER BY key", parse_keys)
            for query, keys in (
                ("DELETE FROM contents WHERE hash = ?", old_contents),
                ("DELETE FROM parses WHERE key = ?", old_parses),
            ):
                for start in range(0, len(keys), KEYS_A_STEP):
                    database.execute("BEGIN IMMEDIATE")
                    database.executemany(query, [(key,) for key in keys[start : start + KEYS_A_STEP]])
                    database.execute("COMMIT")
            if old_contents or old_parses:
                # All of its answers have to be read: each is a page that is given back.
                database.execute("PRAGMA incremental_vacuum").fetchall()
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return len(old_contents) + len(old_parses)

    def size_bytes(self) -> int:
        """Return the space it takes on the disk."""
        return self._database.size_bytes()

    def _data(self, query: str, keys: Sequence[str]) -> list[tuple[str, bytes]]:
        if not keys:
            return []
        with self._database.reading() as database:
            rows = [(key, database.execute(query, (key,)).fetchone()) for key in keys]
        return [(key, bytes(row[0])) for key, row in rows if row is not None]

    def _put(self, query: str, rows: Sequence[tuple[str, bytes]]) -> None:
        if rows:
            with self._database.writing() as database:
                database.executemany(query, rows)

    @contextmanager
    def _locked(self, exclusive: bool) -> Iterator[bool]:
        import fcntl

        with writing(self._path):
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
            except BlockingIOError:
                yield False
                return
            try:
                yield True
            finally:
                # Unlocked by name: a forked child that inherited the handle would keep the lock after close.
                fcntl.flock(handle, fcntl.LOCK_UN)
        finally:
            os.close(handle)


def _opened(data: bytes, document_id: str, uri: str) -> ParsedFile | None:
    try:
        return unpacked(data, document_id, uri)
    except (
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        OSError,
        RuntimeError,
        zlib.error,
        zipfile.BadZipFile,
    ):
        return None


def _absent(database: sqlite3.Connection, query: str, wanted: Iterator[str]) -> list[str]:
    """Return the keys of a query that are not wanted; both come in order."""
    absent: list[str] = []
    next_wanted = next(wanted, None)
    for (key,) in database.execute(query):
        while next_wanted is not None and next_wanted < key:
            next_wanted = next(wanted, None)
        if key != next_wanted:
            absent.append(key)
    return absent
