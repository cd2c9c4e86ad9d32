"""Exact search in memory: the vectors of one version of a table, kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.contracts import Filter
from workbench.records import Vectors
from workbench.stores._rows import cosines

_FLOAT32_SLACK = 1e-5
"""More than a float32 product of unit vectors can be off; candidates within it are scored again."""


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """All rows of one version of a table, ordered by document id and ordinal, so that position breaks ties."""

    row_ids: npt.NDArray[np.uint64]
    documents: dict[str, tuple[int, int]]
    """Document id → the half-open range of its rows."""
    page_starts: npt.NDArray[np.int32]
    page_ends: npt.NDArray[np.int32]
    vectors: Vectors
    metadata: Mapping[str, Mapping[str, str]]
    """Document id → metadata, for documents that have any."""
    chunk_ids: npt.NDArray[np.bytes_]
    """``(n,)``, UTF-8: a quarter of the space of text."""

    def nearest(
        self, vector: Vectors, k: int, where: Filter | None = None
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        """Return the positions of the ``k`` best rows and their cosines, best first, ties by position."""
        rows = None if where is None else self._allowed(where)
        count = len(self.vectors) if rows is None else len(rows)
        if k <= 0 or count == 0:
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        # Row by row: a matrix product wakes threads that wait for each other, ten times slower on a busy machine.
        if rows is None:
            rough = np.vecdot(self.vectors, vector)
        elif count * 4 < len(self.vectors):
            rough = np.vecdot(self.vectors[rows], vector)
        else:
            rough = np.vecdot(self.vectors, vector)[rows]
        candidates = np.arange(count)
        if k < count:
            least = np.partition(rough, count - k)[count - k]
            candidates = np.flatnonzero(rough >= least - _FLOAT32_SLACK)
        positions = candidates if rows is None else rows[candidates]
        scores = cosines(self.vectors[positions], vector)
        best = np.argsort(-scores, kind="stable")[:k]
        return positions[best], scores[best]

    def _allowed(self, where: Filter) -> npt.NDArray[np.intp]:
        if where.document_ids is None and not where.metadata:
            rows = np.arange(len(self.vectors))
        else:
            ids = self.documents if where.document_ids is None else set(where.document_ids)
            ranges = sorted(self.documents[d] for d in ids if d in self.documents and self._fits(d, where))
            rows = np.concatenate([np.zeros(0, np.intp), *(np.arange(start, end) for start, end in ranges)])
        if where.pages is not None:
            first, last = where.pages
            rows = rows[(self.page_starts[rows] <= last) & (self.page_ends[rows] >= first)]
        if where.chunk_ids is not None:
            rows = rows[np.isin(self.chunk_ids[rows], _encoded(where.chunk_ids))]
        if where.without_chunk_ids:
            rows = rows[~np.isin(self.chunk_ids[rows], _encoded(where.without_chunk_ids))]
        return rows

    def _fits(self, document_id: str, where: Filter) -> bool:
        own = self.metadata.get(document_id, {})
        return all(own.get(key) == value for key, value in where.metadata)

    @property
    def size_bytes(self) -> int:
        """The space that keeping it takes."""
        arrays = (self.vectors, self.row_ids, self.page_starts, self.page_ends, self.chunk_ids)
        return sum(array.nbytes for array in arrays)


def _encoded(chunk_ids: Sequence[str]) -> npt.NDArray[np.bytes_]:
    return np.array([chunk_id.encode("utf-8", "surrogatepass") for chunk_id in chunk_ids], np.bytes_)


class MatrixCache:
    """Matrices by key, the least used given up first. A key holds the table's version, so none can be stale."""

    def __init__(self) -> None:
        self._held: OrderedDict[Hashable, Matrix] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[Hashable, threading.Lock] = {}

    def matrix(
        self, table: Hashable, version: Hashable, size_bytes: int, load: Callable[[], Matrix]
    ) -> Matrix:
        """Return the matrix of this version, loaded once; other versions of the table are given up.

        ``size_bytes`` bounds the sum of what is kept; a larger single matrix is returned and not kept.
        """
        key = (table, version)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            with self._lock:
                if key in self._held:
                    return self._held[key]
            try:
                found = load()
            finally:
                with self._lock:
                    self._loading.pop(key, None)
            with self._lock:
                for old in [held for held in self._held if isinstance(held, tuple) and held[0] == table]:
                    del self._held[old]
                self._held[key] = found
                while sum(matrix.size_bytes for matrix in self._held.values()) > size_bytes:
                    self._held.popitem(last=False)
        return found
