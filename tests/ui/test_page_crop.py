"""The strip of a page around a passage."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from workbench.ui.widgets.page_crop import LEAST_SHARE, MARGIN_POINTS, SIDE_POINTS, page_crop


def white_page(width: int = 200, height: int = 400) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (255, 255, 255)).save(out, "PNG")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_the_strip_holds_the_passage_with_margins_on_all_sides() -> None:
    found = opened(page_crop(white_page(), 100, 200, [(30, 80, 90, 150)]))
    # Two pixels a point: 70 points of passage and a margin above and below; on the right the page ends.
    assert found.size == (2 * (100 - (30 - SIDE_POINTS)), 2 * (70 + 2 * MARGIN_POINTS))


def test_a_narrow_passage_keeps_a_share_of_the_page_beside_it() -> None:
    found = opened(page_crop(white_page(), 100, 200, [(20, 80, 25, 150)]))
    assert found.width == round(2 * 100 * LEAST_SHARE)


def test_a_passage_at_the_edge_keeps_the_strip_on_the_page() -> None:
    found = opened(page_crop(white_page(), 100, 200, [(0, 0, 100, 200)]))
    assert found.size == (200, 400)


def test_the_sentence_is_marked_more_strongly_than_the_passage_and_the_rest_not_at_all() -> None:
    found = opened(page_crop(white_page(), 100, 200, [(10, 80, 80, 150)], [(10, 100, 80, 110)]))
    top = 80 - MARGIN_POINTS
    at = lambda x, y: found.getpixel((2 * x, 2 * (y - top)))  # noqa: E731
    rest, passage, sentence = at(90, 100), at(30, 140), at(30, 105)
    assert rest == pytest.approx((255, 255, 255), abs=3)
    assert passage[0] < 240
    assert sentence[2] < 160 < passage[2]


def test_the_strip_is_cut_between_lines_not_through_letters() -> None:
    # Lines of text 8 pixels high, 16 pixels apart; a cut by margins alone would go through one of them.
    page = Image.new("RGB", (200, 400), (255, 255, 255))
    for y in range(4, 400, 16):
        page.paste((0, 0, 0), (10, y, 190, y + 8))
    out = io.BytesIO()
    page.save(out, "PNG")
    for top in range(60, 76):
        found = opened(page_crop(out.getvalue(), 100, 200, [(10, top, 90, top + 60)]))
        for row in (0, found.height - 1):
            assert min(found.getpixel((x, row))[0] for x in range(found.width)) > 200, top


def test_a_page_without_a_passage_is_whole() -> None:
    assert opened(page_crop(white_page(), 100, 200, [])).size == (200, 400)
