"""Half-open character ranges: pack, merge, overlap, trim, complement.

A span is ``(start, end)`` in code points with ``start < end``. Lists of spans are ordered by start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

Span = tuple[int, int]
Measure = Callable[[int, int], int]
"""The size of a range, in whatever unit a budget is given in."""


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
    for start, end in merged(a):
        for hole_start, hole_end in holes:
            if hole_end <= start:
                continue
            if hole_start >= end:
                break
            if hole_start > start:
                result.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            result.append((start, end))
    return result


def packed(pieces: Sequence[Span], budget: int, measure: Measure, overlap: int = 0) -> Iterator[Span]:
    """Yield ranges that join neighbouring pieces while they fit into ``budget``.

    ``overlap`` is the number of pieces that a range repeats from the one before, fewer where the budget or the
    need to advance asks for it. A single piece above the budget is yielded as it is: cut it beforehand.
    Sizes are measured over the joined range, so blanks between pieces are paid for. Linear in the pieces
    for a constant overlap.
    """
    count = len(pieces)
    first = 0
    while first < count:
        last = first + 1
        while last < count and measure(pieces[first][0], pieces[last][1]) <= budget:
            last += 1
        yield pieces[first][0], pieces[last - 1][1]
        if last >= count:
            return
        # Repeat pieces only as far as the next new piece still fits beside them.
        following = max(first + 1, last - overlap)
        while following < last and measure(pieces[following][0], pieces[last][1]) > budget:
            following += 1
        first = following
