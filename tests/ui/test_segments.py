"""Elementary segments: a partition of the union in which every character knows its owners."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import SettingsError
from workbench.records import Chunk
from workbench.ui.components.chunk_viewer import Column, checked_selection, segments, viewer_data


@st.composite
def ordered_spans(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Return ranges ordered by start, touching, nested, apart and equal ones among them."""
    ranges = st.tuples(st.integers(0, 60), st.integers(1, 25))
    return sorted((start, start + length) for start, length in draw(st.lists(ranges, max_size=20)))


@given(ordered_spans())
def test_segments_partition_the_union_and_know_the_owners_of_every_character(
    spans: list[tuple[int, int]],
) -> None:
    found = segments(spans)
    owners = {at: own for start, end, own in found for at in range(start, end)}
    assert sum(end - start for start, end, _ in found) == len(owners)
    assert [start for start, _, _ in found] == sorted(start for start, _, _ in found)
    union = {at for start, end in spans for at in range(start, end)}
    assert owners == {at: [i for i, (a, b) in enumerate(spans) if a <= at < b] for at in union}


@given(ordered_spans())
def test_there_are_at_most_two_segments_for_each_range(spans: list[tuple[int, int]]) -> None:
    assert len(segments(spans)) <= max(0, 2 * len(spans) - 1)


def test_an_empty_range_owns_nothing() -> None:
    assert segments([(3, 3), (3, 4)]) == [(3, 4, [1])]


def chunk(ordinal: int, start: int, end: int) -> Chunk:
    return Chunk(f"c{ordinal}", "d", ordinal, start, end, "x" * (end - start), 1, 1, 3)


def test_only_the_chunks_on_the_window_are_sent_and_their_numbers_stay_absolute() -> None:
    chunks = [chunk(0, 0, 90), chunk(1, 80, 130), chunk(2, 130, 220), chunk(3, 220, 300)]
    data = viewer_data(
        "t" * 100, [Column("a", "A", chunks)], offset=100, marks=[(90, 110), (250, 260)], scroll_to=150
    )
    column = data["columns"][0]
    assert [c[:3] for c in column["chunks"]] == [[1, 80, 130], [2, 130, 220]]
    assert column["segments"] == [[0, 30, [0]], [30, 100, [1]]]
    assert (column["count"], data["marks"], data["scroll_to"]) == (4, [[0, 10]], 50)


def test_the_signature_follows_what_is_drawn_and_nothing_else() -> None:
    columns = [Column("a", "A", [chunk(0, 0, 5)])]
    first = viewer_data("hello", columns)["sig"]
    assert viewer_data("hello", columns, height=900, scroll_to=3)["sig"] == first
    assert viewer_data("hallo", columns)["sig"] != first
    assert viewer_data("hello", [Column("a", "A", [chunk(0, 0, 4)])])["sig"] != first


def test_a_fifth_column_is_refused() -> None:
    with pytest.raises(SettingsError, match="4 are the most"):
        viewer_data("", [Column(str(n), "", []) for n in range(5)])


@given(st.text(min_size=1, max_size=40), st.integers(0, 9), st.data())
def test_a_selection_is_taken_only_when_it_is_what_stands_there(
    text: str, offset: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    value = {"column": "a", "start": offset + start, "end": offset + end, "text": text[start:end]}
    found = checked_selection(text, offset, value)
    assert found is not None
    assert (found.start, found.end, found.text) == (offset + start, offset + end, text[start:end])
    assert checked_selection(text, offset, value | {"text": text[start:end] + "!"}) is None
    assert checked_selection(text, offset, value | {"start": offset - 1}) is None
