"""Passages whose vectors know what stands around them: the document is read in overlapping windows, then pooled.

Late chunking (Günther et al., 2024, https://arxiv.org/abs/2409.04701): the model reads the text before it is cut, so
a token's vector has seen its neighbours on both sides, also those in other chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from workbench.analysis import TextAnalysis
from workbench.contracts import (
    EmbeddingModel,
    KeptVectors,
    Passage,
    Tick,
    checked_vectors,
    no_tick,
)
from workbench.embedders._kept_arrays import KeptArrays
from workbench.embedders._text_model import ModelSettings, SentenceTransformerModel
from workbench.errors import SettingsError
from workbench.records import Vectors, digest

KEPT_BYTES = 4 * 2**30
"""Space for vectors of tokens: about 5 million tokens of 384 numbers."""
WINDOWS_AT_ONCE = 64


class LateChunking(ModelSettings):
    """Read the document in overlapping windows, then pool the tokens of each chunk: another embedder than its model."""

    label: ClassVar[str] = "Late chunking (chunks that know their surroundings)"

    stride_tokens: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="how far a window is from the next, empty for half a window; where windows overlap, a token's "
        "vectors are averaged",
    )

    def embedding_model(self, folder: Path) -> EmbeddingModel:
        return LateChunkingModel(
            self.text_model(folder), self.stride_tokens, KeptArrays(folder / "tokens", KEPT_BYTES)
        )


class LateChunkingModel(EmbeddingModel):
    """Means of the vectors of a passage's tokens. Questions are embedded by ``alone`` as they are.

    The vectors of a document's tokens are kept on disk: every other chunking of it costs no reading.
    """

    window_tokens = None

    def __init__(self, alone: SentenceTransformerModel, stride_tokens: int | None, kept: KeptArrays) -> None:
        if not alone.takes_mean:
            raise SettingsError(
                f"late chunking takes the mean of tokens, and {alone.title} makes its vectors in another way: name a "
                "model that takes the mean"
            )
        self._window = alone.window_tokens - alone.prefix_tokens
        self._stride = stride_tokens or max(1, self._window // 2)
        if self._stride > self._window:
            raise SettingsError(
                f"stride_tokens ({self._stride}) must be at most {self._window}, the window of {alone.title}: tokens "
                "between two windows would not be read"
            )
        self._alone = alone
        self._kept = kept
        self.title = f"{alone.title}, late chunking"
        self.dimension = alone.dimension
        self.tokenizer = alone.tokenizer
        self.query_prefix = alone.query_prefix
        self.id = digest(["late_chunking", LateChunking.VERSION, alone.id, self._stride])

    @property
    def text_model(self) -> EmbeddingModel:
        """The model that embeds questions."""
        return self._alone

    def passage_key(self, passage: Passage) -> str:
        """Return the embed key, which holds the whole document."""
        return digest(["passage", passage.analysis.text_hash, passage.start, passage.end, self.id])

    def unread(self, passages: Sequence[Passage], kept: KeptVectors) -> list[Passage]:
        """Return the windows of the documents whose tokens have no vectors yet."""
        distinct = {self.passage_key(passage): passage for passage in passages}
        known = kept.found(list(distinct), self.dimension)
        documents = {p.analysis.text_hash: p.analysis for key, p in distinct.items() if key not in known}
        windows: list[Passage] = []
        for analysis in documents.values():
            if self._tokens_key(analysis) not in self._kept:
                tokens = analysis.tokens
                windows += [
                    Passage(analysis, int(tokens.starts[first]), int(tokens.ends[last - 1]))
                    for first, last in self._windows(len(tokens))
                ]
        return windows

    def passage_vectors(
        self, passages: Sequence[Passage], kept: KeptVectors, tick: Tick = no_tick
    ) -> Vectors:
        """Return the means of the tokens' vectors; a document's tokens are read once and kept on disk."""
        return self._pooled(passages, tick, on_disk=True)

    def vectors(self, texts: Sequence[str], *, query: bool = False, tick: Tick = no_tick) -> Vectors:
        """Return vectors of texts that stand alone: each is a document of its own, and a question is no passage."""
        if query:
            return self._alone.vectors(texts, query=True, tick=tick)
        return super().vectors(texts, tick=tick)

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        whole = [Passage(TextAnalysis(text, self.tokenizer), 0, len(text)) for text in inputs]
        return self._pooled(whole, tick, on_disk=False)

    def _pooled(self, passages: Sequence[Passage], tick: Tick, on_disk: bool) -> Vectors:
        places: dict[str, list[int]] = {}
        for place, passage in enumerate(passages):
            places.setdefault(passage.analysis.text_hash, []).append(place)
        means = np.zeros((len(passages), self.dimension), np.float64)
        done = 0
        tick(done, len(passages))
        for of_one in places.values():
            analysis = passages[of_one[0]].analysis

            def part(read: int, total: int, done: int = done, share: int = len(of_one)) -> None:
                tick(done + share * read // max(1, total), len(passages))

            rows = self._token_vectors(analysis, part, on_disk)
            for place in of_one:
                passage = passages[place]
                first = int(np.searchsorted(analysis.tokens.ends, passage.start, side="right"))
                last = int(np.searchsorted(analysis.tokens.starts, passage.end, side="left"))
                if first < last:
                    means[place] = rows[first:last].mean(axis=0, dtype=np.float64)
                else:
                    # Nothing in it is a token: what the model makes of an empty text is all that can be said.
                    means[place] = self._alone.vectors([passage.text])[0]
            done += len(of_one)
            tick(done, len(passages))
        return checked_vectors(means, len(passages), self.dimension, self.title)

    # ── vectors of tokens ────────────────────────────────────────────────────────────────────────────────────────

    def _tokens_key(self, analysis: TextAnalysis) -> str:
        return digest(["tokens", analysis.text_hash, self.id])

    def _token_vectors(self, analysis: TextAnalysis, tick: Tick, on_disk: bool) -> np.ndarray[Any, Any]:
        shape = (len(analysis.tokens), self.dimension)
        blocks = self._blocks(analysis.text, tick)
        if on_disk:
            return self._kept.array(self._tokens_key(analysis), shape, blocks)
        return np.concatenate([np.zeros((0, self.dimension), np.float16), *blocks])

    def _windows(self, count: int) -> list[tuple[int, int]]:
        """Return the windows of a text of ``count`` tokens; the last is moved back so that it is full."""
        last = max(0, count - self._window)
        starts = [*range(0, last, self._stride), last] if count else []
        return [(start, min(start + self._window, count)) for start in starts]

    def _blocks(self, text: str, tick: Tick) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the vectors of a text's tokens in order, as soon as no further window reaches them."""
        ids = self._alone.token_ids(text)
        windows = self._windows(len(ids))
        begin = 0
        sums = np.zeros((0, self.dimension), np.float32)
        counts = np.zeros(0, np.float32)
        for number in range(0, len(windows), WINDOWS_AT_ONCE):
            group = windows[number : number + WINDOWS_AT_ONCE]

            def part(done: int, total: int, number: int = number) -> None:
                tick(number + done, len(windows))

            framed = [self._alone.framed(ids[first:last]) for first, last in group]
            found = self._alone.token_vectors([sequence for sequence, _ in framed], part)
            more = group[-1][1] - begin - len(sums)
            sums = np.concatenate([sums, np.zeros((more, self.dimension), np.float32)])
            counts = np.concatenate([counts, np.zeros(more, np.float32)])
            for (first, last), (_, head), rows in zip(group, framed, found, strict=True):
                sums[first - begin : last - begin] += rows[head : head + last - first]
                counts[first - begin : last - begin] += 1
            following = windows[number + len(group)][0] if number + len(group) < len(windows) else len(ids)
            ready = following - begin
            yield (sums[:ready] / counts[:ready, None]).astype(np.float16)
            sums, counts, begin = sums[ready:], counts[ready:], following
