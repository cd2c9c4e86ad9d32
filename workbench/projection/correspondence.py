"""The same passages under two cuts, and how much their true neighbours changed between two tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.contracts import ChunkPlace
from workbench.projection.plane import Points
from workbench.records import Chunk

Rows = npt.NDArray[np.int64]
NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Correspondence:
    """Which chunks of two lists share text.

    ``pairs``: ``(n, 2) int64`` row in the first list, row in the second; ``shared``: ``(n,) int64`` characters in
    both. ``forth`` and ``back`` name, for every row, the row of the other list with which it shares most (the earlier
    one where two share as much), or -1.
    """

    pairs: Rows
    shared: Rows
    forth: Rows
    back: Rows


def correspondence(
    first: Sequence[Chunk | ChunkPlace], second: Sequence[Chunk | ChunkPlace]
) -> Correspondence:
    """Return which chunks share text. Each list's chunks of one document stand in the order of their starts."""
    by_document: dict[str, tuple[list[int], list[int], list[int]]] = {}
    for row, chunk in enumerate(second):
        rows, starts, ends = by_document.setdefault(chunk.document_id, ([], [], []))
        rows.append(row)
        starts.append(chunk.start)
        ends.append(chunk.end)
    arrays = {
        key: tuple(np.array(values, np.int64) for values in found) for key, found in by_document.items()
    }
    pairs: list[tuple[int, int]] = []
    shared: list[int] = []
    for row, chunk in enumerate(first):
        if chunk.document_id not in arrays:
            continue
        rows_there, starts_there, ends_there = arrays[chunk.document_id]
        # Chunkers yield ranges that increase in start and in end: those that touch stand together.
        low = int(np.searchsorted(ends_there, chunk.start, side="right"))
        high = int(np.searchsorted(starts_there, chunk.end, side="left"))
        for i in range(low, high):
            pairs.append((row, int(rows_there[i])))
            shared.append(int(min(chunk.end, ends_there[i]) - max(chunk.start, starts_there[i])))
    pair_rows = np.array(pairs, np.int64).reshape(-1, 2)
    widths = np.array(shared, np.int64)
    return Correspondence(
        pair_rows,
        widths,
        _most_shared(pair_rows[:, 0], pair_rows[:, 1], widths, len(first)),
        _most_shared(pair_rows[:, 1], pair_rows[:, 0], widths, len(second)),
    )


def _most_shared(own: Rows, other: Rows, shared: Rows, count: int) -> Rows:
    best = np.full(count, NONE, np.int64)
    # The last write wins: the widest, and among equals the earliest, is written last.
    order = np.lexsort((-other, shared))
    best[own[order]] = other[order]
    return best


def kept_neighbours(
    near: npt.NDArray[np.int32], near_there: npt.NDArray[np.int32], forth: Rows, back: Rows
) -> npt.NDArray[np.float32]:
    """Return, per row, the share of its true nearest neighbours that are still neighbours in the other table, ``(n,)``.

    ``near`` and ``near_there`` hold the nearest others of every row of each table; ``forth`` and ``back`` are a
    ``Correspondence``'s. A neighbour is kept when its passage is among the neighbours of the row's passage there,
    however it is cut there, or has become one chunk with it. A row without a counterpart is NaN.
    """
    kept = np.full(len(near), np.nan, np.float32)
    for row, neighbours in enumerate(near):
        there = int(forth[row])
        if there == NONE or len(neighbours) == 0:
            continue
        around = {there, *near_there[there].tolist()}
        reached = {int(back[other]) for other in around}
        found = sum(int(forth[n]) in around or int(n) in reached for n in neighbours)
        kept[row] = found / len(neighbours)
    return kept


def starting_points(points: Points, found: Correspondence, count: int, seed: int = 0) -> Points:
    """Return where the second list's passages lie on the first list's map, ``(count, 2)``.

    The mean of the points it shares text with, weighted by the shared characters; a chunk that shares none starts
    near the middle, at a place drawn by ``seed``.
    """
    rng = np.random.default_rng(seed)
    plane = points.astype(np.float64)
    middle = plane.mean(axis=0) if len(plane) else np.zeros(2)
    spread = plane.std(axis=0) if len(plane) else np.ones(2)
    sums = np.zeros((count, 2))
    weights = np.zeros(count)
    np.add.at(sums, found.pairs[:, 1], plane[found.pairs[:, 0]] * found.shared[:, None])
    np.add.at(weights, found.pairs[:, 1], found.shared)
    placed = middle + rng.normal(size=(count, 2)) * spread * 0.1
    known = weights > 0
    placed[known] = sums[known] / weights[known, None]
    result: Points = placed.astype(np.float32)
    return result
