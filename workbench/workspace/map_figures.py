"""What is computed about a map's chunks once and kept: neighbours, density, topics, and how far to trust the picture."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.analysis import DAMAGED
from workbench.contracts import Tick, no_tick
from workbench.errors import ServiceError
from workbench.files import write_atomically, writing
from workbench.projection import Topics, Trust, nearest_others, topics, trust

if TYPE_CHECKING:
    from workbench.workspace.maps import Sample, TableMap

NEIGHBOURS = 10
_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The true nearest others of every chunk of a sample: ``rows`` and their ``cosines``, ``(n, up to 10)``."""

    rows: npt.NDArray[np.int32]
    cosines: npt.NDArray[np.float32]

    @property
    def density(self) -> npt.NDArray[np.float32]:
        """How like its neighbours every chunk is, ``(n,)``: their mean cosine; 0 for a chunk that is alone."""
        if self.cosines.shape[1] == 0:
            return np.zeros(len(self.cosines), np.float32)
        means: npt.NDArray[np.float32] = self.cosines.mean(axis=1, dtype=np.float64).astype(np.float32)
        return means


class MapFigures:
    """Figures of samples and maps in files named by their keys. Safe for several sessions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._computing = threading.Lock()

    def neighbours(self, sample: Sample, tick: Tick = no_tick) -> Neighbours:
        """Return the ten nearest others of every chunk among the sample; some seconds for a large one, once."""
        folder = self._folder / f"neighbours-{sample.key}"
        # One at a time: sessions that open the same map share the work.
        with self._computing:
            try:
                rows = np.load(folder / "rows.npy", allow_pickle=False)
                cosines = np.load(folder / "cosines.npy", allow_pickle=False)
                if len(rows) == len(cosines) == len(sample.chunks) and rows.shape == cosines.shape:
                    return Neighbours(rows, cosines)
            except DAMAGED:
                pass  # not computed yet, or damaged: it is computed now
            rows, cosines = nearest_others(sample.vectors, NEIGHBOURS, tick)
            with suppress(ServiceError), writing(folder):  # a full disk: it is computed again
                folder.mkdir(parents=True, exist_ok=True)
                np.save(folder / "rows.npy", rows)
                np.save(folder / "cosines.npy", cosines)
            return Neighbours(rows, cosines)

    def topics(self, sample: Sample) -> Topics:
        """Return the topic of every chunk of the sample and the topics' names."""
        path = self._folder / f"topics-{sample.key}" / "topics.json"
        with self._computing:
            try:
                kept = json.loads(path.read_text("utf-8"))
                if kept["format"] == _FORMAT and len(kept["numbers"]) == len(sample.chunks):
                    return Topics(np.array(kept["numbers"], np.int64), tuple(kept["labels"]))
            except (*DAMAGED, KeyError, TypeError):
                pass  # not computed yet, or damaged: it is computed now
            found = topics(sample.vectors, [chunk.text for chunk in sample.chunks])
            content = {"format": _FORMAT, "numbers": found.numbers.tolist(), "labels": list(found.labels)}
            with suppress(ServiceError), writing(path.parent):
                write_atomically(path, json.dumps(content).encode())
            return found

    def trust(self, found: TableMap, tick: Tick = no_tick) -> Trust | None:
        """Return how far a map's picture keeps the true neighbourhoods; None for a handful of chunks."""
        path = self._folder / f"trust-{found.key}" / "trust.json"
        with self._computing:
            try:
                return Trust(**json.loads(path.read_text("utf-8")))
            except (*DAMAGED, TypeError):
                pass  # not computed yet, or damaged: it is computed now
            made = trust(found.sample.vectors, found.points, NEIGHBOURS, tick=tick)
            if made is not None:
                with suppress(ServiceError), writing(path.parent):
                    write_atomically(path, json.dumps(asdict(made)).encode())
            return made
