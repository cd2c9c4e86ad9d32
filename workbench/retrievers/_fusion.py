"""Three ways to score every chunk of a table, and their sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from pydantic import Field, model_validator

from workbench.contracts import Asked, Retriever
from workbench.records import Hit
from workbench.retrievers._bm25 import held_bm25
from workbench.retrievers._rows import HeldRows, Positions, Scores, held_rows, ordered
from workbench.retrievers._sentences import held_sentences
from workbench.retrievers._words import Language, question_words
from workbench.sentences import PUNKT_LANGUAGES

COMPONENTS = ("vector", "sentence", "keyword")
RAW_NAMES = {"vector": "cosine", "sentence": "best sentence's cosine", "keyword": "BM25"}
Method = Literal["standard_scores", "reciprocal_rank"]
METHODS: tuple[str, ...] = get_args(Method)


def standardised(scores: Scores) -> Scores:
    """Return the scores less their mean, in standard deviations; zeros where all are equal."""
    spread = float(scores.std()) if len(scores) else 0.0
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)


def reciprocal_ranks(scores: Scores, constant: int) -> Scores:
    """Return 1 / (constant + rank), ties by position.

    Cormack, Clarke and Buettcher 2009, https://doi.org/10.1145/1571941.1572114
    """
    result = np.zeros(len(scores))
    result[np.argsort(-scores, kind="stable")] = 1 / (constant + np.arange(1, len(scores) + 1))
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """What each way of scoring says of every chunk of a table, for one question."""

    rows: HeldRows
    allowed: Positions | None
    raw: Mapping[str, Scores]
    """Cosines and BM25, by component."""
    comparable: Mapping[str, Scores]
    """The same on one scale, by the method of fusion. Made from all chunks, whatever may be found."""


class Fusion(Retriever):
    """Settings of a weighted sum of vector, best sentence and keyword scores, and the sum."""

    method: Method = Field(
        "standard_scores",
        description="what is added: standardised scores, or the reciprocals of the ranks",
    )
    weight_vector: float = Field(1.0, ge=0, le=100, description="weight of the chunk's vector")
    weight_sentence: float = Field(
        1.0, ge=0, le=100, description="weight of the best sentence inside the chunk; 0 embeds no sentences"
    )
    weight_keyword: float = Field(1.0, ge=0, le=100, description="weight of the words in common (BM25)")
    rank_constant: int = Field(
        60,
        ge=1,
        le=10_000,
        description="for reciprocal ranks: the larger, the less the first ranks stand out",
    )
    language: Language = Field("english", description="whose word endings are ignored; none for no language")
    k1: float = Field(
        1.5, ge=0, le=10, description="how much a word counts that stands in a chunk repeatedly"
    )
    b: float = Field(0.75, ge=0, le=1, description="how much longer chunks are held back by keyword search")

    @model_validator(mode="after")
    def _some_weight(self) -> Fusion:
        if not any(self.weights.values()):
            raise ValueError("weight_vector, weight_sentence and weight_keyword are all 0: raise one of them")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """Component → weight."""
        return {name: getattr(self, f"weight_{name}") for name in COMPONENTS}

    def prepare(self, asked: Asked) -> None:
        """Embed the sentences of the table's chunks, where they have a weight."""
        if self.weight_sentence:
            held_sentences(asked, held_rows(asked), self._sentence_language)

    def components(self, asked: Asked) -> Components:
        """Return the scores of every component with a weight, for every chunk of the table."""
        rows = held_rows(asked)
        raw: dict[str, Scores] = {}
        comparable: dict[str, Scores] = {}
        for name in (name for name in COMPONENTS if self.weights[name]):
            settings = (self.language, self.k1, self.b, self.method, self.rank_constant)
            key = ("component", name, rows.version, *settings)
            if key not in asked.found:
                scores = self._raw(name, asked, rows)
                asked.found[key] = scores, self._comparable(name, scores)
            raw[name], comparable[name] = asked.found[key]
        return Components(rows, rows.allowed(asked.where), raw, comparable)

    def _raw(self, name: str, asked: Asked, rows: HeldRows) -> Scores:
        if name == "vector":
            return rows.distinct.cosines(asked.vector)
        if name == "sentence":
            return held_sentences(asked, rows, self._sentence_language).cosines(asked.vector)
        index = held_bm25(asked, rows, self.language, self.k1, self.b)
        return index.scores(question_words(asked.query.text, self.language))

    @property
    def _sentence_language(self) -> str:
        return self.language if self.language in PUNKT_LANGUAGES else "english"

    def _comparable(self, name: str, scores: Scores) -> Scores:
        if self.method == "standard_scores":
            return standardised(scores)
        ranks = reciprocal_ranks(scores, self.rank_constant)
        # Chunks without a word in common have no rank among keywords.
        return np.where(scores > 0, ranks, 0.0) if name == "keyword" else ranks

    def fused(self, asked: Asked) -> Iterator[Hit]:
        """Yield every chunk that may be found by the weighted sum of its components, best first."""
        found = self.components(asked)
        weighted = {name: self.weights[name] * scores for name, scores in found.comparable.items()}
        total = sum(weighted.values(), np.zeros(len(found.rows.chunks)))
        for rank, position in enumerate(ordered(total, found.allowed), start=1):
            parts = {name: float(scores[position]) for name, scores in weighted.items()}
            details = {RAW_NAMES[name]: float(scores[position]) for name, scores in found.raw.items()}
            yield Hit(found.rows.chunks[position], rank, float(total[position]), parts, details)
