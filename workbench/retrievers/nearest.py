"""The chunks whose vectors are nearest to the question's vector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from workbench.contracts import Asked, Retriever
from workbench.records import Hit

_FETCHED = 100
"""How many chunks are asked for first; an index answers up to so many."""


class Nearest(Retriever):
    """Rank by the cosine of the question's and the chunk's vector."""

    label: ClassVar[str] = "Nearest vectors"

    def ranked(self, asked: Asked) -> Iterator[Hit]:
        """Yield the nearest chunks; the score is the cosine."""
        known, count = 0, _FETCHED
        while True:
            found = asked.table.nearest(asked.vector, count, asked.where)
            for rank, (chunk, score) in enumerate(found[known:], start=known + 1):
                yield Hit(chunk, rank, score, {"vector": score})
            if len(found) < count:
                return
            known, count = count, 10 * count
