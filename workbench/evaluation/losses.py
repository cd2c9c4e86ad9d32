"""Why a judged range was not shown: the reason that stands first in the way from document to hit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.counts import counted
from workbench.evaluation.ranks import MIN_OVERLAP, first_ranks
from workbench.evaluation.results import ChunkRanges, FoundRange, JudgedRange, QuestionResult, Truth
from workbench.records import Chunk, Judgment

SeenEnd = Callable[[Chunk], int]
"""The offset in a chunk's text up to which the model reads it."""


@dataclass(frozen=True, slots=True)
class Loss:
    """``kind`` is one of not_in_table, cut, beyond_window, outranked.

    ``chunks`` are those that hold the range or parts of it. ``rank`` is where the best of them came, None where it was
    not among the hits at all; ``above`` are the hits that were shown instead.
    """

    judgment: Judgment
    kind: str
    message: str
    chunks: tuple[Chunk, ...] = ()
    rank: int | None = None
    above: tuple[FoundRange, ...] = ()


@dataclass(frozen=True, slots=True)
class CutJudgment:
    """A judged range that no chunk holds whole, and the chunks that hold parts of it (none for a gap)."""

    judgment: Judgment
    chunks: tuple[Chunk, ...]


def losses(
    truth: Truth,
    result: QuestionResult,
    k: int,
    chunks: ChunkRanges,
    seen_end: SeenEnd | None = None,
    min_overlap: float = MIN_OVERLAP,
) -> list[Loss]:
    """Return the reason for each judged range that the first ``k`` hits do not show.

    The reasons are tried in the order of the flow: not in the table, cut by a boundary, beyond the model's window,
    outranked. Ask for more than k hits to learn the rank of what was outranked.
    """
    ranks = first_ranks(truth, result.hits, min_overlap)
    return [
        _loss(item, rank, result, k, chunks, seen_end, min_overlap)
        for item, rank in zip(truth.ranges, ranks, strict=True)
        if rank is None or rank > k
    ]


def cut_in_two(judgments: Sequence[Judgment], chunks: ChunkRanges) -> list[CutJudgment]:
    """Return the answering ranges that no chunk holds whole, in the given order."""
    result = []
    for judgment in judgments:
        if judgment.grade > 0 and judgment.document_id in chunks:
            parts = chunks.overlapping(judgment.document_id, judgment.start, judgment.end)
            if not any(c.start <= judgment.start and judgment.end <= c.end for c in parts):
                result.append(CutJudgment(judgment, tuple(parts)))
    return result


def _loss(
    item: JudgedRange,
    rank: int | None,
    result: QuestionResult,
    k: int,
    chunks: ChunkRanges,
    seen_end: SeenEnd | None,
    min_overlap: float,
) -> Loss:
    judgment = item.judgment
    parts = [(chunk, start, end) for place in item.places for chunk, start, end in _parts(place, chunks)]
    if not parts:
        known = any(document in chunks for document, _, _ in item.places)
        message = (
            "no chunk holds a character of it: the chunker left it out"
            if known
            else "its document is not in the table"
        )
        return Loss(judgment, "not_in_table", message)
    whole = [(c, s, e) for c, s, e in parts if _covered(c.start, c.end, s, e) >= min_overlap]
    touched = tuple(chunk for chunk, _, _ in parts)
    if not whole and rank is not None:
        # Only a hit that is shown with its surroundings holds what no chunk holds.
        message = f"outranked: the text shown around the hit at rank {rank} holds it, shown were {k}"
        return Loss(judgment, "outranked", message, touched, rank, result.hits[:k])
    if not whole:
        best = max(_covered(c.start, c.end, s, e) for c, s, e in parts)
        numbers = ", ".join(str(chunk.ordinal + 1) for chunk in touched[:8])
        message = (
            f"cut by a boundary: it lies in {len(touched)} chunks (numbers {numbers}), "
            f"of which the best holds {best:.0%} of it"
        )
        return Loss(judgment, "cut", message, touched)
    holding = tuple(chunk for chunk, _, _ in whole)
    if seen_end is not None:
        read = max(_covered(c.start, min(c.end, c.start + seen_end(c)), s, e) for c, s, e in whole)
        if read < min_overlap:
            message = f"beyond the model's window: it reads only {read:.0%} of the range in chunk {holding[0].ordinal + 1}"
            return Loss(judgment, "beyond_window", message, holding, rank)
    above = result.hits[:k]
    if rank is not None:
        wanted = result.hits[rank - 1].chunk_id
        number = next((chunk.ordinal + 1 for chunk in holding if chunk.id == wanted), None)
        what = "the text shown around another chunk" if number is None else f"chunk {number}"
        message = f"outranked: {what} came at rank {rank}, shown were {k}"
    else:
        message = f"outranked: its chunk is not among the {counted(len(result.hits), 'hit')}"
    return Loss(judgment, "outranked", message, holding, rank, above)


def _parts(place: tuple[str, int, int], chunks: ChunkRanges) -> list[tuple[Chunk, int, int]]:
    document, start, end = place
    return [(chunk, start, end) for chunk in chunks.overlapping(document, start, end)]


def _covered(start: int, end: int, low: int, high: int) -> float:
    return max(0, min(end, high) - max(start, low)) / (high - low)
