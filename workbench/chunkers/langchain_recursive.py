"""LangChain's RecursiveCharacterTextSplitter, with true offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, field_validator

from workbench.analysis import TextAnalysis
from workbench.chunkers._budget import BudgetChunker
from workbench.chunkers._langchain import NEVER, langchain_spans
from workbench.spans import Span


class LangchainRecursive(BudgetChunker):
    """Split at the first separator that occurs, what is too long at the next one, and join while it fits.

    What no separator divides is cut between words or graphemes, where LangChain cuts between code points.
    """

    VERSION: ClassVar[int] = 3
    label: ClassVar[str] = "LangChain recursive"
    packages: ClassVar[tuple[str, ...]] = ("langchain-text-splitters",)

    separators: tuple[str, ...] = Field(
        ("\n\n", "\n", " "),
        min_length=1,
        max_length=20,
        strict=False,
        description="where to split, from coarse to fine; each stays at the beginning of the piece after it",
    )

    @field_validator("separators")
    @classmethod
    def _separators_with_text(cls, separators: tuple[str, ...]) -> tuple[str, ...]:
        if "" in separators[:-1]:
            raise ValueError("separators: an empty one splits between all characters and must be the last")
        return separators

    def spans(self, analysis: TextAnalysis) -> Iterator[Span]:
        """Yield LangChain's pieces as ranges."""
        separators = [re.escape(separator) for separator in self.separators if separator]
        yield from langchain_spans(
            "RecursiveCharacterTextSplitter",
            analysis,
            self,
            separators=[*separators, NEVER],
            keep_separator=True,
            is_separator_regex=True,
        )
