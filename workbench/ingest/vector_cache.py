"""Vectors by embed key, in one SQLite file: a text is embedded once, whatever asks for it again."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from itertools import islice
from pathlib import Path

import numpy as np

from workbench.contracts import Compute, EmbeddingModel, Passage, Tick, no_tick
from workbench.database import Database, Style
from workbench.errors import ServiceError
from workbench.ingest.claims import Claims
from workbench.records import Vectors

SLICE_TEXTS = 256
"""How many texts are embedded before their vectors are kept: what a killed process may lose."""
KEYS_A_QUERY = 500
LENGTH_TOLERANCE = 1e-3

ROWS_A_STEP = 2_000
"""How many rows are dropped at once when the cache is pruned."""

STYLE = Style(
    "what was in it is computed again when it is asked for",
    # Not WAL: there even reading writes, so that a full disk would hide what is kept on it.
    write_ahead=False,
    gives_pages_back=True,
    is_cache=True,
    texts_as_bytes=True,
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    key BLOB PRIMARY KEY, dimension INTEGER NOT NULL, numbers BLOB NOT NULL, day INTEGER NOT NULL DEFAULT 0
)
"""


_UNDER_WAY = Claims()
"""Vectors being computed by this process, whatever the number of builds."""


class VectorCache:
    """Safe for several threads and processes at once. What is damaged counts as absent and is written anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "vectors.db"

    def found(self, keys: Sequence[str], dimension: int) -> dict[str, Vectors]:
        """Return the vectors that are kept, by key: ``(dimension,) float32`` of length 1."""
        rows: dict[str, Vectors] = {}
        stale: list[tuple[int, bytes]] = []
        today = _today()
        with self._database.reading() as database:
            for some in _groups(keys, KEYS_A_QUERY):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, dimension, numbers, day FROM vectors WHERE key IN ({marks})"  # noqa: S608
                for key, kept, numbers, day in database.execute(query, [bytes.fromhex(k) for k in some]):
                    row = _row(kept, numbers, dimension)
                    if row is not None:
                        rows[key.hex()] = row
                        if day != today:
                            stale.append((today, key))
        if stale:
            # Once a day and vector. A disk that takes no more must not keep anybody from reading.
            with suppress(ServiceError), self._database.writing() as database:
                database.executemany("UPDATE vectors SET day = ? WHERE key = ?", stale)
        return rows

    def keep(self, keys: Sequence[str], vectors: Vectors) -> None:
        """Write vectors under their keys, all of them or none."""
        rows = [
            (bytes.fromhex(key), vectors.shape[1], np.ascontiguousarray(row, "<f4").tobytes(), _today())
            for key, row in zip(keys, vectors, strict=True)
        ]
        with self._database.writing() as database:
            database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def rows(
        self,
        keys: Sequence[str],
        dimension: int,
        compute: Compute,
        tick: Tick = no_tick,
        must_keep: bool = True,
    ) -> tuple[Vectors, int]:
        """Return the vectors of ``keys`` in order, and how many distinct ones had to be computed.

        ``compute`` gives the rows of the keys at some places. Each distinct key is computed once at most, also when two
        threads ask for it at the same time, and kept
        every ``SLICE_TEXTS`` keys: whatever stops this, a second call goes on from there. Without
        ``must_keep`` a disk that takes no more costs time, not the answer.
        """
        places: dict[str, list[int]] = {}
        for place, key in enumerate(keys):
            places.setdefault(key, []).append(place)
        result = np.zeros((len(keys), dimension), np.float32)
        done = 0
        kept = self.found(list(places), dimension)
        for key, row in kept.items():
            result[places[key]] = row
            done += len(places[key])
        absent = [key for key in places if key not in kept]
        del kept
        tick(done, len(keys))
        computed = 0
        for some in _groups(absent, SLICE_TEXTS):
            left = some
            while left:
                with _UNDER_WAY.taken((self._file, key) for key in left) as claimed:
                    mine = [key for key in left if (self._file, key) in claimed]
                    before = done

                    def part(finished: int, total: int, before: int = before) -> None:
                        # The end of a slice is told after it is kept: stopping there must not lose what is computed.
                        if finished < total:
                            tick(before + finished, len(keys))

                    if mine:
                        vectors = compute([places[key][0] for key in mine], part)
                        try:
                            self.keep(mine, vectors)
                        except ServiceError:
                            if must_keep:
                                raise
                        for key, row in zip(mine, vectors, strict=True):
                            result[places[key]] = row
                            done += len(places[key])
                        computed += len(mine)
                left = [key for key in left if (self._file, key) not in claimed]
                if left:
                    # Another thread of this process embeds them now: its vectors are taken, if it gets there.
                    waiting = [(self._file, key) for key in left]
                    _UNDER_WAY.wait(waiting, partial(tick, done, len(keys)))
                    for key, row in self.found(left, dimension).items():
                        result[places[key]] = row
                        done += len(places[key])
                        left.remove(key)
            tick(done, len(keys))
        return result, computed

    def missing(self, texts: Sequence[str], model: EmbeddingModel) -> list[str]:
        """Return the texts that would have to be embedded, each once, in order."""
        keys = {model.key(text): text for text in texts}
        kept = self.found(list(keys), model.dimension)
        return [text for key, text in keys.items() if key not in kept]

    def __len__(self) -> int:
        with self._database.reading() as database:
            return int(database.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def size_bytes(self) -> int:
        """Return the space the cache takes on the disk."""
        return self._database.size_bytes()

    def prune(self, size_bytes: int) -> int:
        """Drop the vectors that were used longest ago until ``size_bytes`` are left; return how many went.

        In small steps: whoever embeds meanwhile waits for one of them at most.
        """
        dropped = 0
        while True:
            with self._database.maintaining() as database:
                used = _used_bytes(database)
                if used <= size_bytes:
                    return dropped
                count = int(database.execute("SELECT count(*) FROM vectors").fetchone()[0])
                surplus = min(ROWS_A_STEP, -(-count * (used - size_bytes) // used))
                rows = database.execute(
                    "DELETE FROM vectors WHERE key IN (SELECT key FROM vectors ORDER BY day, rowid LIMIT ?)",
                    (surplus,),
                ).rowcount
                # ``execute`` would stop after one page: the pragma gives a row for each, without a column.
                database.executescript("PRAGMA incremental_vacuum")
            if not rows:
                return dropped
            dropped += rows

    @cached_property
    def _database(self) -> Database:
        # At its first use: a workspace in which nothing is embedded gets no file.
        return Database(self._file, (_prepare,), STYLE)


def _prepare(database: sqlite3.Connection) -> None:
    """Make the table, or bring that of an earlier version up to date."""
    database.execute(_SCHEMA)
    if "day" not in {bytes(row[1]).decode() for row in database.execute("PRAGMA table_info(vectors)")}:
        database.execute("ALTER TABLE vectors ADD COLUMN day INTEGER NOT NULL DEFAULT 0")
    database.execute("CREATE INDEX IF NOT EXISTS vectors_by_day ON vectors (day)")


def _used_bytes(database: sqlite3.Connection) -> int:
    pages, free, page_bytes = (
        int(database.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes


def cached_vectors(
    texts: Sequence[str],
    model: EmbeddingModel,
    cache: VectorCache,
    tick: Tick = no_tick,
    must_keep: bool = True,
) -> tuple[Vectors, int]:
    """Return the vectors of texts that stand alone, in order, and how many had to be embedded for them."""

    def compute(places: Sequence[int], part: Tick) -> Vectors:
        return model.vectors([texts[place] for place in places], tick=part)

    return cache.rows([model.key(text) for text in texts], model.dimension, compute, tick, must_keep)


def passage_vectors(
    passages: Sequence[Passage], model: EmbeddingModel, cache: VectorCache, tick: Tick = no_tick
) -> tuple[Vectors, int]:
    """Return the vectors of passages in order, and how many of them were not kept yet."""

    def compute(places: Sequence[int], part: Tick) -> Vectors:
        return model.passage_vectors([passages[place] for place in places], cache, part)

    keys = [model.passage_key(passage) for passage in passages]
    return cache.rows(keys, model.dimension, compute, tick)


def _today() -> int:
    """Return the days since 1970, in UTC."""
    return int(time.time() // 86_400)


def _row(kept: int, numbers: bytes, dimension: int) -> Vectors | None:
    if kept != dimension or not isinstance(numbers, bytes) or len(numbers) != 4 * dimension:
        return None
    row = np.frombuffer(numbers, "<f4").astype(np.float32)
    # Damaged numbers may be huge, or NaN, which no comparison accepts.
    with np.errstate(over="ignore", invalid="ignore"):
        length = float(np.linalg.norm(row.astype(np.float64)))
    return row if abs(length - 1) <= LENGTH_TOLERANCE else None


def _groups(keys: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(keys)
    while group := list(islice(rest, size)):
        yield group
