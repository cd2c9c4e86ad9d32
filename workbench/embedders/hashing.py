"""Vectors from hashed words, without a model: for tests and for trying out a pipeline in milliseconds."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from workbench.analysis import Ranges
from workbench.contracts import Embedder, EmbeddingModel, Tick, no_tick
from workbench.records import digest

TEXTS_A_TICK = 64
REMEMBERED_WORDS = 10_000
"""A word takes about 300 bytes; numbers and names in a large corpus never end."""


class Hashing(Embedder):
    """Count words into a few numbers. Finds shared words only: a stand-in, not a model of meaning."""

    label: ClassVar[str] = "Word hashing (tests and quick trials)"

    dimension: int = Field(64, ge=8, le=4096, description="numbers in a vector")
    max_tokens: int | None = Field(
        None, ge=1, le=1_000_000, description="words of a text that are read; empty for all of them"
    )

    def embedding_model(self, folder: Path) -> EmbeddingModel:
        return HashingModel(self)


class WordTokenizer:
    """A token is a run of letters and digits, or one other character that is not blank.

    >>> WordTokenizer().offsets("It's 5 pm").tolist()
    [[0, 2], [2, 3], [3, 4], [5, 6], [7, 9]]
    """

    id = "words 1"
    _token = re.compile(r"\w+|[^\w\s]")

    def offsets(self, text: str) -> Ranges:
        flat = [edge for match in self._token.finditer(text) for edge in match.span()]
        return np.array(flat, np.int64).reshape(-1, 2)

    def words(self, text: str, limit: int | None) -> list[str]:
        """Return the first ``limit`` tokens in lower case."""
        found = self._token.finditer(text)
        return [match.group().lower() for match, _ in zip(found, range(limit or sys.maxsize), strict=False)]


class HashingModel(EmbeddingModel):
    """Counts of words at hashed places, with hashed signs; place 0 is a constant, so no vector is ever zero."""

    def __init__(self, settings: Hashing) -> None:
        self.dimension = settings.dimension
        self.window_tokens = settings.max_tokens
        self.tokenizer: WordTokenizer = WordTokenizer()
        self.title = f"word hashing, {settings.dimension} numbers"
        self.id = digest([settings.identity(), self.tokenizer.id])

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        rows = np.zeros((len(inputs), self.dimension), np.float32)
        rows[:, 0] = 0.25
        for number, text in enumerate(inputs):
            if number % TEXTS_A_TICK == 0:
                tick(number, len(inputs))
            for word, count in Counter(self.tokenizer.words(text, self.window_tokens)).items():
                place, sign = word_place(word, self.dimension)
                rows[number, place] += sign * count**0.5
        tick(len(inputs), len(inputs))
        return rows


@lru_cache(maxsize=REMEMBERED_WORDS)
def word_place(word: str, dimension: int) -> tuple[int, int]:
    """Return where a word is counted, from 1 on, and with which sign."""
    # Not hash(): Python salts it anew in every process.
    number = int.from_bytes(
        hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )
    return 1 + (number >> 1) % (dimension - 1), 1 if number & 1 else -1
