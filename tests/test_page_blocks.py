"""The blocks of a page: every character and every word is in exactly one, in reading order."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import documents
from tests.parsers.made_pdfs import drawn, paragraph, pdf, report_pdf
from workbench.page_blocks import PageBlock, page_blocks
from workbench.parsers.pdf import Pdf
from workbench.records import Box, Document, Heading, Layout, OmittedText, Page, ParsedFile


def parsed(data: bytes) -> ParsedFile:
    return Pdf().parsed(data, "a file.pdf", "an id", "a place")


def blocks_of(file: ParsedFile, page: int) -> list[PageBlock]:
    return page_blocks(file.document, file.layout, page, file.omitted)


def check_laws(document: Document, layout: Layout) -> None:
    """Check what holds for the blocks of every page."""
    for page in document.pages:
        blocks = page_blocks(document, layout, page.number)
        assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))
        spans = [block.span for block in blocks if block.span is not None]
        assert len(spans) == len(blocks)
        borders = [page.start, *(border for span in spans for border in span), page.end]
        assert borders == sorted(borders)
        inside = {at for start, end in spans for at in range(start, end)}
        outside = set(range(page.start, page.end)) - inside
        assert not "".join(document.text[at] for at in sorted(outside)).strip()
        for start, end in spans:
            assert document.text[start:end] == document.text[start:end].strip() != ""
    for i in range(len(layout.starts)):
        blocks = page_blocks(document, layout, int(layout.pages[i]))
        start = int(layout.starts[i])
        x0, y0, x1, y1 = (float(v) for v in layout.boxes[i])
        (own,) = (block for block in blocks if block.span and block.span[0] <= start < block.span[1])
        assert any(box.x0 <= x0 and box.y0 <= y0 and box.x1 >= x1 and box.y1 >= y1 for box in own.boxes)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        over = [
            block
            for block in blocks
            if any(box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 for box in block.boxes)
        ]
        assert over == [own]


@pytest.mark.parametrize(
    "data",
    [
        report_pdf(),
        documents.two_columns_pdf(),
        documents.repeated_headers_pdf(),
        documents.ligatures_and_hyphens_pdf(),
        documents.rotated_pages_pdf(),
        documents.hebrew_pdf(),
        documents.arabic_pdf(),
        documents.chinese_japanese_korean_pdf(),
        documents.control_characters_pdf(),
        documents.n_pages_pdf(3),
    ],
)
def test_each_character_and_each_word_of_a_made_file_is_in_one_block(data: bytes) -> None:
    file = parsed(data)
    check_laws(file.document, file.layout)


PIECES = st.lists(
    st.sampled_from(["word", "été", "118", " ", "\t", "\n", "\n\n", " \n \n", "\u2003"]), max_size=60
)


@st.composite
def texts_with_layout(draw: st.DrawFn) -> tuple[Document, Layout]:
    text = "".join(draw(PIECES))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    limits = [0, *cuts, len(text)]
    pages = tuple(
        Page(number, start, end, 595, 842) for number, (start, end) in enumerate(pairwise(limits), 1)
    )
    headings = tuple(
        Heading(min(a, b), max(a, b), 1)
        for a, b in draw(
            st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=3)
        )
    )
    document = Document("id", text, pages, "", "", headings)
    # A page may end inside a word of the text, as where a hyphen at its end was taken away.
    words = [
        (
            max(found.start(), page.start),
            min(found.end(), page.end),
            page.number,
            text.count("\n", 0, found.start()),
        )
        for page in pages
        for found in re.finditer(r"\S+", text)
        if max(found.start(), page.start) < min(found.end(), page.end)
    ]
    boxes = [(start, 12 * line, end, 12 * line + 10) for start, end, _, line in words]
    layout = Layout(
        np.array([word[0] for word in words], np.int64),
        np.array([word[1] for word in words], np.int64),
        np.array([word[2] for word in words], np.int32),
        np.array([word[3] for word in words], np.int32),
        np.array(boxes, np.float32).reshape(-1, 4),
    )
    return document, layout


@given(texts_with_layout())
def test_blocks_divide_any_text_under_any_headings_and_page_ends(made: tuple[Document, Layout]) -> None:
    check_laws(*made)


def test_a_report_is_headings_paragraphs_and_one_table() -> None:
    file = parsed(report_pdf())
    first = blocks_of(file, 1)
    assert [block.kind for block in first] == [
        *("heading", "heading", "text", "text", "heading", "text", "table", "text")
    ]
    table = next(block for block in first if block.kind == "table")
    assert table.span is not None
    assert file.document.text[slice(*table.span)] == "Car\tSand\tYear\n41\t12 kg\t1998\n42\t9 kg\t2003"
    assert len(table.boxes) == 3
    # The paragraph that goes on over the end of the page is numbered anew there.
    assert blocks_of(file, 2)[0].span == (
        file.document.pages[1].start,
        file.document.text.index("\n\n3 Notes"),
    )


def test_rows_that_stand_a_little_apart_from_their_table_are_one_block_with_it() -> None:
    text = "Item\tSum\n\nFares\t118\nRents\t27\n\nTotal\t145"
    document = Document("id", text, (Page(1, 0, len(text), 100, 100),), "", "")
    (block,) = page_blocks(document, Layout.empty(), 1)
    assert (block.kind, block.span, block.number) == ("table", (0, len(text)), 1)


def test_a_paragraph_that_goes_on_in_the_next_column_is_one_block_with_lines_in_both() -> None:
    lines = [f"and the board went on to hear part {n} of it" for n in range(24)]
    page = paragraph(*lines[:12], left=40) + paragraph(*lines[12:], left=320)
    file = parsed(pdf(page))
    (block,) = blocks_of(file, 1)
    assert (block.kind, block.number, len(block.boxes)) == ("text", 1, 24)
    assert [box.x0 < 300 for box in block.boxes] == [True] * 12 + [False] * 12


def test_what_was_left_out_has_a_reason_and_no_number() -> None:
    file = parsed(pdf(drawn("Some text.", 60, 700)))
    header = OmittedText(Box(1, 60, 30, 120, 40), "Annual report", "header or footer")
    elsewhere = OmittedText(Box(2, 60, 30, 120, 40), "Annual report", "header or footer")
    blocks = page_blocks(file.document, file.layout, 1, [elsewhere, header])
    assert [block.kind for block in blocks] == ["text", "omitted"]
    assert (blocks[1].number, blocks[1].span, blocks[1].boxes) == (None, None, (header.box,))
    assert (blocks[1].text, blocks[1].reason) == ("Annual report", "header or footer")


def test_a_page_that_is_not_there_has_no_blocks() -> None:
    file = parsed(report_pdf())
    assert blocks_of(file, 9) == []
