"""One chunk per section, as the document's own headings divide it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from workbench.analysis import TextAnalysis
from workbench.chunkers._budget import SMALLEST, longest_characters
from workbench.chunkers._parts import indices, structured_words
from workbench.contracts import Chunker
from workbench.spans import Span, cut


class Headings(Chunker):
    """Sections are kept apart; one above the size is cut at paragraphs, lines, sentences or words.

    A text without headings is one section, so it is cut at its paragraphs.
    """

    VERSION: ClassVar[int] = 2
    label: ClassVar[str] = "Sections (headings)"
    uses: ClassVar[frozenset[str]] = frozenset({"tokens", "headings"})

    size_tokens: int = Field(
        300, ge=SMALLEST, le=8192, description="largest chunk, in tokens of the embedder"
    )
    deepest_level: int = Field(
        6, ge=1, le=6, description="headings down to this level begin a section; 1 is the highest"
    )
    join_small: bool = Field(
        False, description="join neighbouring sections while they fit together; off: every section by itself"
    )
    fill_percent: int = Field(
        30,
        ge=0,
        le=100,
        description="within a long section, a coarse cut is taken only if the chunk is this full, in % of its size",
    )

    def spans(self, analysis: TextAnalysis) -> Iterator[Span]:
        """Yield sections, or parts of those that are too long."""
        words, pieces, levels = structured_words(analysis, analysis.tokens, self.size_tokens)
        headings = _section_starts(analysis, self.deepest_level)
        # A heading may begin inside what was taken for a word: its section begins with the next one.
        sections = [i for i in indices(words, np.array(headings, np.int64)) if 0 < i < len(words)]
        if self.join_small:
            levels, sections = [sections, *levels], []
        least = self.size_tokens * self.fill_percent // 100
        longest = longest_characters(self.size_tokens)
        yield from cut(pieces, self.size_tokens, 0, levels, least, sections, longest)


def _section_starts(analysis: TextAnalysis, deepest_level: int) -> list[int]:
    """Return where sections begin. A heading right below another one stays with it: alone it would say nothing."""
    found = sorted((h.start, h.end) for h in analysis.headings if h.level <= deepest_level)
    starts: list[int] = []
    end = None
    for start, heading_end in found:
        if end is None or analysis.text[end:start].strip():
            starts.append(start)
        end = heading_end
    return starts
