"""What is counted over all chunks of one document, and what a model gets of one chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.analysis import Ranges, TextAnalysis
from workbench.contracts import EmbeddingModel
from workbench.records import Chunk
from workbench.sentences import punkt_sentences


@dataclass(frozen=True, eq=False)
class Figures:
    """What is counted over all chunks of a document. Shares are 0 to 1."""

    token_counts: npt.NDArray[np.int64]
    median_tokens: float
    cut_inside_sentence: float
    """Share of chunks that begin or end inside a sentence."""
    beyond_window: float
    """Share of chunks of which the model does not read the end."""
    window_tokens: int | None


def figures(chunks: Sequence[Chunk], analysis: TextAnalysis, model: EmbeddingModel) -> Figures:
    """Return what is counted over these chunks of one text."""
    counts = np.array([chunk.token_count for chunk in chunks], np.int64)
    if not len(counts):
        return Figures(counts, 0.0, 0.0, 0.0, model.window_tokens)
    sentences = punkt_sentences(analysis)
    starts = np.array([chunk.start for chunk in chunks], np.int64)
    ends = np.array([chunk.end for chunk in chunks], np.int64)
    cut = inside(sentences, starts) | inside(sentences, ends)
    beyond = model.beyond_window(counts.tolist())
    return Figures(
        counts, float(np.median(counts)), float(cut.mean()), float(beyond.mean()), model.window_tokens
    )


def inside(ranges: Ranges, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return for each offset whether it lies strictly inside a range: its ends are not inside."""
    if not len(ranges):
        return np.zeros(len(offsets), bool)
    before = np.searchsorted(ranges[:, 0], offsets, side="left") - 1
    found: npt.NDArray[np.bool_] = (before >= 0) & (ranges[np.maximum(before, 0), 1] > offsets)
    return found


def model_input(chunk: Chunk, model: EmbeddingModel) -> tuple[str, str, str]:
    """Return prefix, the text that the model reads, and the text beyond its window, as they are given to it."""
    read = model.seen_end(chunk.text)
    return model.passage_prefix, chunk.text[:read], chunk.text[read:]
