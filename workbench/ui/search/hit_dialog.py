"""A hit looked at closely: its page with the passage on it, the chunks beside it, a citation, a link."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from workbench.config import Config
from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.records import Chunk
from workbench.spans import Span
from workbench.table_cells import one_line
from workbench.ui.components.page_viewer import page_chunks, page_viewer
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.chunk_labels import pages_of
from workbench.ui.widgets.highlighted_text import has_pages, hit_text
from workbench.ui.widgets.messages import plain, shown_error
from workbench.workspace import DocumentRow

MOST_PAGES = 3
PAGE_PIXELS = 600
PLACE = "hit dialog place"


def open_hit(config: Config, chunk: Chunk, document: DocumentRow | None, best: Span | None = None) -> None:
    """Open the dialog on a chunk; ``best`` is the range of its text that carried it."""
    st.session_state[PLACE] = chunk.ordinal
    # The title is the document's name, so it cannot stand in a decorator.
    st.dialog(plain(document.name) if document else "A deleted document", width="large")(_body)(
        config, chunk, document, best
    )


def citation(name: str, chunk: Chunk) -> str:
    """Return where a passage stands: document, page and range, as one line.

    >>> citation("guide.pdf", Chunk("", "", 3, 10, 20, "text", 2, 2, 1))
    'guide.pdf, page 2, characters 10–20'
    """
    return f"{name}, {pages_of(chunk)}, characters {chunk.start}–{chunk.end}"


def _body(config: Config, chunk: Chunk, document: DocumentRow | None, best: Span | None) -> None:
    try:
        chunks = workspace().tables.table(config).chunks([chunk.document_id])
    except WorkbenchError as error:
        shown_error(error)
        return
    if not chunks:
        st.info("This document has left the table meanwhile.", icon=":material/inbox:")
        return
    place = min(max(0, int(st.session_state.get(PLACE, chunk.ordinal))), len(chunks) - 1)
    here = chunks[place]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Previous",
            icon=":material/arrow_back:",
            disabled=place == 0,
            on_click=_go,
            args=(place - 1,),
            key="hit dialog previous",
        )
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            disabled=place == len(chunks) - 1,
            on_click=_go,
            args=(place + 1,),
            key="hit dialog next",
        )
        if here.id != chunk.id:
            st.button(
                "Back to the hit",
                icon=":material/undo:",
                on_click=_go,
                args=(chunk.ordinal,),
                type="tertiary",
            )
        _cite(document, here)
        mine = "the hit" if here.id == chunk.id else "not the hit"
        st.caption(
            f"Chunk {place + 1:,} of {len(chunks):,} ({mine}) · {counted(here.token_count, 'token')} · {pages_of(here)}"
        )
    if has_pages(document):
        pages, text = st.columns([3, 2], gap="medium")
        # It scrolls by itself: the buttons above stay in sight.
        with pages, st.container(height=PAGE_PIXELS, border=False):
            _pages(config, here, chunks)
        with text, st.container(height=PAGE_PIXELS, border=False):
            hit_text(here.text, best if here.id == chunk.id else None)
    else:
        for neighbour in chunks[max(0, place - 1) : place + 2]:
            if neighbour.id == here.id:
                with st.container(border=True):
                    hit_text(neighbour.text, best if here.id == chunk.id else None)
            else:
                st.caption(plain(neighbour.text[:600]))


def _cite(document: DocumentRow | None, here: Chunk) -> None:
    """Draw citation and link, ready to be copied."""
    with st.popover("Cite or link", icon=":material/format_quote:"):
        name = document.name if document else "a deleted document"
        st.markdown("**Cite it**")
        st.code(citation(name, here) + f"\n“{one_line(here.text)}”", language=None, wrap_lines=True)
        if document is not None:
            st.markdown("**Link to it**")
            st.code(link(document.name, here), language=None, wrap_lines=True)


def link(name: str, chunk: Chunk) -> str:
    """Return the address of the page that shows a chunk's document at its page."""
    base = str(st.context.url or "").split("?")[0].rsplit("/", 1)[0]
    # The first page of the workbench has no path of its own.
    return f"{base}/?{urlencode({'doc': name, 'page': chunk.page_start})}"


def _go(place: int) -> None:
    st.session_state[PLACE] = place


def _pages(config: Config, here: Chunk, chunks: list[Chunk]) -> None:
    """Draw the pages of a chunk, with the chunk strong and its neighbours faint."""
    work = workspace()
    try:
        parsed = work.parsed(here.document_id, config.parser)
        for page in parsed.document.pages:
            if here.page_start <= page.number <= min(here.page_end, here.page_start + MOST_PAGES - 1):
                page_viewer(
                    work.page_image(here.document_id, page.number),
                    page.width,
                    page.height,
                    page_chunks(chunks, parsed.layout, page.number, hit_ids=[here.id]),
                    key=f"hit-page-{here.id}-{page.number}",
                    # Of a chunk on several pages, its beginning.
                    scroll_to_hit=page.number == here.page_start,
                    caption=f"Page {page.number} of {len(parsed.document.pages)}",
                )
    except WorkbenchError as error:
        shown_error(error)
