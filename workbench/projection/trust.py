"""How far a picture can be trusted: what it keeps of the true neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.contracts import Tick, no_tick
from workbench.projection.plane import Points
from workbench.records import Vectors

NEIGHBOURS = 10
MOST_ROWS = 2_000
"""Rows that are looked at; each is compared with all others, so the mean over them is not biased."""
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Trust:
    """Two figures from 0 to 1, and of how many rows they are the mean."""

    trustworthiness: float
    """1: whatever lies near on the picture is near in truth. About 0.5 is what chance gives."""
    kept_share: float
    """The share of the true nearest neighbours that are nearest neighbours on the picture, too."""
    neighbours: int
    rows: int


def trust(
    vectors: Vectors, points: Points, k: int = NEIGHBOURS, *, seed: int = 0, tick: Tick = no_tick
) -> Trust | None:
    """Return how well ``points`` keep the ``k`` nearest neighbours of ``vectors``, or None for fewer than 4 rows.

    Trustworthiness of Venna and Kaski (Neighborhood preservation in nonlinear projection methods, 2001):
    ``1 - 2 / (n k (2n - 3k - 1)) · Σ_i Σ_j max(0, r(i, j) - k)`` over the ``k`` rows ``j`` nearest to ``i`` on the
    picture, ``r(i, j)`` the rank of ``j`` among the true neighbours of ``i``. Truth is the cosine; equal ones rank by
    row number. Above 2,000 rows the sum runs over that many drawn by ``seed``. ``k`` is at most ``(n - 1) / 2``,
    beyond which the measure is not defined.
    """
    count = len(vectors)
    k = min(k, (count - 1) // 2)
    if k < 1:
        return None
    rows = np.arange(count)
    if count > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).permutation(count)[:MOST_ROWS])
    penalty, kept = 0, 0
    block = max(1, _BLOCK_CELLS // count)
    for start in range(0, len(rows), block):
        tick(start, len(rows))
        some = rows[start : start + block]
        near = _nearest_on_plane(points, some, k)
        ranks = _ranks(vectors, some, near)
        penalty += int(np.maximum(0, ranks - k).sum())
        kept += int((ranks <= k).sum())
    tick(len(rows), len(rows))
    worst = len(rows) * k * (2 * count - 3 * k - 1) / 2
    return Trust(1 - penalty / worst, kept / (len(rows) * k), k, len(rows))


def _nearest_on_plane(points: Points, rows: npt.NDArray[np.intp], k: int) -> npt.NDArray[np.intp]:
    """Return the ``k`` rows nearest on the picture to each of ``rows``, ``(n, k)``; equal ones by row number."""
    plane = points.astype(np.float64)
    distances = ((plane[rows, None, :] - plane[None, :, :]) ** 2).sum(axis=2)
    distances[np.arange(len(rows)), rows] = np.inf
    nearest: npt.NDArray[np.intp] = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return nearest


def _ranks(
    vectors: Vectors, rows: npt.NDArray[np.intp], others: npt.NDArray[np.intp]
) -> npt.NDArray[np.int64]:
    """Return the rank from 1 of each of ``others`` (``(n, k)``) among the true neighbours of its row."""
    cosines = vectors[rows] @ vectors.T
    cosines[np.arange(len(rows)), rows] = -np.inf
    number = np.arange(len(vectors))
    ranks = np.empty(others.shape, np.int64)
    for column in range(others.shape[1]):
        other = others[:, column]
        own = cosines[np.arange(len(rows)), other][:, None]
        before = (cosines > own) | ((cosines == own) & (number[None, :] < other[:, None]))
        ranks[:, column] = 1 + before.sum(axis=1)
    return ranks
