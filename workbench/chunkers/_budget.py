"""The settings of chunkers that fill a budget of tokens or characters."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from workbench.analysis import TextAnalysis
from workbench.contracts import Chunker
from workbench.spans import Characters, Measure

SMALLEST = 8
"""Fewer tokens than one character of a rare script may have could not be kept to."""


MOST_CHARACTERS_A_TOKEN = 20
"""A chunk holds so many characters for each token of its size, no more.

Tokenizers make one token of a word that they do not know, however long, and none of NULs: by tokens alone, a file of
base64 would be one chunk. Words of any language stay far below.
"""


def longest_characters(size_tokens: int) -> int:
    """Return how many characters a chunk of this size may have."""
    return MOST_CHARACTERS_A_TOKEN * size_tokens


class BudgetChunker(Chunker):
    """Chunks up to a size, with an overlap, in the unit of choice. Settings of the other unit have no effect."""

    unit: Literal["tokens", "characters"] = Field(
        "tokens", description="what sizes are counted in: tokens of the embedder, or characters"
    )
    size_tokens: int = Field(
        250, ge=SMALLEST, le=8192, description="largest chunk, in tokens of the embedder (for unit tokens)"
    )
    overlap_tokens: int = Field(
        0,
        ge=0,
        le=8191,
        description="how many tokens at most a chunk repeats from the one before (for unit tokens)",
    )
    size_characters: int = Field(
        1000, ge=SMALLEST, le=100_000, description="largest chunk, in characters (for unit characters)"
    )
    overlap_characters: int = Field(
        0, ge=0, le=99_999, description="how many characters at most a chunk repeats (for unit characters)"
    )

    @model_validator(mode="after")
    def _overlap_below_size(self) -> Self:
        if self.overlap >= self.size:
            raise ValueError(
                f"overlap_{self.unit} ({self.overlap}) must be below size_{self.unit} ({self.size})"
            )
        return self

    @property
    def size(self) -> int:
        """The budget, in ``unit``."""
        return self.size_tokens if self.unit == "tokens" else self.size_characters

    @property
    def overlap(self) -> int:
        """The largest repetition, in ``unit``."""
        return self.overlap_tokens if self.unit == "tokens" else self.overlap_characters

    def measure(self, analysis: TextAnalysis) -> Measure:
        """Return what sizes are taken with."""
        return analysis.tokens if self.unit == "tokens" else Characters()

    @property
    def longest(self) -> int:
        """The most characters of a chunk."""
        return longest_characters(self.size_tokens) if self.unit == "tokens" else self.size_characters

    def unused(self) -> frozenset[str]:
        """Return the settings of the unit that is not in use."""
        other = "_characters" if self.unit == "tokens" else "_tokens"
        return frozenset(key for key in type(self).model_fields if key.endswith(other))
