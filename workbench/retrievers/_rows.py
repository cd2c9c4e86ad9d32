"""A table's rows in memory, in document order: position breaks ties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workbench.contracts import Asked, Filter, TableRows
from workbench.records import Chunk, Vectors
from workbench.retrievers._held import HELD

Scores = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
_SORTED = 500
"""How many of the best are sorted first: more than nearly every list needs."""


def products(vectors: Vectors, vector: Vectors) -> npt.NDArray[np.float32]:
    """Return ``(n,) float32``, the product of each row and the vector.

    Row by row: a matrix product wakes threads that wait for each other, ten times slower on a busy machine.
    """
    found: npt.NDArray[np.float32] = np.vecdot(vectors, vector)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """Vectors without repetitions. Equal rows have one product, so that rounding never breaks their tie."""

    vectors: Vectors
    rows: npt.NDArray[np.int32]
    """For each given row its place in ``vectors``."""

    @classmethod
    def of(cls, vectors: Vectors) -> Distinct:
        """Return the distinct rows of ``vectors`` in the order of their first occurrence."""
        places: dict[bytes, int] = {}
        rows = np.array([places.setdefault(row.tobytes(), len(places)) for row in vectors], np.int32)
        _, first = np.unique(rows, return_index=True)
        return cls(np.ascontiguousarray(vectors[first]), rows)

    def cosines(self, vector: Vectors) -> Scores:
        """Return one cosine per given row."""
        if not len(self.rows):
            return np.zeros(0)
        return products(self.vectors, vector).astype(np.float64)[self.rows]

    @property
    def size_bytes(self) -> int:
        """The memory it takes."""
        return self.vectors.nbytes + self.rows.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class HeldRows:
    """All rows of one version of a table."""

    version: str
    chunks: Sequence[Chunk]
    distinct: Distinct
    metadata: Mapping[str, Mapping[str, str]]
    """Document id → metadata."""
    text_bytes: int

    @classmethod
    def of(cls, rows: TableRows) -> HeldRows:
        """Return the rows as they are kept."""
        # A chunk's record takes about 400 bytes beside its text.
        text_bytes = sum(len(chunk.text) + 400 for chunk in rows.chunks)
        return cls(rows.version, rows.chunks, Distinct.of(rows.vectors), rows.metadata, text_bytes)

    def allowed(self, where: Filter | None) -> Positions | None:
        """Return the positions of the chunks that may be found, None for all."""
        if where is None:
            return None
        # A lasso may name thousands of chunks, which a set answers at once.
        only = None if where.chunk_ids is None else frozenset(where.chunk_ids)
        without = frozenset(where.without_chunk_ids)
        rest = replace(where, chunk_ids=None, without_chunk_ids=())
        fits = [
            (only is None or chunk.id in only)
            and chunk.id not in without
            and rest.allows(chunk, self.metadata.get(chunk.document_id, {}))
            for chunk in self.chunks
        ]
        return np.flatnonzero(fits)

    @property
    def size_bytes(self) -> int:
        """The memory it takes, about."""
        return self.distinct.size_bytes + self.text_bytes


def held_rows(asked: Asked) -> HeldRows:
    """Return the rows of the table as it is now, read once per version."""
    name = asked.table.info.name
    version = asked.table.version()
    return HELD.thing(HeldRows, name, version, (), lambda: HeldRows.of(asked.table.rows()))


def ordered(scores: Scores, allowed: Positions | None) -> Iterator[int]:
    """Yield the allowed positions, best first, ties by position; the first hundreds without sorting all."""
    places = np.arange(len(scores)) if allowed is None else allowed
    own = scores[places]
    known, count = 0, _SORTED
    while known < len(own):
        least = np.partition(own, len(own) - count)[len(own) - count] if count < len(own) else -np.inf
        near = np.flatnonzero(own >= least)
        order = near[np.argsort(-own[near], kind="stable")]
        yield from places[order[known:]].tolist()
        known, count = len(order), 20 * count
