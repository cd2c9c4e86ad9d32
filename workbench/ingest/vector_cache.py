"""Vectors by embed key, in one SQLite file: a text is embedded once, whatever asks for it again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from workbench.contracts import Compute, EmbeddingModel, Passage, Tick, no_tick
from workbench.errors import BusyError, ServiceError
from workbench.records import Vectors

SLICE_TEXTS = 256
"""How many texts are embedded before their vectors are kept: what a killed process may lose."""
KEYS_A_QUERY = 500
PATIENCE_S = 30.0
LENGTH_TOLERANCE = 1e-3

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, dimension INTEGER NOT NULL, numbers BLOB NOT NULL)"


class VectorCache:
    """Safe for several threads and processes at once. What is damaged counts as absent and is written anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "vectors.db"

    def found(self, keys: Sequence[str], dimension: int) -> dict[str, Vectors]:
        """Return the vectors that are kept, by key: ``(dimension,) float32`` of length 1."""
        rows: dict[str, Vectors] = {}
        with self._open() as database:
            for some in _groups(keys, KEYS_A_QUERY):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, dimension, numbers FROM vectors WHERE key IN ({marks})"  # noqa: S608
                for key, kept, numbers in database.execute(query, [bytes.fromhex(k) for k in some]):
                    row = _row(kept, numbers, dimension)
                    if row is not None:
                        rows[key.hex()] = row
        return rows

    def keep(self, keys: Sequence[str], vectors: Vectors) -> None:
        """Write vectors under their keys, all of them or none."""
        rows = [
            (bytes.fromhex(key), vectors.shape[1], np.ascontiguousarray(row, "<f4").tobytes())
            for key, row in zip(keys, vectors, strict=True)
        ]
        with self._open() as database, database:
            database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def rows(
        self, keys: Sequence[str], dimension: int, compute: Compute, tick: Tick = no_tick
    ) -> tuple[Vectors, int]:
        """Return the vectors of ``keys`` in order, and how many distinct ones had to be computed.

        ``compute`` gives the rows of the keys at some places. Each distinct key is computed once at most, and kept
        every ``SLICE_TEXTS`` keys: whatever stops this, a second call goes on from there.
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
        for some in _groups(absent, SLICE_TEXTS):
            before = done

            def part(finished: int, total: int, before: int = before) -> None:
                # The end of a slice is told after it is kept: stopping there must not lose what is computed.
                if finished < total:
                    tick(before + finished, len(keys))

            vectors = compute([places[key][0] for key in some], part)
            self.keep(some, vectors)
            for key, row in zip(some, vectors, strict=True):
                result[places[key]] = row
                done += len(places[key])
            tick(done, len(keys))
        return result, len(absent)

    def missing(self, texts: Sequence[str], model: EmbeddingModel) -> list[str]:
        """Return the texts that would have to be embedded, each once, in order."""
        keys = {model.key(text): text for text in texts}
        kept = self.found(list(keys), model.dimension)
        return [text for key, text in keys.items() if key not in kept]

    def __len__(self) -> int:
        with self._open() as database:
            return int(database.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def size_bytes(self) -> int:
        """Return the space the cache takes on the disk."""
        return sum(file.stat().st_size for file in self._folder.glob("vectors.db*"))

    def prune(self, size_bytes: int) -> int:
        """Drop the vectors that were written first until about ``size_bytes`` are left; return how many went."""
        with self._open() as database:
            with database:
                total, count = database.execute(
                    "SELECT coalesce(sum(length(numbers) + length(key)), 0), count(*) FROM vectors"
                ).fetchone()
                surplus = 0 if total <= size_bytes else -(-count * (total - size_bytes) // total)
                database.execute(
                    "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY rowid LIMIT ?)",
                    (surplus,),
                )
            if surplus:
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(surplus)

    def clear(self) -> None:
        """Drop every vector."""
        self.prune(0)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # One connection a call: it costs a fraction of a millisecond, and none is ever shared or inherited.
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._file, timeout=PATIENCE_S)) as database:
                # A damaged row may claim to be text, which must not end the whole reading.
                database.text_factory = bytes
                database.execute("PRAGMA journal_mode = WAL")
                # A power cut may lose the newest slices, never more; full syncing would cost more than it saves.
                database.execute("PRAGMA synchronous = NORMAL")
                database.execute(_SCHEMA)
                yield database
        except OSError as error:
            raise ServiceError(
                f"the vector cache in {self._folder} cannot be used: {error.strerror}"
            ) from error
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> ServiceError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return BusyError(f"another process has been writing to {self._file} for long: try again")
        if code == sqlite3.SQLITE_FULL:
            return ServiceError(f"the disk that holds {self._file} is full: free some space and try again")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return ServiceError(f"{self._file} cannot be written: give this user the right to write there")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return ServiceError(f"{self._file} is damaged: delete it; its vectors are then computed again")
        return ServiceError(f"the vector cache {self._file} cannot be used: {error}")


def cached_vectors(
    texts: Sequence[str], model: EmbeddingModel, cache: VectorCache, tick: Tick = no_tick
) -> tuple[Vectors, int]:
    """Return the vectors of texts that stand alone, in order, and how many had to be embedded for them."""

    def compute(places: Sequence[int], part: Tick) -> Vectors:
        return model.vectors([texts[place] for place in places], tick=part)

    return cache.rows([model.key(text) for text in texts], model.dimension, compute, tick)


def passage_vectors(
    passages: Sequence[Passage], model: EmbeddingModel, cache: VectorCache, tick: Tick = no_tick
) -> tuple[Vectors, int]:
    """Return the vectors of passages in order, and how many of them were not kept yet."""

    def compute(places: Sequence[int], part: Tick) -> Vectors:
        return model.passage_vectors([passages[place] for place in places], cache, part)

    keys = [model.passage_key(passage) for passage in passages]
    return cache.rows(keys, model.dimension, compute, tick)


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
