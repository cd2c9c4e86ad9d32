"""The lower half of the Tables page: the tables that are there, and what can be done with each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from workbench.ui.build_list import continue_build
from workbench.ui.jobs import shown_duration
from workbench.ui.messages import empty_state, guarded, plain, term_help
from workbench.ui.resources import workspace
from workbench.workspace import TableRow

WIDTHS = [3, 2, 2, 2, 2, 3]


def show(rows: Sequence[TableRow], document_count: int) -> None:
    """Draw one row per table, or what to do while there is none."""
    st.subheader("Built tables", help=term_help("table"))
    if not rows:
        empty_state("table_rows", "No tables yet", "Choose configurations above and see what building takes.")
        return
    head = st.columns(WIDTHS)
    for place, title in zip(head, ("Table", "Chunks", "Documents", "Model", "Size and age", ""), strict=True):
        place.caption(title)
    for row in rows:
        _row(row, document_count)


def _row(row: TableRow, document_count: int) -> None:
    with st.container(border=True):
        name, chunks, documents, model, size, buttons = st.columns(WIDTHS, vertical_alignment="center")
        name.markdown(
            f"**{plain(row.config_name)}**  \n:small[:gray[{plain(row.fingerprint)}]]", help=plain(row.name)
        )
        chunks.markdown(f"{row.rows:,}", help=row.index_note or term_help("exact search"))
        documents.markdown(
            f"{row.documents:,}"
            + (f"  \n:small[:orange[{row.missing_documents} to do]]" if row.missing_documents else ""),
            help="Documents that were added or changed since, or left out, are counted as to do.",
        )
        model.markdown(plain(row.model_title))
        size.markdown(f"{row.size_bytes / 2**20:,.1f} MB  \n:small[:gray[{age(row.built_at_utc)}]]")
        with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
            if row.config is not None:
                if row.missing_documents and st.button(
                    "",
                    icon=":material/play_arrow:",
                    key=f"continue-{row.name}",
                    help="Build what is missing. Nothing is embedded twice.",
                ):
                    continue_build(row.config)
                    st.rerun()
                st.page_link(
                    "pages/search.py",
                    label="Search",
                    query_params={"tables": row.config_name},
                    width="content",
                )
                st.page_link(
                    "pages/map.py", label="Map", query_params={"table": row.config_name}, width="content"
                )
            if st.button("", icon=":material/delete:", key=f"delete-{row.name}", help="Delete this table"):
                _confirm_delete(row)


@st.dialog("Delete this table?")
def _confirm_delete(row: TableRow) -> None:
    st.markdown(f"**{plain(row.config_name)}**: {row.rows:,} chunks, {row.size_bytes / 2**20:,.1f} MB")
    st.caption(
        "Its embeddings stay in the cache, so building it again is quick. Documents and configs stay, too."
    )
    with st.container(horizontal=True):
        if st.button(
            "Delete", type="primary", icon=":material/delete:", on_click=_delete, args=(row.name,)
        ) or st.button("Keep it"):
            st.rerun()


def _delete(name: str) -> None:
    with guarded():
        workspace().tables.drop(name)


def age(at_utc: str) -> str:
    """Return how long ago a time was, as people say it; nothing for a text that is no time."""
    try:
        then = datetime.fromisoformat(at_utc)
    except ValueError:
        return ""
    return f"{shown_duration((datetime.now(UTC) - then).total_seconds())} ago"
