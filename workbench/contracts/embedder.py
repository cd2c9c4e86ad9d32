"""Texts → vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workbench.analysis import TextAnalysis, Tokenizer
from workbench.contracts.plugin import Plugin, Tick, no_tick
from workbench.errors import ContractError
from workbench.records import Vectors, digest


class Embedder(Plugin):
    """Settings of a model that turns texts into vectors."""

    @abstractmethod
    def embedding_model(self, folder: Path) -> EmbeddingModel:
        """Return the loaded model (one per process and settings); ``folder`` keeps converted files.

        Not named ``model``: that word is a setting of most embedders.

        Cheap until vectors are asked for: tokenizer, dimension and window are known without loading weights.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A range of a text that is to be embedded. ``analysis`` is that of the whole text."""

    analysis: TextAnalysis
    start: int
    end: int

    @property
    def text(self) -> str:
        """The range itself."""
        return self.analysis.text[self.start : self.end]

    @property
    def token_count(self) -> int:
        """How many tokens it touches."""
        return self.analysis.tokens.count(self.start, self.end)


Compute = Callable[[Sequence[int], Tick], Vectors]
"""Gives the rows of the keys at these places."""


class KeptVectors(Protocol):
    """Vectors by key: what was computed once is not computed again."""

    def found(self, keys: Sequence[str], dimension: int) -> dict[str, Vectors]:
        """Return the vectors that are kept, by key."""

    def rows(
        self, keys: Sequence[str], dimension: int, compute: Compute, tick: Tick = no_tick
    ) -> tuple[Vectors, int]:
        """Return the vectors of ``keys`` in order, and how many distinct ones had to be computed."""


class NothingKept:
    """Keeps nothing: every distinct key of a call is computed once."""

    def found(self, keys: Sequence[str], dimension: int) -> dict[str, Vectors]:
        """Return nothing."""
        return {}

    def rows(
        self, keys: Sequence[str], dimension: int, compute: Compute, tick: Tick = no_tick
    ) -> tuple[Vectors, int]:
        """Return the vectors of ``keys`` in order, and how many distinct ones there are."""
        first = {key: place for place, key in reversed(list(enumerate(keys)))}
        places = sorted(first.values())
        row = {keys[place]: number for number, place in enumerate(places)}
        return compute(places, tick)[[row[key] for key in keys]], len(places)


class EmbeddingModel(ABC):
    """A model ready for use. Plug-ins give raw rows; checking and normalising happen here.

    A passage is embedded as a range of its document, since some models read what stands around it. For most a
    passage is its text; the others replace ``passage_key``, ``passage_vectors``, ``unread`` and ``text_model``.
    """

    id: str
    """Digest of everything that changes a vector: model, revision, dimension, prefixes, normalising, window."""
    title: str
    """The model's name for people, such as ``all-MiniLM-L6-v2``."""
    dimension: int
    window_tokens: int | None
    """How many tokens of a text the model reads, special tokens not counted; None for no limit."""
    tokenizer: Tokenizer
    passage_prefix: str = ""
    query_prefix: str = ""
    price_usd_per_million_tokens: float | None = None
    """What a hosted model charges; None for a model that runs here."""

    @abstractmethod
    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        """Return ``(n, dim)`` numbers for the exact inputs (prefix included), in order."""

    @property
    def text_model(self) -> EmbeddingModel:
        """The model of texts that stand alone, such as questions and single sentences: itself for most."""
        return self

    def input_text(self, text: str, *, query: bool = False) -> str:
        """Return the exact text that is given to the model."""
        return (self.query_prefix if query else self.passage_prefix) + text

    def key(self, text: str) -> str:
        """Return the embed key of a text that stands alone."""
        return digest(["vector", self.input_text(text), self.id])

    def passage_key(self, passage: Passage) -> str:
        """Return the embed key of a passage: it holds everything that the vector is made from."""
        return self.key(passage.text)

    def unread(self, passages: Sequence[Passage], kept: KeptVectors) -> list[Passage]:
        """Return what the model would have to read for these passages, nothing twice: what embedding costs."""
        distinct = {self.passage_key(passage): passage for passage in passages}
        known = kept.found(list(distinct), self.dimension)
        return [passage for key, passage in distinct.items() if key not in known]

    def passage_vectors(
        self, passages: Sequence[Passage], kept: KeptVectors, tick: Tick = no_tick
    ) -> Vectors:
        """Return ``(n, dim) float32``, rows of length 1. What several chunkings can share goes through ``kept``."""
        return self.vectors([passage.text for passage in passages], tick=tick)

    def vectors(self, texts: Sequence[str], *, query: bool = False, tick: Tick = no_tick) -> Vectors:
        """Return ``(n, dim) float32``, rows of length 1; raises ``ContractError`` for rows that cannot be."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        raw = np.asarray(self.raw_vectors([self.input_text(t, query=query) for t in texts], tick), np.float32)
        return checked_vectors(raw, len(texts), self.dimension, self.title)

    def beyond_window(self, token_counts: Sequence[int]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return for each chunk, given how many tokens it has, whether the model does not read its end."""
        counts = np.asarray(token_counts, np.int64)
        if self.window_tokens is None:
            return np.zeros(len(counts), bool)
        prefix_tokens = len(self.tokenizer.offsets(self.passage_prefix)) if self.passage_prefix else 0
        beyond: np.ndarray[Any, np.dtype[np.bool_]] = counts + prefix_tokens > self.window_tokens
        return beyond

    def seen_end(self, text: str) -> int:
        """Return the offset in ``text`` up to which the model reads a passage; ``len(text)`` when it reads all."""
        if self.window_tokens is None:
            return len(text)
        prefix = len(self.passage_prefix)
        offsets = self.tokenizer.offsets(self.input_text(text))
        if len(offsets) <= self.window_tokens:
            return len(text)
        return max(0, int(offsets[self.window_tokens - 1, 1]) - prefix)


def checked_vectors(raw: np.ndarray[Any, Any], count: int, dimension: int, origin: str) -> Vectors:
    """Return ``raw`` with rows scaled to length 1, or raise for a wrong shape, NaN, infinity or a zero row."""
    if raw.shape != (count, dimension):
        raise ContractError(f"{origin} gave vectors of shape {raw.shape} instead of {(count, dimension)}")
    if not np.isfinite(raw).all():
        raise ContractError(f"{origin} gave a vector that is not finite")
    lengths = np.linalg.norm(raw.astype(np.float64), axis=1, keepdims=True)
    if (lengths == 0).any():
        raise ContractError(f"{origin} gave a zero vector")
    return np.ascontiguousarray(raw / lengths, dtype=np.float32)
