"""The maps of a workspace: the chunks of a table on a plane, and questions placed among them."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.config import Config
from workbench.contracts import Table, Tick, no_tick
from workbench.files import writing
from workbench.records import Chunk, Vectors, digest

if TYPE_CHECKING:
    from workbench.projection import Projection
    from workbench.workspace.workspace import Workspace

MOST_POINTS = 20_000
"""Larger tables are sampled for the map; hits are never left out."""
FEWEST_FOR_UMAP = 10
HELD = 3
SEED = 0


@dataclass(frozen=True, slots=True)
class MapSettings:
    """How UMAP lays out a map."""

    neighbours: int = 15
    """How many neighbours of a chunk are looked at: few show detail, many the large picture."""
    min_distance: float = 0.1
    """How close points may lie, as a share of the map's scale: 0 packs groups tightly."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The chunks of a table that are drawn, in the table's order, with their vectors."""

    key: str
    """Digest of the table's content: the same rows, the same key."""
    chunks: list[Chunk]
    vectors: Vectors
    total: int
    """Chunks in the table; more than ``chunks`` holds when it was sampled."""
    density: npt.NDArray[np.float32]
    """``(n,)``: how like its nearest neighbours a chunk is; higher is denser."""


@dataclass(frozen=True, slots=True, eq=False)
class TableMap:
    """A sample on the plane."""

    sample: Sample
    projection: Projection
    method: str
    """``pca`` or ``umap``."""
    key: str

    @property
    def points(self) -> npt.NDArray[np.float32]:
        """``(n, 2)``, one row per chunk of the sample."""
        return self.projection.points


class Maps:
    """All maps of one workspace, kept under ``maps/`` by what they were made from."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._held: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    def sample(self, config: Config) -> Sample:
        """Return the chunks of a config's table that its map shows; the same ones while the table stays as it is.

        Raises ``InputError`` when the table is not built.
        """
        from workbench.projection import neighbour_density, sample_rows

        table = self._workspace.tables.table(config)
        key = _content_key(table)
        with self._reading:
            found = self._from_memory(f"sample {key}")
            if found is None:
                chunks = table.chunks()
                total = len(chunks)
                rows = sample_rows(total, MOST_POINTS, SEED)
                chunks = [chunks[i] for i in rows]
                if len(chunks) == total:
                    ids, vectors = table.vectors()
                else:
                    ids, vectors = table.vectors([chunk.id for chunk in chunks])
                # A build may have replaced documents between the two reads.
                place = {chunk_id: i for i, chunk_id in enumerate(ids)}
                chunks = [chunk for chunk in chunks if chunk.id in place]
                vectors = vectors[[place[chunk.id] for chunk in chunks]]
                found = Sample(key, chunks, vectors, total, neighbour_density(vectors))
                self._hold(f"sample {key}", found)
        sample: Sample = found
        return sample

    def quick(self, sample: Sample) -> TableMap:
        """Return the map by PCA, which takes a moment only."""
        from workbench.projection import pca_projection

        key = digest(["map", sample.key, "pca"])
        found = self._from_memory(key)
        if found is None:
            found = TableMap(sample, pca_projection(sample.vectors), "pca", key)
            self._hold(key, found)
        quick: TableMap = found
        return quick

    def key(self, sample: Sample, settings: MapSettings) -> str:
        """Return the name of a UMAP map: everything that decides where its points lie."""
        return digest(["map", sample.key, "umap", SEED, settings.neighbours, settings.min_distance])

    def finished(self, sample: Sample, settings: MapSettings) -> TableMap | None:
        """Return the map by UMAP, or None when it was not computed yet."""
        from workbench.projection import load_projection

        key = self.key(sample, settings)
        found = self._from_memory(key)
        if found is None:
            self._prepare()
            projection = load_projection(self._folder(key))
            if projection is None or len(projection.points) != len(sample.chunks):
                return None
            found = TableMap(sample, projection, "umap", key)
            self._hold(key, found)
        finished: TableMap = found
        return finished

    def compute(self, sample: Sample, settings: MapSettings, tick: Tick = no_tick) -> TableMap:
        """Compute the map by UMAP and keep it; ``tick`` may raise ``Cancelled``."""
        from workbench.projection import save_projection, umap_projection

        self._prepare()
        tick(0, 1)
        projection = umap_projection(
            sample.vectors, settings.neighbours, settings.min_distance, seed=SEED, tick=tick
        )
        key = self.key(sample, settings)
        with writing(self._folder(key)):
            save_projection(projection, self._folder(key))
        made = TableMap(sample, projection, "umap", key)
        self._hold(key, made)
        return made

    def placed(self, found: TableMap, vectors: Vectors) -> npt.NDArray[np.float32]:
        """Return where other vectors lie on the map: ``(n, 2)``."""
        return found.projection.transform(vectors)

    def placed_chunks(
        self, config: Config, found: TableMap, chunk_ids: Sequence[str]
    ) -> npt.NDArray[np.float32]:
        """Return where chunks of the table lie, ``(n, 2)``: those of the sample at their point, others placed."""
        place = {chunk.id: i for i, chunk in enumerate(found.sample.chunks)}
        missing = [chunk_id for chunk_id in chunk_ids if chunk_id not in place]
        where = {chunk_id: found.points[i] for chunk_id, i in place.items() if chunk_id in set(chunk_ids)}
        if missing:
            ids, vectors = self._workspace.tables.table(config).vectors(missing)
            where.update(zip(ids, self.placed(found, vectors), strict=True))
        nowhere = np.full(2, np.nan, np.float32)
        return np.array([where.get(chunk_id, nowhere) for chunk_id in chunk_ids], np.float32).reshape(-1, 2)

    def _folder(self, key: str) -> Path:
        return self._workspace.folder / "maps" / key

    def _prepare(self) -> None:
        # numba compiles UMAP for half a minute at its first use and keeps the result, where it may write.
        os.environ.setdefault("NUMBA_CACHE_DIR", str(self._workspace.folder / "maps" / "compiled"))

    def _from_memory(self, key: str) -> Any:
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def _hold(self, key: str, value: Any) -> None:
        with self._lock:
            self._held[key] = value
            self._held.move_to_end(key)
            while len(self._held) > 3 * HELD:
                self._held.popitem(last=False)


def _content_key(table: Table) -> str:
    # The row count tells apart a table under construction, whose states are of whole documents.
    return digest([table.info.about.get("model_id", ""), table.states(), table.row_count()])
