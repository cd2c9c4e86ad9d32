"""What was measured on a table's index, kept in a small file beside the table."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
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


def recall(vectors: Vectors, k: int, scores: Callable[[Vectors, int], Vectors], seed: int = 0) -> float:
    """Return recall@k of an approximate search on a seeded sample of ``vectors``, each without itself.

    ``scores(vector, k)`` gives the cosines that the search finds. A row as near as the exact k-th counts as
    found, since texts that repeat have several right answers.
    """
    sample = np.random.default_rng(seed).choice(len(vectors), min(_SAMPLE, len(vectors)), replace=False)
    found = possible = 0
    for row in sample:
        exact = vectors @ vectors[row]
        wanted = min(k + 1, len(vectors))
        least = np.partition(exact, len(vectors) - wanted)[len(vectors) - wanted]
        near = int((scores(vectors[row], k + 1) >= least - _SLACK).sum())
        found += max(0, min(near, wanted) - 1)
        possible += wanted - 1
    return found / possible if possible else 1.0
