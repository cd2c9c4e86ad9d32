"""A place to keep vectors in, which says what was computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.contracts import Compute, Tick, no_tick
from workbench.records import Vectors


class Kept:
    """Keeps vectors in memory; ``computed`` counts them."""

    def __init__(self) -> None:
        self.held: dict[str, Vectors] = {}
        self.computed = 0

    def found(self, keys: Sequence[str], dimension: int) -> dict[str, Vectors]:
        return {key: self.held[key] for key in keys if key in self.held}

    def rows(
        self, keys: Sequence[str], dimension: int, compute: Compute, tick: Tick = no_tick
    ) -> tuple[Vectors, int]:
        absent = {key: place for place, key in reversed(list(enumerate(keys))) if key not in self.held}
        if absent:
            self.held.update(zip(absent, compute(list(absent.values()), tick), strict=True))
        self.computed += len(absent)
        rows = [self.held[key] for key in keys]
        return np.array(rows, np.float32).reshape(len(keys), dimension), len(absent)
