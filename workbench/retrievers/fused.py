"""Meaning, the best sentence and words together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from workbench.contracts import Asked
from workbench.records import Hit
from workbench.retrievers._fusion import Fusion


class Fused(Fusion):
    """Rank by a weighted sum: the chunk's vector, the best sentence inside it, and the words it shares with the question."""

    label: ClassVar[str] = "Meaning and keywords together"

    def ranked(self, asked: Asked) -> Iterator[Hit]:
        """Yield the chunks by the sum of their weighted components; details are the scores before."""
        return self.fused(asked)
