"""Chunks on a page: what is drawn where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.records import Chunk, Layout
from workbench.ui.components.page_viewer import PageChunk, clamped, image_uri, page_chunks, page_data

WEBP = b"RIFF\x00\x00\x00\x00WEBP"
NUMBERS = st.floats(-2000, 2000, allow_nan=False)


def layout() -> Layout:
    """Return six words on two pages, two words a line."""
    starts = np.arange(0, 60, 10)
    boxes = np.array(
        [[50 + 40 * (i % 2), 20 * (i // 2), 85 + 40 * (i % 2), 20 * (i // 2) + 12] for i in range(6)]
    )
    return Layout(
        starts.astype(np.int64),
        (starts + 9).astype(np.int64),
        np.array([1, 1, 1, 1, 2, 2], np.int32),
        np.array([0, 0, 1, 1, 2, 2], np.int32),
        boxes.astype(np.float32),
    )


def chunk(ordinal: int, start: int, end: int, first: int, last: int) -> Chunk:
    return Chunk(f"c{ordinal}", "d", ordinal, start, end, "x" * (end - start), first, last, 7)


def test_a_chunk_across_pages_shows_on_each_of_them_only_what_stands_there() -> None:
    chunks = [chunk(0, 0, 19, 1, 1), chunk(1, 20, 60, 1, 2)]
    on_first = page_chunks(chunks, layout(), 1, hit_ids=["c1"])
    on_second = page_chunks(chunks, layout(), 2)
    assert [(c.id, len(c.rects), c.hit) for c in on_first] == [(0, 1, False), (1, 1, True)]
    assert [(c.id, c.rects) for c in on_second] == [(1, [(50.0, 40.0, 125.0, 52.0)])]


def test_a_chunk_has_its_number_in_the_margin_of_the_page_where_it_begins_and_its_range_in_the_tip() -> None:
    chunks = [chunk(0, 0, 19, 1, 1), chunk(1, 20, 60, 1, 2)]
    assert [c.mark for c in page_chunks(chunks, layout(), 1)] == ["1", "2"]
    (goes_on,) = page_chunks(chunks, layout(), 2)
    assert (goes_on.mark, goes_on.label) == ("", "Chunk 2\ncharacters 20–60")


def test_the_neighbours_of_a_hit_are_dimmed() -> None:
    chunks = [{"id": 1, "rects": [(0, 0, 1, 1)], "hit": True}, PageChunk(2, [(0, 0, 1, 1)])]
    assert [c["dim"] for c in page_data(WEBP, 600, 800, chunks)["chunks"]] == [False, True]
    assert [c["dim"] for c in page_data(WEBP, 600, 800, chunks[1:])["chunks"]] == [False]


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_a_marked_rectangle_lies_on_the_page(corners: tuple[float, float, float, float]) -> None:
    found = clamped(corners, 595, 842)
    if found is not None:
        x0, y0, x1, y1 = found
        assert 0 <= x0 < x1 <= 595
        assert 0 <= y0 < y1 <= 842


def test_what_is_no_image_is_refused() -> None:
    assert image_uri(WEBP).startswith("data:image/webp;base64,")
    with pytest.raises(ValueError, match="WebP"):
        image_uri(b"<svg onload=alert(1)>")
