"""Points on a plane, where further vectors would lie among them, and their files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.analysis import DAMAGED
from workbench.records import Vectors

Points = npt.NDArray[np.float32]
"""``(n, 2) float32``."""

_FORMAT = 1
_PLACED_BY = 5
"""How many neighbours decide where a vector is placed on a map that has no formula."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Vectors laid out on a plane. ``method`` is ``pca`` or ``umap``.

    ``basis`` says how others are placed: for PCA the mean and the two axes, ``(3, dim)``; for UMAP the vectors of
    the points themselves, ``(n, dim)``.
    """

    method: str
    points: Points
    basis: Vectors

    def transform(self, vectors: Vectors) -> Points:
        """Return where other vectors lie on this map, ``(m, 2)``.

        Exact for PCA. On a UMAP map a vector is placed among the points of its five nearest rows, weighted by the
        inverse of their cosine distance; a row of the map falls on its own point. UMAP's own transform is not
        used: its first call compiles for minutes, and it could only be kept by pickling code.
        """
        asked = np.asarray(vectors, np.float32).reshape(-1, self.basis.shape[1] if self.basis.size else 1)
        if len(self.points) == 0 or len(asked) == 0:
            return np.zeros((len(asked), 2), np.float32)
        if self.method == "pca":
            return _projected(asked, self.basis)
        return np.concatenate([self._placed(row) for row in asked])

    def _placed(self, vector: Vectors) -> Points:
        cosines = self.basis @ vector
        k = min(_PLACED_BY, len(cosines))
        near = np.argpartition(cosines, len(cosines) - k)[len(cosines) - k :]
        weights = 1 / np.maximum(1 - cosines[near].astype(np.float64), 1e-6)
        placed = np.average(self.points[near], axis=0, weights=weights)
        point: Points = placed.astype(np.float32).reshape(1, 2)
        return point


def pca_projection(vectors: Vectors) -> Projection:
    """Return the two directions of largest variance, for any number of rows.

    The sign of a direction is chosen so that its largest component is positive: the same vectors give the same
    picture. Rows that are all equal lie at (0, 0).
    """
    rows = np.asarray(vectors, np.float64)
    count, dimension = rows.shape
    mean = rows.mean(axis=0) if count else np.zeros(dimension)
    centred = rows - mean
    _, axes = np.linalg.eigh(centred.T @ centred)
    basis = np.zeros((3, dimension))
    basis[0] = mean
    for i, axis in enumerate(axes.T[::-1][:2], start=1):
        basis[i] = axis * (-1 if axis[np.argmax(np.abs(axis))] < 0 else 1)
    kept = basis.astype(np.float32)
    return Projection("pca", _projected(np.asarray(vectors, np.float32), kept), kept)


def _projected(vectors: Vectors, basis: Vectors) -> Points:
    # In double precision: rows that are equal must not be told apart by rounding.
    mean, axes = basis[0].astype(np.float64), basis[1:].astype(np.float64)
    points: Points = ((vectors.astype(np.float64) - mean) @ axes.T).astype(np.float32)
    return points


def sample_rows(count: int, limit: int = 20_000, seed: int = 0, keep: Iterable[int] = ()) -> list[int]:
    """Return up to ``limit`` of ``count`` row numbers in order, drawn by ``seed``; those in ``keep`` always.

    >>> sample_rows(4, 10)
    [0, 1, 2, 3]
    >>> set(sample_rows(1_000, 5, keep=[7, 8])) >= {7, 8}
    True
    """
    kept = {row for row in keep if 0 <= row < count}
    if count <= limit:
        return list(range(count))
    drawn = np.random.default_rng(seed).permutation(count)[: limit + len(kept)].tolist()
    others = (row for row in drawn if row not in kept)
    return sorted(kept.union(row for row, _ in zip(others, range(max(0, limit - len(kept))), strict=False)))


def save_projection(projection: Projection, folder: Path) -> None:
    """Keep it in ``folder``; what says that it is complete is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "points.npy", projection.points)
    np.save(folder / "basis.npy", projection.basis)
    partial = folder / "projection.json.partial"
    partial.write_text(json.dumps({"format": _FORMAT, "method": projection.method}), encoding="utf-8")
    os.replace(partial, folder / "projection.json")


def load_projection(folder: Path) -> Projection | None:
    """Return what ``save_projection`` kept, or None where there is nothing whole of this format."""
    try:
        about = json.loads((folder / "projection.json").read_text(encoding="utf-8"))
        points: Points = np.load(folder / "points.npy", allow_pickle=False)
        basis: Vectors = np.load(folder / "basis.npy", allow_pickle=False)
        method = about["method"] if about["format"] == _FORMAT else ""
    except (*DAMAGED, KeyError, TypeError):
        return None
    fits = points.ndim == 2 and points.shape[1] == 2 and basis.ndim == 2
    rows = {"pca": 3, "umap": len(points)}.get(method)
    return Projection(method, points, basis) if fits and len(basis) == rows else None
