"""Question → hits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from pydantic import Field

from workbench.contracts import hits as listed
from workbench.contracts.asked import Asked
from workbench.contracts.plugin import Plugin
from workbench.records import Hit


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
    def ranked(self, asked: Asked) -> Iterator[Hit]:
        """Yield the chunks that may be found, best first, ties by document id and ordinal; ranks do not matter.

        The parts of a hit sum to its score. Some hundred are taken, rarely more: yield without doing all the work.
        """

    def prepare(self, asked: Asked) -> None:
        """Make what the first search of a table would have to make and what can be kept; the question is not read.

        Called at the end of a build. Nothing for retrievers that need nothing but the table.
        """

    def lacking(self) -> str:
        """Return what this machine lacks for it and what to do, in words to show; nothing where it can search."""
        return ""

    def hits(self, asked: Asked) -> list[Hit]:
        """Return up to ``top_k`` hits, best first, ranks from 1; an empty table gives an empty list."""
        asked.check_model()
        compared = max(listed.COMPARED, self.top_k)
        ranked = self.ranked(asked)
        pool = listed.first(ranked, compared) if self.repeated else listed.once(ranked, compared)
        if self.diversity:
            pool = listed.diverse(pool, asked, self.diversity)
        found = [replace(hit, rank=rank) for rank, hit in enumerate(pool[: self.top_k], start=1)]
        if self.context == "neighbours":
            return listed.with_neighbours(found, asked, self.context_chunks)
        return listed.with_sections(found, asked) if self.context == "section" else found
