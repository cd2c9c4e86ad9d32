"""The same passage under every config: cuts on the text or on the page image, and the chunk that was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.records import Document
from workbench.ui.chunks import judged_overlay, model_input, selection, statistics_cards
from workbench.ui.chunks.chunkings import Cuts
from workbench.ui.chunks.judged_overlay import Answers
from workbench.ui.components.chunk_viewer import Column, PickedChunk, chunk_viewer
from workbench.ui.components.page_viewer import page_chunks, page_viewer
from workbench.ui.session.state import LARGEST_COMPARISON
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.card_grid import card_row
from workbench.ui.widgets.messages import plain, shown_error, term_help
from workbench.ui.widgets.page_slices import Passage, passages
from workbench.ui.widgets.pagination import go_to_box, pager_pixels
from workbench.workspace import DocumentRow

HEIGHT_PIXELS = 540


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
            number = st.pagination(len(found), default=number, key=made_for, width=pager_pixels(len(found)))
            st.session_state[key] = number
        go_to_box(len(found), number, key, lambda typed: go_to(row.id, typed))
        length = f"{len(document.text):,} characters"
        where = (
            f"{found[number - 1].label} · the whole text has {length}"
            if len(found) > 1
            else f"Whole text, {length}"
        )
        st.caption(where)
        judged_overlay.choice()
    return number - 1


def go_to(document_id: str, number: int) -> None:
    """Bring another passage (from 1) of a document to the screen, at the next run."""
    key = passage_key(document_id)
    st.session_state[key] = number
    st.session_state[f"{key}.jumps"] = st.session_state.get(f"{key}.jumps", 0) + 1


@st.fragment
def passage_view(row: DocumentRow, columns: Sequence[Cuts], index: int, on_page: bool) -> None:
    """Draw one passage under every config, below it the figures and what the model gets of the chosen chunk.

    A fragment, because a click on a chunk changes nothing but the lines below.
    """
    ready = [column for column in columns if column.result.parsed is not None]
    selection.take_typed()
    for column in ready:
        _take_click(column, index, on_page)
    chosen = _chosen(columns, index)
    questions = judged_overlay.chosen()
    found = [judged_overlay.answers(column, questions) for column in columns]
    with st.container():
        if ready and on_page:
            _on_page(row, columns, index, chosen, found)
        elif ready:
            _on_text(columns, index, chosen, found)
        if ready:
            judged_overlay.legend(questions, found)
    statistics_cards.figure_cards(columns, found)
    if ready:
        chunk_place, histogram_place = card_row(2, "chunk-and-histogram", narrowest_rem=26)
        with chunk_place:
            if chosen is not None:
                _chosen_chunk(ready, chosen)
        with histogram_place:
            statistics_cards.histogram(columns)


def passage_of(column: Cuts, index: int) -> Passage | None:
    """Return a passage in the column's own text: another way of reading the file may give another text."""
    if column.result.parsed is None:
        return None
    found = passages(column.result.parsed.document)
    return found[min(index, len(found) - 1)]


def _on_text(
    columns: Sequence[Cuts], index: int, chosen: PickedChunk | None, found: Sequence[Answers]
) -> None:
    texts = {c.result.parsed.document.text_hash: c.result.parsed for c in columns if c.result.parsed}
    if len(texts) == 1:
        (parsed,) = texts.values()
        _viewer(parsed.document, columns, index, _text_key(), chosen, found)
        return
    st.caption(
        "These configs read the file in different ways, so their texts differ and scroll by themselves."
    )
    for place, column, answers in zip(st.columns(len(columns)), columns, found, strict=True):
        with place:
            if column.result.parsed is not None:
                own = chosen if chosen and chosen.column == column.draft.id else None
                _viewer(column.result.parsed.document, [column], index, _text_key(column), own, [answers])


def _text_key(column: Cuts | None = None) -> str:
    return f"viewer.{column.draft.id if column else 'all'}"


def _page_key(column: Cuts, page: int | None) -> str:
    return f"page.{column.draft.id}.{page}"


def _viewer(
    document: Document,
    columns: Sequence[Cuts],
    index: int,
    key: str,
    chosen: PickedChunk | None,
    found: Sequence[Answers],
) -> None:
    parts = passages(document)
    passage = parts[min(index, len(parts) - 1)]
    chunk_viewer(
        document.text[passage.start : passage.end],
        [
            Column(c.draft.id, c.title, c.result.chunks, _note(c), None, answers.ranges, answers.broken)
            for c, answers in zip(columns, found, strict=True)
        ],
        key=key,
        height=HEIGHT_PIXELS,
        offset=passage.start,
        selected=chosen,
    )


def _note(column: Cuts) -> str:
    if column.job is not None:
        return "working …"
    return "not cut" if column.problem else ""


def _on_page(
    row: DocumentRow,
    columns: Sequence[Cuts],
    index: int,
    chosen: PickedChunk | None,
    found: Sequence[Answers],
) -> None:
    # Four pages in one row would be too small to read.
    places = card_row(
        len(columns), "page-row", narrowest_rem=13.5 if len(columns) < LARGEST_COMPARISON else 22
    )
    for place, column, answers in zip(places, columns, found, strict=True):
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
            here = [span for span in answers.ranges if span[0] < page.end and span[1] > page.start]
            page_viewer(
                image,
                page.width,
                page.height,
                boxes,
                key=_page_key(column, page.number),
                marks=[
                    (box.x0, box.y0, box.x1, box.y1)
                    for start, end in here
                    for box in column.layout.rectangles(start, end)
                    if box.page == page.number
                ],
                selected=chosen.ordinal if chosen and chosen.column == column.draft.id else None,
            )


# ── the chosen chunk ─────────────────────────────────────────────────────────────────────────────────────────────


def _take_click(column: Cuts, index: int, on_page: bool) -> None:
    """Choose the chunk that was clicked just now: before anything is drawn, so that all of it agrees."""
    if on_page:
        passage = passage_of(column, index)
        clicked = _clicked(_page_key(column, passage.page)) if passage else None
        if clicked is not None:
            selection.choose(column.draft.id, int(clicked["id"]))
        return
    for key in (_text_key(), _text_key(column)):
        clicked = _clicked(key)
        if clicked is not None and clicked["column"] == column.draft.id:
            selection.choose(column.draft.id, int(clicked["ordinal"]))


def _clicked(key: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (st.session_state.get(key) or {}).get("clicked")
    return found


def _chosen(columns: Sequence[Cuts], index: int) -> PickedChunk | None:
    column = selection.chosen_column(columns)
    passage = passage_of(column, index) if column else None
    return selection.settled(column, index, passage) if column and passage else None


def _chosen_chunk(ready: Sequence[Cuts], chosen: PickedChunk) -> None:
    """Draw which chunk is looked at, and the exact input that the model gets for it."""
    by_id = {column.draft.id: column for column in ready if column.result.chunks}
    column = by_id[chosen.column]
    st.markdown("**What the model reads** of the chosen chunk", help=term_help("model window"))
    with st.container(horizontal=True, gap="small"):
        st.selectbox(
            "Config",
            list(by_id),
            list(by_id).index(chosen.column),
            format_func=lambda i: by_id[i].title if i in by_id else "",
            key=selection.column_widget(),
            label_visibility="collapsed",
            width="stretch",
        )
        st.number_input(
            "Chunk",
            1,
            len(column.result.chunks),
            chosen.ordinal + 1,
            key=selection.number_widget(chosen.column),
            label_visibility="collapsed",
            width=130,
        )
    model_input.model_view(column, column.result.chunks[chosen.ordinal])
