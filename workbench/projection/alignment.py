"""One map turned onto another, so that what is the same text lies at the same place as far as it can."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.projection.plane import Points, Projection
from workbench.records import Vectors


def turned_onto(projection: Projection, rows: npt.NDArray[np.int64], targets: Points) -> Projection:
    """Return the map moved, turned, mirrored and scaled as a whole so that ``rows`` come closest to ``targets``.

    Distances within the map keep their proportions. Ordinary Procrustes analysis (Gower: Generalized Procrustes
    analysis, 1975). Unchanged where fewer than two places differ.
    """
    plane = projection.points.astype(np.float64)
    own, wanted = plane[rows], targets.astype(np.float64)
    if len(rows) < 2:
        return projection
    own_middle, wanted_middle = own.mean(axis=0), wanted.mean(axis=0)
    centred, aim = own - own_middle, wanted - wanted_middle
    size = float((centred**2).sum())
    left, strengths, right = np.linalg.svd(centred.T @ aim)
    scale = float(strengths.sum()) / size if size > 0 else 0.0
    if scale <= 0:
        return projection
    turn = scale * (left @ right)
    shift = wanted_middle - own_middle @ turn
    points: Points = (plane @ turn + shift).astype(np.float32)
    basis = projection.basis
    if projection.method == "pca":
        basis = _turned_basis(basis, turn, shift)
    return Projection(projection.method, points, basis)


def _turned_basis(basis: Vectors, turn: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> Vectors:
    """Return the mean and axes that place further vectors on the turned map: the shift goes into the mean."""
    mean, axes = basis[0].astype(np.float64), basis[1:].astype(np.float64)
    turned = turn.T @ axes
    result: Vectors = np.vstack([mean - np.linalg.pinv(turned) @ shift, turned]).astype(np.float32)
    return result
