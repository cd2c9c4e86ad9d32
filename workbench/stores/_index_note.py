"""What was measured on a table's index, kept in a small file beside the table."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from workbench.records import Vectors

_SAMPLE = 100
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class IndexNote:
    """How good an index was when it was last measured. ``birth`` names the very table it belongs to."""

    birth: str
    rows: int
    probes: int
    recall: float

    @property
    def text(self) -> str:
        """One sentence for people."""
        return (
            f"indexed ({self.rows:,} rows): the index finds {self.recall:.1%} of the exact 10 nearest, "
            f"measured on {_SAMPLE} stored vectors with {self.probes} probes"
        )

    @classmethod
    def read(cls, path: Path, birth: str) -> IndexNote | None:
        """Return the note at ``path``, or None when there is none that belongs to this table."""
        try:
            note = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return note if note.birth == birth else None

    def write(self, path: Path) -> None:
        """Write it at ``path``, at once or not at all."""
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(asdict(self)), encoding="utf-8")
        os.replace(partial, path)


def sample_of(batches: Iterable[Vectors], count: int, seed: int = 0) -> Vectors:
    """Return a seeded sample of ``count`` rows that come in batches."""
    chosen = np.random.default_rng(seed).choice(count, min(_SAMPLE, count), replace=False)
    found, start = [], 0
    for batch in batches:
        inside = chosen[(chosen >= start) & (chosen < start + len(batch))]
        # A copy, or the batch would stay in memory with it.
        found.append(batch[inside - start].copy())
        start += len(batch)
    return np.concatenate(found)


def least_cosines(sample: Vectors, batches: Iterable[Vectors], k: int) -> Vectors:
    """Return for each row of ``sample`` the cosine of its ``k``-th nearest among all rows; fewer rows: of the last."""
    nearest = np.zeros((len(sample), 0), np.float32)
    for batch in batches:
        nearest = np.concatenate([nearest, sample @ batch.T], axis=1)
        if nearest.shape[1] > k:
            nearest = np.partition(nearest, nearest.shape[1] - k, axis=1)[:, -k:]
    least: Vectors = nearest.min(axis=1)
    return least


def recall(sample: Vectors, least: Vectors, k: int, scores: Callable[[Vectors, int], Vectors]) -> float:
    """Return recall@k of an approximate search for rows of the table, each without itself.

    ``least`` is the cosine of each row's exact (k + 1)-th nearest, itself among them. ``scores(vector, k)`` gives the
    cosines that the search finds. A row as near as the exact k-th counts as found, since texts that repeat have
    several right answers.
    """
    found = 0
    for row, bound in zip(sample, least, strict=True):
        near = int((scores(row, k + 1) >= bound - _SLACK).sum())
        found += max(0, min(near, k + 1) - 1)
    return found / (k * len(sample))
