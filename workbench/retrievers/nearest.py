"""The chunks whose vectors are nearest to the question's vector."""

from __future__ import annotations

from typing import ClassVar

from workbench.contracts import Asked, Retriever
from workbench.records import Hit


class Nearest(Retriever):
    """Rank by the cosine of the question's and the chunk's vector."""

    label: ClassVar[str] = "Nearest vectors"

    def ranked(self, asked: Asked, k: int) -> list[Hit]:
        """Return the ``k`` nearest chunks; the score is the cosine."""
        return [
            Hit(chunk, rank, score, {"vector": score})
            for rank, (chunk, score) in enumerate(asked.table.nearest(asked.vector, k, asked.where), start=1)
        ]
