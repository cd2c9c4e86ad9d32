"""The same passage under every config: cuts on the text or on the page image, and the chunk that was clicked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.records import Chunk, Document
from workbench.ui import chunk_detail, figure_cards
from workbench.ui.card_row import card_row
from workbench.ui.comparison import Cuts
from workbench.ui.components.chunk_viewer import Column, chunk_viewer
from workbench.ui.components.page_viewer import page_chunks, page_viewer
from workbench.ui.messages import plain, shown_error, term_help
from workbench.ui.passages import Passage, passages
from workbench.ui.resources import workspace
from workbench.ui.state import LARGEST_COMPARISON
from workbench.workspace import DocumentRow

HEIGHT_PIXELS = 540
MANY_PASSAGES = 9


def passage_key(document_id: str) -> str:
    """Return the session key of the number (from 1) of the passage on screen."""
    return f"passage.{document_id}"


def passage_choice(row: DocumentRow, columns: Sequence[Cuts]) -> int:
    """Draw the controls that go through a document; return the index of the passage on screen."""
    key = passage_key(row.id)
    parsed = next((column.result.parsed for column in columns if column.result.parsed), None)
    row_of_controls = st.container(horizontal=True, vertical_alignment="center", gap="small")
    if parsed is None:
        return max(0, int(st.session_state.get(key, 1)) - 1)
    document = parsed.document
    found = passages(document)
    number = min(max(1, int(st.session_state.get(key, 1))), len(found))
    with row_of_controls:
        if len(found) > 1:
            # The number lives in the session; a number from elsewhere (a link, the box) makes a new widget.
            made_for = f"{key}.{st.session_state.get(f'{key}.jumps', 0)}"
            number = st.pagination(len(found), default=number, key=made_for)
            st.session_state[key] = number
        if len(found) > MANY_PASSAGES:
            st.session_state[f"{key}.typed"] = number
            st.number_input(
                "Go to",
                1,
                len(found),
                key=f"{key}.typed",
                on_change=_typed,
                args=(row.id,),
                label_visibility="collapsed",
                width=120,
            )
        st.caption(f"{found[number - 1].label} · the whole text has {len(document.text):,} characters")
    return number - 1


def go_to(document_id: str, number: int) -> None:
    """Bring another passage (from 1) of a document to the screen, at the next run."""
    key = passage_key(document_id)
    st.session_state[key] = number
    st.session_state[f"{key}.jumps"] = st.session_state.get(f"{key}.jumps", 0) + 1


def _typed(document_id: str) -> None:
    go_to(document_id, st.session_state[f"{passage_key(document_id)}.typed"])


@st.fragment
def passage_view(row: DocumentRow, columns: Sequence[Cuts], index: int, on_page: bool) -> None:
    """Draw one passage under every config, below it the figures and what the model gets of the chosen chunk.

    A fragment, because a click on a chunk changes nothing but the lines below.
    """
    ready = [column for column in columns if column.result.parsed is not None]
    with st.container():
        if ready and on_page:
            _on_page(row, columns, index)
        elif ready:
            _on_text(columns, index)
    figure_cards.figure_cards(columns)
    if ready:
        chunk_place, histogram_place = card_row(2, "chunk-and-histogram", narrowest_rem=26)
        with chunk_place:
            _chosen_chunk(ready, index)
        with histogram_place:
            figure_cards.histogram(columns)


def passage_of(column: Cuts, index: int) -> Passage | None:
    """Return a passage in the column's own text: another way of reading the file may give another text."""
    if column.result.parsed is None:
        return None
    found = passages(column.result.parsed.document)
    return found[min(index, len(found) - 1)]


def _on_text(columns: Sequence[Cuts], index: int) -> None:
    texts = {c.result.parsed.document.text_hash: c.result.parsed for c in columns if c.result.parsed}
    if len(texts) == 1:
        (parsed,) = texts.values()
        _viewer(parsed.document, columns, index, "all")
        return
    st.caption(
        "These configs read the file in different ways, so their texts differ and scroll by themselves."
    )
    for place, column in zip(st.columns(len(columns)), columns, strict=True):
        with place:
            if column.result.parsed is not None:
                _viewer(column.result.parsed.document, [column], index, column.draft.id)


