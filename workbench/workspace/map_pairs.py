"""Two tables on aligned axes: the second map begins where the same text lies on the first and is turned onto it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.config import Config
from workbench.contracts import Tick, no_tick
from workbench.files import writing
from workbench.projection import (
    Correspondence,
    correspondence,
    kept_neighbours,
    load_projection,
    save_projection,
    starting_points,
    turned_onto,
    umap_projection,
)
from workbench.records import digest
from workbench.workspace.map_figures import Neighbours
from workbench.workspace.maps import MOST_POINTS, SEED, MapSettings, Sample, TableMap

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

FIRST_SHARE = 50
"""Percent of the work that the first map is taken to be; nothing when it is there."""


@dataclass(frozen=True, slots=True, eq=False)
class PairSample:
    """The chunks of two tables that are drawn together, and which of them share text."""

    key: str
    first: Sample
    second: Sample
    found: Correspondence


@dataclass(frozen=True, eq=False)
class MapPair:
    """Two maps whose axes agree as far as they can, with the true neighbours of every chunk."""

    sample: PairSample
    first: TableMap
    second: TableMap
    neighbours: tuple[Neighbours, Neighbours]

    @cached_property
    def changed(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """For each map ``(n,)``: the share of a chunk's true neighbours that are others in the other table.

        A chunk whose text the other table lacks is NaN.
        """
        found = self.sample.found
        here, there = (neighbours.rows for neighbours in self.neighbours)
        return (
            1 - kept_neighbours(here, there, found.forth, found.back),
            1 - kept_neighbours(there, here, found.back, found.forth),
        )


class MapPairs:
    """Pairs of maps of one workspace, kept like single ones, by what they were made from."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / "maps"

    def sample(self, first: Config, second: Config) -> PairSample:
        """Return what a pair of maps shows. Raises ``InputError`` when a table is not built.

        Above 20,000 chunks the larger table is sampled, and of the other one the chunks are taken that share most
        text with those: two samples drawn apart would have few neighbours in common.
        """
        maps = self._workspace.maps
        one, other = maps.sample(first), maps.sample(second)
        if max(one.total, other.total) > MOST_POINTS:
            if one.total >= other.total:
                other = self._like(one, second, other)
            else:
                one = self._like(other, first, one)
        found = correspondence(one.chunks, other.chunks)
        return PairSample(digest(["pair", one.key, other.key]), one, other, found)

    def _like(self, drawn: Sample, config: Config, own: Sample) -> Sample:
        """Return the chunks of a config's table that share most text with those that are drawn of another."""
        table = self._workspace.tables.table(config)
        places = table.places()
        rows = np.unique(correspondence(drawn.chunks, places).forth)
        wanted = rows[rows >= 0].tolist()
        found, total = table.drawn(lambda count: [row for row in wanted if row < count])
        # A build may have moved rows between the two reads.
        same = [
            i
            for i, (chunk, row) in enumerate(zip(found.chunks, wanted, strict=False))
            if places[row] == (chunk.document_id, chunk.start, chunk.end)
        ]
        key = digest(["sample like", own.key, drawn.key])
        return Sample(key, [found.chunks[i] for i in same], found.vectors[same], total)

    def key(self, sample: PairSample, settings: MapSettings) -> str:
        """Return the name of the second map: everything that decides where its points lie."""
        first = self._workspace.maps.key(sample.first, settings)
        return digest(["aligned", first, sample.second.key, SEED])

    def finished(self, sample: PairSample, settings: MapSettings) -> MapPair | None:
        """Return the pair, or None when it was not computed yet."""
        first = self._workspace.maps.finished(sample.first, settings)
        key = self.key(sample, settings)
        projection = load_projection(self._folder / key)
        if first is None or projection is None or len(projection.points) != len(sample.second.chunks):
            return None
        if projection.method == "umap":
            # The same numbers as in the sample: held once.
            projection = replace(projection, basis=sample.second.vectors)
        return self._pair(sample, first, TableMap(key, sample.second, projection))

    def compute(self, sample: PairSample, settings: MapSettings, tick: Tick = no_tick) -> MapPair:
        """Compute the pair and keep it; ``tick`` counts percent and may raise ``Cancelled``."""
        maps = self._workspace.maps
        os.environ.setdefault("NUMBA_CACHE_DIR", str(self._folder / "compiled"))
        first = maps.finished(sample.first, settings) or maps.compute(
            sample.first, settings, lambda done, total: tick(FIRST_SHARE * done // max(1, total), 100)
        )

        def rest(done: int, total: int) -> None:
            tick(FIRST_SHARE + (100 - FIRST_SHARE) * done // max(1, total), 100)

        found, count = sample.found, len(sample.second.chunks)
        begun = starting_points(first.points, found, count, SEED)
        made = umap_projection(
            sample.second.vectors,
            settings.neighbours,
            settings.min_distance,
            seed=SEED,
            start=begun,
            tick=rest,
        )
        shared = np.flatnonzero(found.back >= 0)
        projection = turned_onto(made, shared, begun[shared])
        key = self.key(sample, settings)
        with writing(self._folder):
            save_projection(projection, self._folder / key)
        return self._pair(sample, first, TableMap(key, sample.second, projection))

    def _pair(self, sample: PairSample, first: TableMap, second: TableMap) -> MapPair:
        figures = self._workspace.maps.figures
        return MapPair(
            sample, first, second, (figures.neighbours(sample.first), figures.neighbours(sample.second))
        )


def counterparts(sample: PairSample, side: int, rows: Sequence[int]) -> list[int]:
    """Return the rows of the other map that share text with ``rows`` of map ``side`` (0 or 1), in order."""
    wanted = set(rows)
    pairs = sample.found.pairs.tolist()
    return sorted({int(pair[1 - side]) for pair in pairs if pair[side] in wanted})
