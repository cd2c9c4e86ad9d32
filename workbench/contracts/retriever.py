"""Question → hits."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Literal

from pydantic import Field

from workbench.contracts import hits as listed
from workbench.contracts.asked import Asked
from workbench.contracts.plugin import Plugin
from workbench.records import Hit

_MOST_RANKED = 10_000
"""How many chunks are looked at, at most, to fill a list with different texts."""


class Retriever(Plugin):
    """Question → hits. Its author only ranks; what all lists have in common happens here.

    The first hits of a longer list are the hits of a shorter one: ``top_k`` decides where a list ends, nothing else.
    """

    top_k: int = Field(5, ge=1, le=1_000, description="number of hits")
    repeated: bool = Field(
        False, description="whether a text that stands in several places is a hit for each of them"
    )
    diversity: float = Field(
        0.0, ge=0, le=1, description="how much a hit loses for being like a better one; 0 for nothing"
    )
    context: Literal["chunk", "neighbours", "section"] = Field(
        "chunk", description="what is shown of a hit: itself, with the chunks beside it, or its whole section"
    )
    context_chunks: int = Field(
        1, ge=1, le=10, description="chunks shown on either side of a hit, for neighbours"
    )

    @abstractmethod
    def ranked(self, asked: Asked, k: int) -> list[Hit]:
        """Return up to ``k`` chunks as hits, best first, ties by document id and ordinal; ranks do not matter.

        The parts of a hit sum to its score. A longer list begins with the shorter one.
        """

    def hits(self, asked: Asked) -> list[Hit]:
        """Return up to ``top_k`` hits, best first, ranks from 1; an empty table gives an empty list."""
        asked.check_model()
        if self.diversity:
            pool = self._different(asked, max(listed.COMPARED, self.top_k))
            found = listed.diverse(pool, asked, self.diversity)[: self.top_k]
        else:
            found = self._different(asked, self.top_k)
        numbered = [replace(hit, rank=rank) for rank, hit in enumerate(found, start=1)]
        if self.context == "neighbours":
            return listed.with_neighbours(numbered, asked, self.context_chunks)
        return listed.with_sections(numbered, asked) if self.context == "section" else numbered

    def _different(self, asked: Asked, count: int) -> list[Hit]:
        """Return the best ``count`` hits whose texts differ; the others stand in ``also`` of the best of them."""
        k = count
        while True:
            ranked = self.ranked(asked, k)
            found = ranked if self.repeated else listed.once(ranked)
            if len(found) >= count or len(ranked) < k or k >= _MOST_RANKED:
                return found[:count]
            k = min(4 * k, _MOST_RANKED)
