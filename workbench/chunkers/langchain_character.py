"""LangChain's CharacterTextSplitter, with true offsets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from workbench.analysis import TextAnalysis
from workbench.chunkers._budget import BudgetChunker
from workbench.chunkers._langchain import langchain_spans
from workbench.spans import Span


class LangchainCharacter(BudgetChunker):
    """Split at one separator and join while it fits; a piece above the size is cut, where LangChain leaves it long."""

    VERSION: ClassVar[int] = 3
    label: ClassVar[str] = "LangChain by one separator"
    packages: ClassVar[tuple[str, ...]] = ("langchain-text-splitters",)

    separator: str = Field(
        "\n\n",
        min_length=1,
        max_length=50,
        description="where to split; it stays at the end of the piece before it",
    )

    def spans(self, analysis: TextAnalysis) -> Iterator[Span]:
        """Yield LangChain's pieces as ranges."""
        yield from langchain_spans(
            "CharacterTextSplitter", analysis, self, separator=self.separator, keep_separator="end"
        )
