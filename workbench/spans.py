"""Half-open character ranges: trim, merge, intersect, subtract, pack.

A span is ``(start, end)`` in code points with ``start < end``. Lists of spans are ordered by start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

Span = tuple[int, int]
Offsets = npt.NDArray[np.int64]
"""``(n,) int64``: places in a text."""


class Measure(Protocol):
    """A unit of size. The size of ``start``–``end`` is ``highs(end) - lows(start)``; both never fall.

    That form is what makes packing fast: the furthest end that fits a budget is found by one bisection.
    """

    def lows(self, starts: Offsets) -> Offsets:
        """Return how much of the text is over before each place."""

    def highs(self, ends: Offsets) -> Offsets:
        """Return how much of the text has begun before each place."""


def sizes(ranges: npt.NDArray[np.int64], measure: Measure) -> npt.NDArray[np.int64]:
    """Return ``(n, 2)``: for each range what is over before it, and what has begun before its end."""
    return np.stack([measure.lows(ranges[:, 0]), measure.highs(ranges[:, 1])], axis=1)


class Characters:
    """Size in code points."""

    def lows(self, starts: Offsets) -> Offsets:
        """Return the places themselves."""
        return starts

    def highs(self, ends: Offsets) -> Offsets:
        """Return the places themselves."""
        return ends


def trimmed(text: str, start: int, end: int) -> Span | None:
    """Return the range without blanks at its ends, or None when nothing but blanks is in it.

    >>> trimmed("  ab ", 0, 5)
    (2, 4)
    """
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def length(spans: Iterable[Span]) -> int:
    """Return the sum of lengths, overlaps counted as often as they occur."""
    return sum(end - start for start, end in spans)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the union as disjoint ordered spans; touching neighbours are joined.

    >>> merged([(5, 7), (0, 2), (2, 3)])
    [(0, 3), (5, 7)]
    """
    result: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def intersection(a: Iterable[Span], b: Iterable[Span]) -> list[Span]:
    """Return the characters that lie in both unions, as disjoint ordered spans."""
    left, right = merged(a), merged(b)
    i = j = 0
    result: list[Span] = []
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            result.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return result


def difference(a: Iterable[Span], b: Iterable[Span]) -> list[Span]:
    """Return the characters of ``a`` that are not in ``b``.

    >>> difference([(0, 10)], [(2, 4), (8, 12)])
    [(0, 2), (4, 8)]
    """
    result: list[Span] = []
    holes = merged(b)
    hole = 0
    for start, end in merged(a):
        while hole < len(holes) and holes[hole][0] < end:
            hole_start, hole_end = holes[hole]
            if hole_start > start:
                result.append((start, hole_start))
            start = max(start, hole_end)
            if hole_end > end:
                break
            hole += 1
        if start < end:
            result.append((start, end))
    return result


def united(a: Offsets, b: Offsets) -> Offsets:
    """Return the offsets of both, increasing, each once; both must be increasing.

    >>> united(np.array([1, 4]), np.array([2, 4])).tolist()
    [1, 2, 4]
    """
    # A stable sort merges two runs in linear time, where numpy's own union hashes.
    both = np.sort(np.concatenate([a, b]), kind="stable")
    return distinct(both)


def distinct(offsets: Offsets) -> Offsets:
    """Return increasing offsets, each once."""
    if len(offsets) < 2:
        return offsets
    kept = np.empty(len(offsets), np.bool_)
    kept[0] = True
    np.not_equal(offsets[1:], offsets[:-1], out=kept[1:])
    found: Offsets = offsets[kept]
    return found


class Pieces:
    """Neighbouring ranges of one text with their sizes (see ``sizes``), ready to be joined.

    The pieces from ``i`` up to and without ``j`` have the joined size ``highs[j - 1] - lows[i]``, blanks
    between them included.
    """

    __slots__ = ("ends", "highs", "lows", "starts")

    def __init__(self, ranges: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> None:
        # Views, not lists: bisecting them is as fast, and nothing is copied that is never looked at.
        self.starts, self.ends = (ranges[:, side].data for side in (0, 1))
        self.lows, self.highs = (sizes[:, side].data for side in (0, 1))

    def __len__(self) -> int:
        return len(self.starts)


def packed(
    pieces: Pieces, budget: int, overlap: int = 0, breaks: Sequence[int] = (), longest: int | None = None
) -> Iterator[Span]:
    """Yield ranges that join neighbouring pieces while they fit into ``budget``.

    ``overlap`` is the number of pieces that a range repeats from the one before, fewer where the budget or the
    need to advance asks for it. No range reaches across one of the ``breaks``: indices of pieces, increasing.
    A single piece above the budget is yielded as it is: cut it beforehand. Each range costs two bisections, and two
    more where no range may be above ``longest`` in characters.
    """
    starts, ends, lows, highs = pieces.starts, pieces.ends, pieces.lows, pieces.highs
    for first, limit in pairwise([0, *breaks, len(pieces)]):
        while first < limit:
            last = bisect_right(highs, lows[first] + budget, first + 1, limit)
            if longest is not None:
                last = bisect_right(ends, starts[first] + longest, first + 1, last)
            yield starts[first], ends[last - 1]
            if last >= limit:
                break
            # Repeat pieces only as far as the next new piece still fits beside them.
            repeated = max(first + 1, last - overlap)
            first = bisect_left(lows, highs[last] - budget, repeated, last)
            if longest is not None:
                first = bisect_left(starts, ends[last] - longest, first, last)


def cut(
    pieces: Pieces,
    budget: int,
    overlap: int = 0,
    levels: Sequence[Sequence[int]] = (),
    least: int = 0,
    breaks: Sequence[int] = (),
    longest: int | None = None,
) -> Iterator[Span]:
    """Yield ranges as long as ``budget`` allows, ended at the coarsest place that leaves them ``least`` in size.

    ``levels`` are places to cut from coarse to fine, each an increasing list of indices of pieces; where none
    will do, the cut falls between two pieces. ``overlap`` is the largest size that a range repeats from the one
    before it; the repeated part begins at a place of the finest level if there is one. No range reaches across
    one of the ``breaks``, and none is above ``longest`` in characters. A single piece above the budget or ``longest``
    is yielded as it is.
    """
    starts, ends, lows, highs = pieces.starts, pieces.ends, pieces.lows, pieces.highs
    for first, limit in pairwise([0, *breaks, len(pieces)]):
        before = first
        while first < limit:
            last = bisect_right(highs, lows[first] + budget, first + 1, limit)
            if longest is not None:
                last = bisect_right(ends, starts[first] + longest, first + 1, last)
            if last < limit and levels:
                lowest = max(before, bisect_left(highs, lows[first] + least, first, last)) + 1
                last = next((place for level in levels if (place := _latest(level, last)) >= lowest), last)
            yield starts[first], ends[last - 1]
            if last >= limit:
                break
            before = last
            if not overlap:
                first = last
                continue
            # What is repeated must be small enough and leave room for the next piece.
            repeated = bisect_left(
                lows, max(highs[last - 1] - overlap, highs[last] - budget), first + 1, last
            )
            if longest is not None:
                repeated = bisect_left(starts, ends[last] - longest, repeated, last)
            if levels and repeated < last:
                finest = levels[-1]
                place = bisect_left(finest, repeated)
                if place < len(finest) and finest[place] < last:
                    repeated = finest[place]
            first = repeated


def _latest(places: Sequence[int], limit: int) -> int:
    place = bisect_right(places, limit)
    return places[place - 1] if place else -1
