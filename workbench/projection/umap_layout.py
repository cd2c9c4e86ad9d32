"""UMAP to two dimensions: seeded, on exact neighbours, with progress, and compiled once per machine."""

from __future__ import annotations

import importlib
import io
import os
import threading
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.contracts import Tick, no_tick
from workbench.errors import ServiceError
from workbench.packages import load
from workbench.projection.neighbours import nearest_others
from workbench.projection.plane import Points, Projection, pca_projection
from workbench.records import Vectors

FEWEST_FOR_UMAP = 15
"""With fewer different rows the neighbourhoods that UMAP lays out do not exist: PCA is used."""
_NEIGHBOURS_SHARE = 20
_ONE_FIT = threading.Lock()
"""Two fits at once would end the process: numba's plain threading layer refuses concurrent parallel calls."""


def umap_projection(
    vectors: Vectors,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    *,
    seed: int = 0,
    n_epochs: int = 100,
    start: Points | None = None,
    tick: Tick = no_tick,
) -> Projection:
    """Return the vectors laid out by UMAP; the same arguments give the same points, bit for bit.

    100 epochs keep neighbourhoods as well as UMAP's own 200 to 500 do (trustworthiness .993), in a quarter of the
    time. ``start``, ``(n, 2)``, is where the points begin instead of UMAP's own beginning. ``tick`` counts percent and may raise ``Cancelled``; nothing stops the import and the compiling in
    between, half a minute at their first time on a machine. PCA is returned for fewer than 15 different rows.

    McInnes, Healy, Melville: UMAP: Uniform Manifold Approximation and Projection (2018).
    """
    if len({row.tobytes() for row in vectors}) < FEWEST_FOR_UMAP:
        return pca_projection(vectors)
    count = len(vectors)
    k = max(2, min(n_neighbors, count - 1))

    def share(done: int, total: int) -> None:
        tick(_NEIGHBOURS_SHARE * done // total, 100)

    rows, cosines = nearest_others(vectors, k - 1, share)
    # UMAP counts a row as its own first neighbour.
    rows = np.hstack([np.arange(count, dtype=np.int32)[:, None], rows])
    distances = np.hstack([np.zeros((count, 1), np.float32), np.maximum(0, 1 - cosines)])
    with _ONE_FIT:
        tick(_NEIGHBOURS_SHARE, 100)
        # The import alone compiles and keeps code, too.
        try:
            fitted = _umap().UMAP(
                n_neighbors=k,
                min_dist=min_dist,
                n_epochs=n_epochs,
                init="spectral" if start is None else start,
                metric="cosine",
                random_state=seed,
                n_jobs=1,
                # Exact neighbours spare the compiling of the approximate search, the longest part of a first fit.
                precomputed_knn=(rows, distances, None),
                force_approximation_algorithm=True,
                tqdm_kwds=_epochs_to(tick, n_epochs),
            )
            points = fitted.fit_transform(vectors)
        except OSError as error:
            raise ServiceError(
                f"the UMAP map could not be computed, since compiled code could not be kept: {error}; "
                "free some space on the disk and try again"
            ) from error
    tick(100, 100)
    return Projection("umap", np.ascontiguousarray(points, np.float32), np.asarray(vectors, np.float32))


def warm_up(cache_folder: Path) -> None:
    """Import and compile UMAP ahead of its first use, keeping what was compiled in ``cache_folder``.

    Call it in the background before numba is imported, which reads the place of its cache only then.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder))
    made = np.random.default_rng(0).normal(size=(64, 8))
    umap_projection((made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32), n_epochs=2)


@cache
def _umap() -> Any:
    umap = load("umap", "umap-learn", "The UMAP map")
    dispatcher = load("numba.core.dispatcher", "numba", "The UMAP map")
    # It warns that its own transform will not work; Projection.transform does not need it.
    warnings.filterwarnings("ignore", message="precomputed_knn", module="umap")
    # UMAP leaves most functions out of numba's cache: every process would compile for 16 s; this way, once.
    for name in ("umap_", "layouts", "distances", "utils", "spectral"):
        for function in vars(importlib.import_module(f"umap.{name}")).values():
            if isinstance(function, dispatcher.Dispatcher):
                # Refused where nothing may be written: then every process compiles, as it did before.
                with suppress(RuntimeError):
                    function.enable_caching()
    return umap


def _epochs_to(tick: Tick, n_epochs: int) -> dict[str, Any]:
    """Return settings of UMAP's progress bar that turn every epoch into a tick, the one way to stop between two."""
    return {
        "file": io.StringIO(),
        "disable": False,
        "bar_format": "{n_fmt}",
        "mininterval": _EpochTicks(tick, n_epochs),
        "miniters": 1,
    }


class _EpochTicks(float):
    """The least time between two drawings of the bar: compared after every epoch, and never over.

    Not the file that the bar is written to: what is raised there leaves the bar's lock, one for the whole program,
    taken for ever.
    """

    def __new__(cls, tick: Tick, n_epochs: int) -> _EpochTicks:
        return super().__new__(cls, 0.0)

    def __init__(self, tick: Tick, n_epochs: int) -> None:
        self._tick, self._n_epochs = tick, max(1, n_epochs)
        self._done = 0

    def __le__(self, seconds: float) -> bool:
        self._done += 1
        done = min(self._done, self._n_epochs)
        self._tick(_NEIGHBOURS_SHARE + (100 - _NEIGHBOURS_SHARE) * done // self._n_epochs, 100)
        return False
