"""Ranges: what the algebra of spans and the two ways of joining pieces promise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.spans import (
    Characters,
    Pieces,
    Span,
    cut,
    difference,
    distinct,
    intersection,
    length,
    merged,
    packed,
    sizes,
    trimmed,
    united,
)

spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda p: (min(p), max(p))), max_size=8
)
pieces_of_text = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=30).map(
    lambda gaps: [
        (sum(g + s for g, s in gaps[:i]) + gap, sum(g + s for g, s in gaps[: i + 1]))
        for i, (gap, _) in enumerate(gaps)
    ]
)


def covered(found: list[Span]) -> set[int]:
    return {place for start, end in found for place in range(start, end)}


def pieces(ranges: list[Span]) -> Pieces:
    array = np.array(ranges, np.int64).reshape(-1, 2)
    return Pieces(array, sizes(array, Characters()))


@given(spans, spans)
def test_the_algebra_is_that_of_sets_of_characters(a: list[Span], b: list[Span]) -> None:
    assert covered(merged(a)) == covered(a)
    assert covered(intersection(a, b)) == covered(a) & covered(b)
    assert covered(difference(a, b)) == covered(a) - covered(b)
    for found in (merged(a), intersection(a, b), difference(a, b)):
        assert found == merged(found)
        assert length(found) == len(covered(found))


@given(st.text(alphabet=" \tab", max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_trimming_loses_blanks_only(text: str, one: int, two: int) -> None:
    start, end = sorted((min(one, len(text)), min(two, len(text))))
    found = trimmed(text, start, end)
    assert (text[found[0] : found[1]] if found else "") == text[start:end].strip()


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(0, 50)))
def test_united_offsets_are_those_of_both(a: list[int], b: list[int]) -> None:
    left, right = (np.array(sorted(set(each)), np.int64) for each in (a, b))
    assert united(left, right).tolist() == sorted({*a, *b})
    assert distinct(np.array(sorted(a), np.int64)).tolist() == sorted(set(a))


@given(pieces_of_text, st.integers(9, 40), st.integers(0, 4), st.sets(st.integers(1, 29)))
def test_packing_is_greedy(ranges: list[Span], budget: int, overlap: int, breaks: set[int]) -> None:
    kept = sorted(place for place in breaks if place < len(ranges))
    found = list(packed(pieces(ranges), budget, overlap, kept))
    assert found == packed_one_by_one(ranges, budget, overlap, kept)


@given(pieces_of_text, st.integers(9, 40), st.integers(0, 8), st.integers(9, 60), st.booleans())
def test_no_joined_range_is_longer_than_the_longest(
    ranges: list[Span], budget: int, overlap: int, longest: int, by_count: bool
) -> None:
    # Each piece counts one, whatever its length: only ``longest`` keeps the characters down.
    count = np.arange(len(ranges), dtype=np.int64)
    counted = Pieces(np.array(ranges, np.int64).reshape(-1, 2), np.stack([count, count + 1], axis=1))
    way = packed if by_count else cut
    found = list(way(counted, budget, overlap, longest=longest))
    assert all(end - start <= longest or (start, end) in ranges for start, end in found)
    assert difference(ranges, found) == []
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(found))


def packed_one_by_one(ranges: list[Span], budget: int, overlap: int, breaks: list[int]) -> list[Span]:
    """Return what packing means, without bisection: the oracle."""
    result: list[Span] = []
    for low, high in zip([0, *breaks], [*breaks, len(ranges)], strict=True):
        first = low
        while first < high:
            last = first + 1
            while last < high and ranges[last][1] - ranges[first][0] <= budget:
                last += 1
            result.append((ranges[first][0], ranges[last - 1][1]))
            if last == high:
                break
            first = max(first + 1, last - overlap)
            while first < last and ranges[last][1] - ranges[first][0] > budget:
                first += 1
    return result


@given(pieces_of_text, st.integers(9, 40), st.integers(0, 8))
def test_cutting_without_levels_and_overlap_is_packing(ranges: list[Span], budget: int, least: int) -> None:
    assert list(cut(pieces(ranges), budget, least=least)) == list(packed(pieces(ranges), budget))


@given(pieces_of_text, st.integers(9, 40), st.integers(0, 8), st.sets(st.integers(1, 29)), st.integers(0, 40))
def test_cuts_fall_at_the_level_where_that_leaves_enough(
    ranges: list[Span], budget: int, overlap: int, level: set[int], least: int
) -> None:
    places = sorted(place for place in level if place < len(ranges))
    found = list(cut(pieces(ranges), budget, overlap, [places], least))
    ends = {ranges[place - 1][1] for place in places}
    before = 0
    for (start, end), following in zip(found, [*found[1:], None], strict=True):
        assert end - start <= budget
        if following is None:
            continue
        assert start < following[0]
        assert end < following[1]
        assert end - following[0] <= overlap
        if end not in ends:
            assert not any(max(start + least, before + 1) <= place <= end for place in ends)
        before = end
    assert covered(ranges) <= covered(found)


def test_a_coarser_level_is_preferred() -> None:
    words = [(place, place + 1) for place in range(0, 40, 2)]
    assert next(cut(pieces(words), 19, levels=[[7], [7, 9]])) == (0, 13)
    assert next(cut(pieces(words), 19, levels=[[7], [7, 9]], least=15)) == (0, 17)
    assert next(cut(pieces(words), 19, levels=[[7], [7, 9]], least=18)) == (0, 19)
