"""Chunks that hold the question's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from workbench.contracts import Asked, Retriever
from workbench.records import Hit
from workbench.retrievers._bm25 import held_bm25
from workbench.retrievers._rows import held_rows, ordered
from workbench.retrievers._words import Language, question_words


class Keyword(Retriever):
    """Rank by the words that question and chunk share, rare ones first (BM25)."""

    label: ClassVar[str] = "Keywords (BM25)"

    language: Language = Field("english", description="whose word endings are ignored; none for no language")
    k1: float = Field(
        1.5, ge=0, le=10, description="how much a word counts that stands in a chunk repeatedly"
    )
    b: float = Field(0.75, ge=0, le=1, description="how much longer chunks are held back")

    def ranked(self, asked: Asked) -> Iterator[Hit]:
        """Yield the chunks that hold a word of the question; details say what each word adds."""
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
