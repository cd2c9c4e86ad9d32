"""Chunks that hold the question's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from workbench.contracts import Asked, Retriever
from workbench.records import Hit
from workbench.retrievers._bm25 import held_bm25
from workbench.retrievers._rows import held_rows, ordered
from workbench.retrievers._words import Language, question_words

_FETCHED = 100
"""How many chunks a store is asked for first."""


class Keyword(Retriever):
    """Rank by the words that question and chunk share, rare ones first (BM25)."""

    label: ClassVar[str] = "Keywords (BM25)"

    language: Language = Field("english", description="whose word endings are ignored; none for no language")
    index: Literal["memory", "store"] = Field(
        "memory",
        description="where words are looked up: in memory, or in the store's own full-text index, for tables that do "
        "not fit in memory; its scores are the store's, and what each word adds is not told",
    )
    k1: float = Field(
        1.5, ge=0, le=10, description="how much a word counts that stands in a chunk repeatedly"
    )
    b: float = Field(0.75, ge=0, le=1, description="how much longer chunks are held back")

    def unused(self) -> frozenset[str]:
        """Return k1 and b where the store has a formula of its own."""
        return super().unused() | ({"k1", "b"} if self.index == "store" else frozenset())

    def prepare(self, asked: Asked) -> None:
        """Make the store's full-text index, where it is the one to be asked."""
        if self.index == "store":
            asked.table.index_words(self.language)

    def ranked(self, asked: Asked) -> Iterator[Hit]:
        """Yield the chunks that hold a word of the question; details say what each word adds, where that is known."""
        return self._from_store(asked) if self.index == "store" else self._from_memory(asked)

    def _from_memory(self, asked: Asked) -> Iterator[Hit]:
        rows = held_rows(asked)
        index = held_bm25(asked, rows, self.language, self.k1, self.b)
        question = question_words(asked.query.text, self.language)
        scores = index.scores(question)
        for rank, position in enumerate(ordered(scores, rows.allowed(asked.where)), start=1):
            score = float(scores[position])
            if score <= 0:
                return
            words = {f"word {word}": value for word, value in index.parts(question, position).items()}
            yield Hit(rows.chunks[position], rank, score, {"keyword": score}, words)

    def _from_store(self, asked: Asked) -> Iterator[Hit]:
        known, count = 0, _FETCHED
        while True:
            found = asked.table.matching(asked.query.text, self.language, count, asked.where)
            for rank, (chunk, score) in enumerate(found[known:], start=known + 1):
                yield Hit(chunk, rank, score, {"keyword": score})
            if len(found) < count:
                return
            known, count = count, 10 * count
