"""What the layout viewer sends to the browser."""

from __future__ import annotations

import pytest

from workbench.page_blocks import PageBlock
from workbench.records import Box, Page
from workbench.ui.components.layout_viewer import LONGEST_TIP_CHARACTERS, layout_data

PNG = b"\x89PNG"
PAGE = Page(3, 100, 130, 595, 842)
HEADING = PageBlock("heading", 1, (100, 105), (Box(3, 10.004, 20, 90, 30),))
TABLE = PageBlock("table", 2, (107, 130), (Box(3, 10, 40, 90, 50), Box(3, 10, 52, 90, 62)))
HEADER = PageBlock("omitted", None, None, (Box(3, 10, 5, 90, 12),), "Annual <b>", "header or footer")


def test_ranges_count_from_the_text_and_rectangles_are_in_points() -> None:
    data = layout_data(PNG, PAGE, "x" * 30, [HEADING, TABLE, HEADER], offset=100)
    assert [block["span"] for block in data["blocks"]] == [[0, 5], [7, 30], None]
    assert data["blocks"][0]["rects"] == [[10.0, 20, 90, 30]]
    assert (data["width"], data["height"]) == (595, 842)
    assert [block["number"] for block in data["blocks"]] == [1, 2, None]


def test_tips_say_what_a_block_is_and_why_something_was_left_out() -> None:
    data = layout_data(PNG, PAGE, "x" * 30, [HEADING, TABLE, HEADER], offset=100)
    assert [block["tip"] for block in data["blocks"]] == [
        ["1 · Heading", "characters 100–105"],
        ["2 · Table", "characters 107–130"],
        ["Left out: header or footer", "Annual <b>"],
    ]


def test_long_text_that_was_left_out_is_shortened_in_its_tip() -> None:
    long = PageBlock("omitted", None, None, HEADER.boxes, "x" * 1000, "drawn twice")
    (block,) = layout_data(PNG, PAGE, "", [long], offset=100)["blocks"]
    assert block["tip"][1] == "x" * LONGEST_TIP_CHARACTERS + "…"


def test_the_legend_names_the_kinds_that_are_on_the_page() -> None:
    data = layout_data(PNG, PAGE, "x" * 30, [HEADER, TABLE], offset=100)
    assert [entry["name"] for entry in data["legend"]] == ["Table", "Left out"]


@pytest.mark.parametrize(("start", "length", "numbers"), [(100, 6, [1]), (106, 10, [2]), (105, 2, [])])
def test_a_part_of_a_page_has_the_blocks_that_touch_it_cut_to_its_range(
    start: int, length: int, numbers: list[int]
) -> None:
    blocks = layout_data(PNG, PAGE, "x" * length, [HEADING, TABLE], offset=start)["blocks"]
    assert [block["number"] for block in blocks] == numbers
    assert all(0 <= block["span"][0] < block["span"][1] <= length for block in blocks)


def test_only_the_switch_changes_when_the_layout_is_drawn() -> None:
    off, on = (layout_data(PNG, PAGE, "x", [HEADING], offset=100, drawn=drawn) for drawn in (False, True))
    assert off["sig"] == on["sig"]
    assert off | {"drawn": True} == on
