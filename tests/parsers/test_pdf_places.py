"""The boxes of words: they cover the word on the page as it is displayed."""

from __future__ import annotations

import io

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests import documents
from tests.documents.raw_pdf import paged_pdf, stream, text_lines
from tests.parsers.made_pdfs import drawn, paragraph, pdf, report_pdf
from workbench.errors import InputError
from workbench.parsers.pdf import Pdf
from workbench.records import Box

REPORT = Pdf().parsed(report_pdf(), "report.pdf", "an id", "a place")


def picture(data: bytes, page: int, dpi: int = 144) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(Pdf().page_image(data, page, dpi))).convert("L"))


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_boxes_cover_the_ink_of_turned_pages_and_nothing_else_does(page: int) -> None:
    data = documents.rotated_pages_pdf()
    found = Pdf().parsed(data, "turned.pdf", "an id", "a place")
    pixels = picture(data, page)
    assert pixels.shape == (
        round(found.document.pages[page - 1].height * 2),
        round(found.document.pages[page - 1].width * 2),
    )
    covered = np.zeros(pixels.shape, bool)
    on_page = found.layout.pages == page
    assert on_page.any()
    for x0, y0, x1, y1 in found.layout.boxes[on_page] * 2:
        box = np.s_[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
        assert (pixels[box] < 128).any()
        covered[box] = True
    assert not (pixels[~covered] < 128).any()


@pytest.mark.parametrize("turn", [0, 90, 180, 270, -90, 450])
@pytest.mark.parametrize(
    "entries", [b"/UserUnit 2", b"/CropBox[50 300 900 820]", b"/CropBox[40 400 500 800]/UserUnit 1.5"]
)
def test_boxes_cover_the_ink_of_turned_pages_that_are_cut_or_in_other_units(
    turn: int, entries: bytes
) -> None:
    content = stream(text_lines(["This page is turned.", "Second line."]))
    data = paged_pdf([content], page_entries=[b"/Rotate %d%b" % (turn, entries)])
    found = Pdf().parsed(data, "turned.pdf", "an id", "a place")
    pixels = picture(data, 1, 110)
    page = found.document.pages[0]
    scale = np.array([pixels.shape[1] / page.width, pixels.shape[0] / page.height] * 2)
    covered = np.zeros(pixels.shape, bool)
    assert len(found.layout.boxes) == 6
    for x0, y0, x1, y1 in (found.layout.boxes * scale).round().astype(int):
        box = np.s_[y0 - 1 : y1 + 1, x0 - 1 : x1 + 1]
        assert (pixels[box] < 128).any()
        covered[box] = True
    assert not (pixels[~covered] < 128).any()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("word", ["tallow", "Wagons"])
def test_a_words_box_is_where_mupdf_finds_it(rotate: int, word: str) -> None:
    data = pdf(paragraph("grease of tallow and oil", "and twelve Wagons full", top=500), rotate=rotate)
    found = Pdf().parsed(data, "turned.pdf", "an id", "a place")
    start = found.document.text.index(word)
    (box,) = found.layout.rectangles(start, start + len(word))
    with pymupdf.open("pdf", data) as document:
        page = document[0]
        (place,) = page.search_for(word)
        place = (place * page.rotation_matrix).normalize()
    assert (box.x0 + box.x1) / 2 == pytest.approx((place.x0 + place.x1) / 2, abs=1)
    assert (box.y0 + box.y1) / 2 == pytest.approx((place.y0 + place.y1) / 2, abs=3)


def test_boxes_on_a_cropped_and_turned_page_are_in_its_own_points() -> None:
    with pymupdf.open("pdf", pdf(drawn("crossing", 200, 400, 20))) as made:
        made[0].set_cropbox(pymupdf.Rect(100, 300, 500, 700))
        made[0].set_rotation(90)
        data = bytes(made.tobytes())
    found = Pdf().parsed(data, "cropped.pdf", "an id", "a place")
    (box,) = found.layout.rectangles(0, len(found.document.text))
    pixels = picture(data, 1)
    inside = np.zeros(pixels.shape, bool)
    inside[int(box.y0 * 2) : int(box.y1 * 2) + 1, int(box.x0 * 2) : int(box.x1 * 2) + 1] = True
    assert (pixels[inside] < 128).any()
    assert not (pixels[~inside] < 128).any()


@given(st.data())
def test_rectangles_of_a_range_lie_on_pages_of_that_range(data: st.DataObject) -> None:
    document, layout = REPORT.document, REPORT.layout
    start = data.draw(st.integers(0, len(document.text) - 1))
    end = data.draw(st.integers(start + 1, len(document.text)))
    first, last = document.page_at(start), document.page_at(end - 1)
    boxes = layout.rectangles(start, end)
    assert all(first <= box.page <= last for box in boxes)
    assert bool(boxes) == bool(document.text[start:end].strip())


@given(st.integers(0, len(REPORT.layout.starts) - 1))
def test_a_word_is_found_again_under_its_box(index: int) -> None:
    layout = REPORT.layout
    x0, y0, x1, y1 = (float(side) for side in layout.boxes[index])
    found = layout.range_under(Box(int(layout.pages[index]), x0, y0, x1, y1))
    assert found is not None
    assert found[0] <= layout.starts[index] < layout.ends[index] <= found[1]


def test_a_page_image_is_webp_of_the_asked_size() -> None:
    image = Image.open(io.BytesIO(Pdf().page_image(report_pdf(), 2, 72)))
    assert (image.format, image.size) == ("WEBP", (595, 842))


def test_the_picture_of_an_absurd_page_is_bounded() -> None:
    for data in (
        documents.absurd_page_size_pdf(),
        pdf(drawn("thin", 1, 1), size=(2_000_000, 20)),
        pdf(drawn("tiny", 1, 1), size=(1, 1)),
    ):
        width, height = Image.open(io.BytesIO(Pdf().page_image(data, 1, 600))).size
        assert 1 <= width * height <= 3_100_000
        assert max(width, height) <= 16_383


@pytest.mark.parametrize("page", [0, -1, 3])
def test_a_page_that_is_not_there_is_refused(page: int) -> None:
    with pytest.raises(InputError, match="the file has 2"):
        Pdf().page_image(report_pdf(), page)


@st.composite
def tables_and_text(draw: st.DrawFn) -> tuple[bytes, dict[str, tuple[float, float]]]:
    """A page of lines in columns, half a line apart at least, and where the middle of each word is."""
    content, places, ends = b"", {}, dict.fromkeys(range(0, 1000, 6), 0.0)
    size = draw(st.sampled_from([6, 10, 14]))
    for step, column, count, bold in draw(
        st.lists(
            st.tuples(st.integers(0, 60), st.integers(0, 5), st.integers(1, 5), st.booleans()),
            min_size=1,
            max_size=40,
        )
    ):
        words = [
            f"{draw(st.sampled_from(['12', 'Tram', 'car-', 'x.']))}{len(places) + i}q" for i in range(count)
        ]
        left, top, font = 40 + 90 * column, 60 + 12 * step, "hebo" if bold else "helv"
        right = left + pymupdf.get_text_length(" ".join(words), font, size)
        rows = range(top - 12, top + 18, 6)
        if any(left < ends[row] + 3 for row in rows):
            continue  # one line over another
        ends.update(dict.fromkeys(rows, right))
        content += drawn(" ".join(words), left, top, size, bold=bold)
        for word in words:
            width = pymupdf.get_text_length(word, font, size)
            places[word] = (left + width / 2, 842 - top - size / 4)
            left += width + pymupdf.get_text_length(" ", font, size)
    return content, places


@given(tables_and_text())
def test_no_word_is_lost_or_doubled_and_each_is_where_it_was_printed(
    page: tuple[bytes, dict[str, tuple[float, float]]],
) -> None:
    content, places = page
    found = Pdf(join_hyphens=False).parsed(pdf(content, size=(1200, 842)), "made.pdf", "an id", "a place")
    text = found.document.text
    assert sorted(text.split()) == sorted(places)
    for word, (x, y) in places.items():
        start = text.index(word)
        (box,) = found.layout.rectangles(start, start + len(word))
        assert box.x0 < x < box.x1
        assert box.y0 < y < box.y1
