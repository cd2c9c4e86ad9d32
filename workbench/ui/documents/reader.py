"""One document, page by page: its image beside its text, its layout, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.page_blocks import page_blocks
from workbench.records import Page, ParsedFile
from workbench.ui.components.chunk_viewer import Column, chunk_viewer
from workbench.ui.components.layout_viewer import layout_viewer
from workbench.ui.documents.document_table import show_in_address
from workbench.ui.documents.shortfalls import (
    draw_file_sentences,
    draw_marked_pages,
    page_sentence,
    short_page_numbers,
)
from workbench.ui.session import url_state
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain, shown_error
from workbench.ui.widgets.page_slices import Passage, passages
from workbench.ui.widgets.pagination import go_to_box, pager_pixels
from workbench.workspace import DocumentRow

LAYOUT, LAYOUT_WIDGET = "documents layout", "documents layout shown"
TEXT_PIXELS = 640


def viewer(row: DocumentRow) -> None:
    """Draw a document as it was read, or why it cannot be."""
    try:
        parsed = workspace().parsed(row.id)
    except WorkbenchError as error:
        shown_error(error)
        return
    draw_document(row, parsed)


def draw_document(row: DocumentRow, parsed: ParsedFile) -> None:
    """Draw one page's image beside its text, or a window of the text where there are no pages."""
    draw_file_sentences(parsed)
    document = parsed.document
    found = passages(document)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        passage = found[_passage_number(row, found) - 1]
        page = next((p for p in document.pages if p.number == passage.page and p.width > 0), None)
        missing = page_sentence(parsed, passage.page) if passage.page else ""
        drawn = page is not None and _layout_toggle(bool(missing))
    _marked_pages(row, found, parsed, passage)
    if missing:
        st.markdown(f":orange[:material/warning:] {plain(missing)}")
    if page is None:
        text = document.text[passage.start : passage.end]
        _text(f"{passage.label} · {counted(len(text), 'character')}", text, passage.start, row.id)
    else:
        _page_and_text(row, parsed, page, passage, drawn)


def _page_and_text(row: DocumentRow, parsed: ParsedFile, page: Page, passage: Passage, drawn: bool) -> None:
    text = parsed.document.text[passage.start : passage.end]
    title = counted(len(text), "character")
    try:
        image = workspace().page_image(row.id, page.number)
    except WorkbenchError as error:
        shown_error(error)
        _text(title, text, passage.start, row.id)
        return
    layout_viewer(
        image,
        page,
        text,
        page_blocks(parsed.document, parsed.layout, page.number, parsed.omitted),
        key=f"page-{row.id}-image",
        offset=passage.start,
        drawn=drawn,
        title=title,
        caption=passage.label,
    )


def _layout_toggle(is_short: bool) -> bool:
    """Draw the switch of the layout overlay: off at first, but on for pages of which letters are missing.

    What is chosen on a page with problems holds for all such pages, and what is chosen on another for all others.
    """
    chosen: dict[bool, bool] = st.session_state.setdefault(LAYOUT, {})
    st.session_state[LAYOUT_WIDGET] = chosen.get(is_short, is_short)

    def choose() -> None:
        chosen[is_short] = st.session_state[LAYOUT_WIDGET]

    st.space("stretch")
    return st.toggle(
        "Layout",
        key=LAYOUT_WIDGET,
        on_change=choose,
        help="Numbers the blocks of the page in reading order, tints headings, text and tables, and hatches what "
        "was left out. Point at a block, on the page or in the text, to see it on the other side.",
    )


def _passage_number(row: DocumentRow, found: Sequence[Passage]) -> int:
    """Draw the choice of a page, which the address holds as well, and return the number of its passage."""
    if len(found) == 1:
        show_in_address(page="")
        return 1
    key = _pager_key(row)

    def asked(texts: list[str]) -> int | None:
        page = url_state.number(texts, 1, 1e8)
        return next((number for number, passage in enumerate(found, 1) if passage.page == page), None)

    url_state.entered(key, "page", 1, asked)
    st.session_state[key] = min(st.session_state[key], len(found))

    def go(typed: int) -> None:
        st.session_state[key] = typed

    number = st.pagination(len(found), key=key, width=pager_pixels(len(found)))
    go_to_box(len(found), number, key, go)
    url_state.left(key)
    page = found[number - 1].page
    show_in_address(page=str(page) if page and number > 1 else "")
    return number


def _pager_key(row: DocumentRow) -> str:
    return f"page-{row.id}"


def _marked_pages(row: DocumentRow, found: Sequence[Passage], parsed: ParsedFile, passage: Passage) -> None:
    """Draw buttons that lead to the pages with problems, where there is more than one page."""
    if len(found) == 1:
        return

    def go(page: int) -> None:
        st.session_state[_pager_key(row)] = next(
            number for number, passage in enumerate(found, 1) if passage.page == page
        )

    draw_marked_pages(short_page_numbers(parsed), passage.page, f"short-{row.id}", go)


def _text(title: str, text: str, start: int, document_id: str) -> None:
    chunk_viewer(
        text, [Column("text", title, [])], key=f"text-{document_id}", height=TEXT_PIXELS, offset=start
    )
