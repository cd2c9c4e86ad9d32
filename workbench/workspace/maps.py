"""The maps of a workspace: the chunks of a table on a plane, and questions placed among them."""

from __future__ import annotations

import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from workbench.config import Config
from workbench.contracts import Table, Tick, no_tick
from workbench.files import touch, writing
from workbench.projection import (
    Points,
    Projection,
    load_projection,
    pca_projection,
    sample_rows,
    save_projection,
    umap_projection,
)
from workbench.records import Chunk, Vectors, digest
from workbench.workspace.map_figures import MapFigures

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

T = TypeVar("T")

MOST_POINTS = 20_000
"""Larger tables are sampled for the map; hits are never left out."""
SEED = 0
HELD = 8
HELD_CONTENTS = 256
KEPT_ON_DISK = 24
"""The map of a large table takes 30 MB, and every change of a table makes another."""


@dataclass(frozen=True, slots=True)
class MapSettings:
    """How UMAP lays out a map."""

    neighbours: int = 15
    """How many neighbours of a chunk are looked at: few show detail, many the large picture."""
    min_distance: float = 0.1
    """How close points may lie: 0 packs groups tightly."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The chunks of a table that are drawn, in the table's order, with their vectors."""

    key: str
    """Digest of the table's content: the same rows, the same key."""
    chunks: list[Chunk]
    vectors: Vectors
    total: int
    """Chunks in the table; more than ``chunks`` holds when it was sampled."""


@dataclass(frozen=True, slots=True, eq=False)
class TableMap:
    """A sample on the plane; ``key`` names the layout."""

    key: str
    sample: Sample
    projection: Projection

    @property
    def method(self) -> str:
        """``pca`` or ``umap``."""
        return self.projection.method

    @property
    def points(self) -> Points:
        """``(n, 2)``, one row per chunk of the sample."""
        return self.projection.points


class Maps:
    """All maps of one workspace, kept under ``maps/`` by what they were made from; a few stay in memory."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / "maps"
        self._samples = _Newest[Sample](HELD)
        self._maps = _Newest[TableMap](HELD)
        self._contents = _Newest[str](HELD_CONTENTS)
        self._reading = threading.Lock()
        self.figures = MapFigures(self._folder)

    def sample(self, config: Config) -> Sample:
        """Return the chunks of a config's table that its map shows; the same ones while the table stays as it is.

        Raises ``InputError`` when the table is not built.
        """
        table = self._workspace.tables.table(config)
        key = self._content_key(table)
        # One reader: sessions that open the same large table at once share the work.
        with self._reading:
            found = self._samples.get(key)
            if found is None:
                found = _read(table, key)
                # A build that ran meanwhile has changed the rows: they are shown now and not kept.
                if self._content_key(table) == key:
                    self._samples.put(key, found)
            return found

    def _content_key(self, table: Table) -> str:
        version = table.version()
        # A state is the key of everything that decides a document's rows, the model included.
        content = self._contents.get(version) or self._contents.put(version, digest(table.states()))
        return digest(["sample", MOST_POINTS, SEED, content])

    def quick(self, sample: Sample) -> TableMap:
        """Return the map by PCA, which takes a moment only."""
        key = digest(["map", sample.key, "pca"])
        return self._maps.get(key) or self._maps.put(
            key, TableMap(key, sample, pca_projection(sample.vectors))
        )

    def key(self, sample: Sample, settings: MapSettings) -> str:
        """Return the name of a UMAP map: everything that decides where its points lie."""
        return digest(["map", sample.key, "umap", SEED, settings.neighbours, settings.min_distance])

    def finished(self, sample: Sample, settings: MapSettings) -> TableMap | None:
        """Return the map by UMAP, or None when it was not computed yet."""
        key = self.key(sample, settings)
        found = self._maps.get(key)
        if found is None:
            projection = load_projection(self._folder / key)
            if projection is None or len(projection.points) != len(sample.chunks):
                return None
            touch(self._folder / key / "projection.json")
            found = self._maps.put(key, _map(key, sample, projection))
        return found

    def compute(self, sample: Sample, settings: MapSettings, tick: Tick = no_tick) -> TableMap:
        """Compute the map by UMAP and keep it; ``tick`` counts percent and may raise ``Cancelled``.

        Where too few chunks differ for UMAP, the map is by PCA.
        """
        # Read when numba is imported, so it has to stand before UMAP's first use in this process.
        os.environ.setdefault("NUMBA_CACHE_DIR", str(self._folder / "compiled"))
        tick(0, 100)
        projection = umap_projection(
            sample.vectors, settings.neighbours, settings.min_distance, seed=SEED, tick=tick
        )
        key = self.key(sample, settings)
        with writing(self._folder):
            save_projection(projection, self._folder / key)
            self._drop_oldest()
        return self._maps.put(key, _map(key, sample, projection))

    def placed(self, found: TableMap, vectors: Vectors) -> Points:
        """Return where other vectors lie on the map: ``(n, 2)``."""
        return found.projection.transform(vectors)

    def placed_chunks(self, config: Config, found: TableMap, chunk_ids: Sequence[str]) -> Points:
        """Return where chunks of the table lie, ``(n, 2)``, whether they are in the sample or not.

        A chunk that left the table meanwhile is placed in the middle.
        """
        ids, vectors = self._workspace.tables.table(config).vectors(list(chunk_ids))
        place = dict(zip(ids, self.placed(found, vectors), strict=True))
        middle = found.points.mean(axis=0) if len(found.points) else np.zeros(2, np.float32)
        return np.array([place.get(chunk_id, middle) for chunk_id in chunk_ids], np.float32).reshape(-1, 2)

    def _drop_oldest(self) -> None:
        kept = [path for path in self._folder.iterdir() if path.is_dir() and path.name != "compiled"]
        kept.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[KEPT_ON_DISK:]:
            shutil.rmtree(path, ignore_errors=True)


class _Newest(Generic[T]):
    """The values that were used last, up to a number; safe for several sessions."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: str, value: T) -> T:
        with self._lock:
            self._held[key] = value
            self._held.move_to_end(key)
            while len(self._held) > self._count:
                self._held.popitem(last=False)
        return value


def _read(table: Table, key: str) -> Sample:
    rows, total = table.drawn(lambda count: sample_rows(count, MOST_POINTS, SEED))
    return Sample(key, list(rows.chunks), rows.vectors, total)


def _map(key: str, sample: Sample, projection: Projection) -> TableMap:
    if projection.method == "umap":
        # The same numbers as in the sample: held once.
        projection = replace(projection, basis=sample.vectors)
    return TableMap(key, sample, projection)