def _viewer(document: Document, columns: Sequence[Cuts], index: int, key: str) -> None:
    found = passages(document)
    passage = found[min(index, len(found) - 1)]
    event = chunk_viewer(
        document.text[passage.start : passage.end],
        [Column(c.draft.id, c.title, c.result.chunks, note=_note(c)) for c in columns],
        key=f"viewer.{key}",
        height=HEIGHT_PIXELS,
        offset=passage.start,
    )
    if event.chunk is not None:
        _choose(event.chunk.column, event.chunk.ordinal)


def _note(column: Cuts) -> str:
    if column.job is not None:
        return "working …"
    return "not cut" if column.problem else ""


def _on_page(row: DocumentRow, columns: Sequence[Cuts], index: int) -> None:
    # Four pages in one row would be too small to read.
    places = card_row(
        len(columns), "page-row", narrowest_rem=13.5 if len(columns) < LARGEST_COMPARISON else 26
    )
    for place, column in zip(places, columns, strict=True):
        passage = passage_of(column, index)
        with place:
            st.caption(f"**{plain(column.title)}** {_note(column)}")
            if passage is None or passage.page is None or column.result.parsed is None:
                continue
            page = next(p for p in column.result.parsed.document.pages if p.number == passage.page)
            try:
                image = workspace().page_image(row.id, page.number)
            except WorkbenchError as error:
                shown_error(error)
                continue
            boxes = page_chunks(column.result.chunks, column.layout, page.number)
            key = f"page.{column.draft.id}.{page.number}"
            event = page_viewer(image, page.width, page.height, boxes, key=key)
            if event.chunk is not None:
                _choose(column.draft.id, int(event.chunk))


def _touching(column: Cuts, start: int, end: int) -> list[Chunk]:
    return [chunk for chunk in column.result.chunks if chunk.start < end and chunk.end > start]


# ── the chosen chunk ─────────────────────────────────────────────────────────────────────────────────────────────


def _choose(column_id: str, ordinal: int) -> None:
    # The widgets below show what was clicked, so they are set before they are drawn.
    st.session_state["model input.column"] = column_id
    st.session_state[f"model input.{column_id}"] = ordinal + 1


def _chosen_chunk(ready: Sequence[Cuts], index: int) -> None:
    """Draw which chunk is looked at, and the exact input that the model gets for it."""
    titles = {column.draft.id: column.title for column in ready if column.result.chunks}
    if not titles:
        return
    by_id = {column.draft.id: column for column in ready}
    if st.session_state.get("model input.column") not in titles:
        st.session_state["model input.column"] = next(iter(titles))
    st.markdown("**What the model reads** of the chosen chunk", help=term_help("model window"))
    with st.container(horizontal=True, gap="small"):
        column_id = st.selectbox(
            "Config",
            list(titles),
            format_func=lambda i: titles.get(i, ""),
            key="model input.column",
            label_visibility="collapsed",
            width="stretch",
        )
        column = by_id[column_id]
        ordinal = _ordinal(column, index)
    chunk_detail.model_view(column, column.result.chunks[ordinal])


def _ordinal(column: Cuts, index: int) -> int:
    """Draw the chunk's number and return its ordinal; another passage brings the first chunk that begins there."""
    key, shown_key = f"model input.{column.draft.id}", f"model input passage.{column.draft.id}"
    count = len(column.result.chunks)
    passage = passage_of(column, index)
    here = _touching(column, passage.start, passage.end) if passage else []
    ordinals = [chunk.ordinal for chunk in here]
    moved = st.session_state.get(shown_key) != index and st.session_state.get(key, 0) - 1 not in ordinals
    if key not in st.session_state or st.session_state[key] > count or (moved and here):
        begins = [chunk.ordinal for chunk in here if passage and chunk.start >= passage.start]
        st.session_state[key] = (begins or ordinals or [0])[0] + 1
    st.session_state[shown_key] = index
    number = st.number_input("Chunk", 1, count, key=key, label_visibility="collapsed", width=130)
    return int(number) - 1
