"""From one list of hits to another: where every passage went, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.records import Chunk, Hit

Cause = Literal["same", "ranked", "cut", "repeated", "filtered", "beyond"]
CAUSES: dict[Cause, str] = {
    "same": "same rank",
    "ranked": "ranked differently",
    "cut": "cut differently",
    "repeated": "shown once, with its copy",
    "filtered": "filtered out",
    "beyond": "not among the hits compared",
}

SAME_PASSAGE = 0.5
"""Two chunks show the same passage when they share this part of the shorter one."""


@dataclass(frozen=True, slots=True)
class Move:
    """A passage's way from rank ``left`` to rank ``right``; None where it is in none of the hits compared."""

    left: int | None
    right: int | None
    cause: Cause
    chunk: Chunk
    """As the list shows it that ranks it higher; the left one for equal ranks."""


def same_passage(a: Chunk, b: Chunk) -> bool:
    """Return whether two chunks share half of the shorter one."""
    if a.document_id != b.document_id:
        return False
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared >= SAME_PASSAGE * min(a.end - a.start, b.end - b.start)


def moves(
    left: Sequence[Hit],
    right: Sequence[Hit],
    shown: int,
    filtered_left: Callable[[Chunk], bool] = lambda chunk: False,
    filtered_right: Callable[[Chunk], bool] = lambda chunk: False,
) -> list[Move]:
    """Return a move for every passage among the first ``shown`` hits of either list, by its better rank.

    Both lists may be longer than ``shown``: a passage that fell behind is still found. A passage is followed to the
    best hit that shows it; where two hits of one list show the same one, each has its own move. ``filtered_left`` and
    ``filtered_right`` say which chunks the search of that side was not allowed to find.
    """
    found: dict[tuple[int | None, int | None], Move] = {}
    for hit in left[:shown]:
        other, cause = _followed(hit, right, filtered_right)
        found[hit.rank, other] = Move(hit.rank, other, cause, hit.chunk)
    for hit in right[:shown]:
        other, cause = _followed(hit, left, filtered_left)
        found.setdefault((other, hit.rank), Move(other, hit.rank, cause, hit.chunk))
    beyond = max(len(left), len(right)) + 1
    return sorted(
        found.values(), key=lambda move: (min(move.left or beyond, move.right or beyond), move.left is None)
    )


def _followed(hit: Hit, others: Sequence[Hit], filtered: Callable[[Chunk], bool]) -> tuple[int | None, Cause]:
    """Return the rank at which another list shows a hit's passage, and why it differs."""
    for other in others:
        if same_passage(hit.chunk, other.chunk):
            if (hit.chunk.start, hit.chunk.end) != (other.chunk.start, other.chunk.end):
                return other.rank, "cut"
            return other.rank, "same" if other.rank == hit.rank else "ranked"
    for other in others:
        if any(same_passage(hit.chunk, copy) for copy in other.also):
            return other.rank, "repeated"
    return None, "filtered" if filtered(hit.chunk) else "beyond"
