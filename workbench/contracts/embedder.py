"""Texts → vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis import Tokenizer
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


class EmbeddingModel(ABC):
    """A model ready for use. Plug-ins give raw rows; checking and normalising happen here."""

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

    @abstractmethod
    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        """Return ``(n, dim)`` numbers for the exact inputs (prefix included), in order."""

    def input_text(self, text: str, *, query: bool = False) -> str:
        """Return the exact text that is given to the model."""
        return (self.query_prefix if query else self.passage_prefix) + text

    def key(self, text: str) -> str:
        """Return the embed key of a passage."""
        return digest(["vector", self.input_text(text), self.id])

    def vectors(self, texts: Sequence[str], *, query: bool = False, tick: Tick = no_tick) -> Vectors:
        """Return ``(n, dim) float32``, rows of length 1; raises ``ContractError`` for rows that cannot be."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        raw = np.asarray(self.raw_vectors([self.input_text(t, query=query) for t in texts], tick), np.float32)
        return checked_vectors(raw, len(texts), self.dimension, self.title)

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
