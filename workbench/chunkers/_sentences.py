"""What chunkers of whole sentences share: they differ only in how they find sentences."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from pydantic import Field

from workbench.analysis import Ranges, TextAnalysis
from workbench.chunkers._budget import SMALLEST, longest_characters
from workbench.chunkers._parts import fitting_sentences, indices
from workbench.contracts import Chunker
from workbench.outline import outline
from workbench.spans import Pieces, Span, packed, sizes


class SentenceChunker(Chunker):
    """Whole sentences, joined while they fit; one that alone is above the size is cut."""

    size_tokens: int = Field(
        250, ge=SMALLEST, le=8192, description="largest chunk, in tokens of the embedder"
    )
    overlap_sentences: int = Field(
        0,
        ge=0,
        le=20,
        description="how many sentences a chunk repeats from the one before, fewer where they would not fit",
    )
    cross_paragraphs: bool = Field(
        True, description="join sentences of neighbouring paragraphs; off: every paragraph is cut by itself"
    )

    @abstractmethod
    def sentences(self, analysis: TextAnalysis) -> Ranges:
        """Return the sentences of the text, none of them across a blank line."""

    def spans(self, analysis: TextAnalysis) -> Iterator[Span]:
        """Yield ranges of whole sentences."""
        sentences = fitting_sentences(analysis, self.sentences(analysis), self.size_tokens)
        breaks: list[int] = []
        if not self.cross_paragraphs:
            breaks = indices(sentences, outline(analysis).paragraphs[:, 0])
        yield from packed(
            Pieces(sentences, sizes(sentences, analysis.tokens)),
            self.size_tokens,
            self.overlap_sentences,
            breaks,
            longest_characters(self.size_tokens),
        )
