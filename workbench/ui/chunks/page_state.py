"""The Chunks page's own state: what a link brings, which document is on screen, and what the address bar holds."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.config import Config
from workbench.ui.chunks import chunkings, config_cards, judged_overlay
from workbench.ui.chunks.chunkings import Cuts
from workbench.ui.chunks.viewer import go_to
from workbench.ui.session import presets, state, url_state
from workbench.ui.session.state import LARGEST_COMPARISON, Draft
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.job_panel import progress_line
from workbench.ui.widgets.messages import plain
from workbench.workspace import DocumentRow

DOCUMENT_WIDGET, VIEW_WIDGET = "chunks.document", "chunks.view"
VIEWS = {"text": ":material/notes: Text", "page": ":material/picture_as_pdf: Page"}


def restore(documents: Sequence[DocumentRow]) -> None:
    """Bring the session to what a link asks for when the page is entered; without one it is as it was left."""
    ids = [row.id for row in documents]
    if DOCUMENT_WIDGET not in st.session_state:
        _restore_drafts(st.query_params.get_all("config")[:LARGEST_COMPARISON])
        document_id = _restored_document(ids, st.query_params.get_all("document"))
        number = url_state.number(st.query_params.get_all("page") or [""], 1, 1e8)
        if number is not None:
            go_to(document_id, int(number))
    elif st.session_state[DOCUMENT_WIDGET] not in ids:
        st.session_state[DOCUMENT_WIDGET] = ids[0]
    judged_overlay.restore()
    url_state.entered(VIEW_WIDGET, "view", "text", lambda texts: texts[-1] if texts[-1] in VIEWS else None)


def _restore_drafts(links: Sequence[str]) -> None:
    linked = [presets.draft_of(text) for text in links]
    drafts = [draft for draft in linked if draft is not None]
    if drafts or not state.drafts():
        state.put_drafts(drafts or presets.default_drafts())
    if len(drafts) < len(linked):
        st.toast("A config in the link could not be read and was left out.", icon=":material/link_off:")


def _restored_document(ids: Sequence[str], asked: Sequence[str]) -> str:
    if asked and asked[-1] not in ids:
        st.toast("The document in the link is not in this workspace.", icon=":material/link_off:")
    document_id = asked[-1] if asked and asked[-1] in ids else state.current_document(ids)
    st.session_state[DOCUMENT_WIDGET] = document_id
    return document_id


def controls(documents: Sequence[DocumentRow], saved: Sequence[Config]) -> tuple[DocumentRow, bool]:
    """Draw document, view and the add button; return the document and whether its page images are wanted."""
    by_id = {row.id: row for row in documents}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        document_id = st.selectbox(
            "Document",
            list(by_id),
            format_func=lambda i: by_id[i].name if i in by_id else "",
            key=DOCUMENT_WIDGET,
            width="stretch",
        )
        state.choose_document(document_id)
        row = by_id[document_id]
        has_pages = row.suffix == ".pdf"
        view = st.segmented_control(
            "Show cuts on",
            list(VIEWS),
            format_func=VIEWS.__getitem__,
            key=VIEW_WIDGET,
            disabled=not has_pages,
            required=True,
        )
        config_cards.add_menu(state.drafts(), saved)
    return row, has_pages and view == "page"


def compared(row: DocumentRow) -> list[Cuts]:
    """Draw a card per config, cut the document with each, and say in its card what went wrong."""
    drafts, places = config_cards.cards(state.drafts())
    state.put_drafts(drafts)
    found = chunkings.columns(workspace(), row, drafts)
    for column, place in zip(found, places, strict=True):
        if not column.problem:
            continue
        with place.container(gap="small"):
            config_cards.show_problem(column.problem)
            if column.config is not None:
                st.button(
                    "Try again",
                    key=f"retry.{column.draft.id}",
                    icon=":material/refresh:",
                    on_click=chunkings.retry,
                    args=(workspace(), row, column),
                )
    working = [column for column in found if column.job is not None]
    # Always there, with or without content: what stands below keeps its place and is not mounted anew.
    with st.container():
        if working:
            _progress(working)
    return found


@st.fragment(run_every=0.5)
def _progress(working: Sequence[Cuts]) -> None:
    """Draw what is still being computed, and the page again as soon as one column is ready."""
    jobs = [(column, column.job) for column in working if column.job is not None]
    if any(not job.active for _, job in jobs):
        st.rerun()
    with st.container(border=True, gap="xsmall"):
        for column, job in jobs:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                seconds = job.seconds_taken or 0.0
                line = f"**{plain(column.title)}** · {plain(progress_line(job))} · {seconds:,.0f} s"
                if job.total:
                    st.progress(job.fraction, text=line)
                else:
                    st.caption(
                        f":material/hourglass_top: {line}. The first time, models are loaded and sentences found.",
                        width="stretch",
                    )
                st.button(
                    "Stop",
                    icon=":material/close:",
                    type="tertiary",
                    key=f"stop.{job.id}",
                    on_click=job.cancel,
                    disabled=job.cancel_asked(),
                )


def write_link(row: DocumentRow, drafts: Sequence[Draft], passage: int, on_page: bool) -> None:
    """Put document, passage, view and configs into the address bar; whatever is as on a first visit stays out."""
    links = [presets.link_of(draft) for draft in drafts]
    url_state.left(VIEW_WIDGET)
    url_state.shown(
        {
            "document": row.id,
            "page": str(passage + 1) if passage else "",
            "view": "page" if on_page else "",
            "answers": judged_overlay.link(),
            "config": [] if tuple(links) == presets.DEFAULT_COMPARISON else links,
        }
    )
