"""What the work of a plan will come to: documents are taken to be like those that are in already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.ingest.entries import WRITTEN, State

BYTES_A_TOKEN = 4.5
"""Of English text; a rough guess until the first documents are in."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the work will come to, None where nothing is known yet. ``money`` is in the unit of the price."""

    chunks: int | None
    tokens: int | None
    money: float | None


class Expectation:
    """Sums from which follows what the work will come to: documents are like those that are in already."""

    def __init__(self) -> None:
        self._written = self._chunks = self._tokens = 0
        self._sized = self._bytes = 0

    def learn(self, state: State | None) -> None:
        """Learn from a document of the table."""
        if state is not None and state.status == WRITTEN:
            self._written += 1
            self._chunks += state.chunk_count
            self._tokens += state.token_count

    def add(self, size_bytes: int | None) -> None:
        """Note the size of an item that is to be worked on, where it is known."""
        if size_bytes is not None:
            self._sized += 1
            self._bytes += size_bytes

    def of(
        self,
        count: int,
        price_per_million_tokens: float,
        chunk_tokens: int | None,
        tokens_elsewhere: Callable[[], float | None],
    ) -> Expected:
        """Return what so many items will come to; ``tokens_elsewhere`` is what a document of another table has."""
        if not count:
            return Expected(0, 0, 0.0)
        chunks: float | None
        tokens: float | None
        if self._written:
            chunks = count * self._chunks / self._written
            tokens = count * self._tokens / self._written
        else:
            guess = self._bytes / self._sized / BYTES_A_TOKEN if self._sized else None
            elsewhere = tokens_elsewhere()
            each = guess if elsewhere is None else elsewhere
            tokens = None if each is None else count * each
            chunks = None if tokens is None or not chunk_tokens else max(count, tokens / chunk_tokens)
        money = None if tokens is None else tokens * price_per_million_tokens / 1e6
        return Expected(
            None if chunks is None else round(chunks), None if tokens is None else round(tokens), money
        )
