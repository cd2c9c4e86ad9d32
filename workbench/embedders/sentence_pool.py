"""The mean of a passage's sentences: every sentence of a document is embedded once, however the document is cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from workbench import outline, sentences
from workbench.analysis import Ranges, TextAnalysis
from workbench.contracts import (
    EmbeddingModel,
    KeptVectors,
    NothingKept,
    Passage,
    Tick,
    checked_vectors,
    no_tick,
)
from workbench.embedders._text_model import ModelSettings
from workbench.records import Vectors, digest
from workbench.sentences import PunktLanguage, punkt_sentences, punkt_version
from workbench.spans import Pieces, Span, distinct, packed, sizes


class SentencePool(ModelSettings):
    """Mean of the vectors of a passage's sentences: another embedder than its model, and one pass serves every chunking."""

    label: ClassVar[str] = "Mean of sentences (one pass for every chunking)"

    language: PunktLanguage = Field("english", description="the language whose abbreviations are known")

    def embedding_model(self, folder: Path) -> EmbeddingModel:
        return SentencePoolModel(self.text_model(folder), self.language)


class SentencePoolModel(EmbeddingModel):
    """Pools the vectors that ``alone`` gives to sentences. Questions are embedded by ``alone`` as they are.

    A sentence counts by the share of its characters that lie in the passage. The vector of one that the passage's
    edge cuts is that of the whole sentence, so it knows a few words from outside the passage. Where no sentence lies
    whole in the passage, the parts inside are embedded instead: two passages of one long sentence must differ.

    A sentence above the model's window is taken apart between words, so every passage is read to its end.
    """

    window_tokens = None

    def __init__(self, alone: EmbeddingModel, language: str = "english") -> None:
        self._alone = alone
        self._language = language
        self.title = f"{alone.title}, mean of sentences"
        self.dimension = alone.dimension
        self.tokenizer = alone.tokenizer
        self.query_prefix = alone.query_prefix
        self._budget = _budget(alone)
        splitter = [sentences.VERSION, outline.VERSION, language, punkt_version()]
        self.id = digest(["sentence_pool", SentencePool.VERSION, alone.id, splitter])

    @property
    def text_model(self) -> EmbeddingModel:
        """The model that embeds sentences and questions."""
        return self._alone

    def passage_key(self, passage: Passage) -> str:
        """Return the embed key: where a document's sentences begin depends on the whole document."""
        return digest(["passage", passage.analysis.text_hash, passage.start, passage.end, self.id])

    def unread(self, passages: Sequence[Passage], kept: KeptVectors) -> list[Passage]:
        """Return the sentences that have no vector yet."""
        distinct = {self.passage_key(passage): passage for passage in passages}
        known = kept.found(list(distinct), self.dimension)
        pieces = [piece for key, p in distinct.items() if key not in known for piece, _ in self._pieces(p)]
        return self._alone.unread(pieces, kept)

    def passage_vectors(
        self, passages: Sequence[Passage], kept: KeptVectors, tick: Tick = no_tick
    ) -> Vectors:
        """Return the weighted means of the sentences' vectors, each computed once at most."""
        found = [self._pieces(passage) for passage in passages]
        texts = [piece.text for pieces in found for piece, _ in pieces]

        def compute(places: Sequence[int], part: Tick) -> Vectors:
            return self._alone.vectors([texts[place] for place in places], tick=part)

        def told(done: int, total: int) -> None:
            tick(done * len(passages) // max(1, total), len(passages))

        rows, _ = kept.rows([self._alone.key(text) for text in texts], self.dimension, compute, told)
        means = np.empty((len(passages), self.dimension), np.float64)
        first = 0
        for number, pieces in enumerate(found):
            weights = np.array([weight for _, weight in pieces])
            means[number] = weights @ rows[first : first + len(pieces)] / weights.sum()
            first += len(pieces)
        return checked_vectors(means, len(passages), self.dimension, self.title)

    def vectors(self, texts: Sequence[str], *, query: bool = False, tick: Tick = no_tick) -> Vectors:
        """Return vectors of texts that stand alone: each is a document of its own, and a question is no passage."""
        if query:
            return self._alone.vectors(texts, query=True, tick=tick)
        return super().vectors(texts, tick=tick)

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        whole = [Passage(TextAnalysis(text, self.tokenizer), 0, len(text)) for text in inputs]
        return self.passage_vectors(whole, NothingKept(), tick)

    def _pieces(self, passage: Passage) -> list[tuple[Passage, float]]:
        """Return what is pooled, with weights: the sentences that the passage touches, or their parts inside it."""
        all_pieces = self._sentences(passage.analysis)
        first = int(np.searchsorted(all_pieces[:, 1], passage.start, side="right"))
        last = int(np.searchsorted(all_pieces[:, 0], passage.end, side="left"))
        touched: list[Span] = [(a, b) for a, b in all_pieces[first:last].tolist()]
        if not touched:
            return [(passage, 1.0)]
        inside = [(max(a, passage.start), min(b, passage.end)) for a, b in touched]
        any_whole = any(part == piece for part, piece in zip(inside, touched, strict=True))
        return [
            (
                Passage(passage.analysis, *(piece if any_whole else part)),
                (part[1] - part[0]) / (piece[1] - piece[0]),
            )
            for part, piece in zip(inside, touched, strict=True)
        ]

    def _sentences(self, analysis: TextAnalysis) -> Ranges:
        found = punkt_sentences(analysis, self._language)
        if self._budget is None:
            return found
        name = f"sentences to read {self._language} {self.tokenizer.id} {self._budget}"
        return analysis.ranges(name, lambda _: _fitting(analysis, found, self._budget or 1), on_disk=False)


def _budget(model: EmbeddingModel) -> int | None:
    if model.window_tokens is None:
        return None
    return max(1, model.window_tokens - len(model.tokenizer.offsets(model.passage_prefix)))


def _fitting(analysis: TextAnalysis, found: Ranges, budget: int) -> Ranges:
    """Return the sentences, those above ``budget`` tokens taken apart: between words, and huge words between tokens."""
    tokens = analysis.tokens
    large = tokens.counts(found[:, 0], found[:, 1]) > budget
    if not large.any():
        return found
    words = outline.outline(analysis).words
    result: list[Span] = []
    for start, end in found[large].tolist():
        first = np.searchsorted(words[:, 1], start, side="right")
        last = np.searchsorted(words[:, 0], end, side="left")
        inside = words[first:last].clip(start, end)
        huge = tokens.counts(inside[:, 0], inside[:, 1]) > budget
        for word_start, word_end in inside[huge].tolist():
            first, last = np.searchsorted(tokens.starts, [word_start, word_end])
            inside = outline.divided(inside, distinct(tokens.starts[first:last:budget]))
        result.extend(packed(Pieces(inside, sizes(inside, tokens)), budget))
    joined = np.concatenate([found[~large], np.array(result, np.int64).reshape(-1, 2)])
    ordered: Ranges = joined[np.argsort(joined[:, 0], kind="stable")]
    return ordered
