"""Windows of one size over the text, cut between words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from workbench.analysis import TextAnalysis
from workbench.chunkers._budget import BudgetChunker
from workbench.chunkers._parts import fitting_words
from workbench.spans import Span, cut


class FixedSize(BudgetChunker):
    """As many words as fit the size, then the next; a word is cut only when it alone is above the size."""

    VERSION: ClassVar[int] = 2
    label: ClassVar[str] = "Fixed size"

    def spans(self, analysis: TextAnalysis) -> Iterator[Span]:
        """Yield windows; each repeats at most ``overlap`` of the one before, in whole words."""
        _, words = fitting_words(analysis, self.measure(analysis), self.size)
        yield from cut(words, self.size, self.overlap, longest=self.longest)
