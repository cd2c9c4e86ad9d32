"""The lower half of the Tables page: the tables that are there, and what can be done with each."""

from __future__ import annotations

import streamlit as st

from workbench.counts import counted
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.messages import empty_state, guarded, plain, term_help
from workbench.ui.widgets.store_status import show_due, show_unreachable
from workbench.ui.widgets.table_builds import age, continue_build
from workbench.workspace import TableListing, TableRow

NAME_PIXELS = 210


def show(listing: TableListing, document_count: int) -> None:
    """Draw one row per table, or what to do while there is none; and what cannot be reached."""
    rows = listing.rows
    st.subheader("Built tables", help=term_help("table"))
    show_unreachable(listing.unreachable)
    show_due(listing.due)
    if not rows:
        empty_state("table_rows", "No tables yet", "Choose configs above and see what building takes.")
        return
    for row in rows:
        _row(row, document_count)


def _row(row: TableRow, document_count: int) -> None:
    # Tables of one name may lie in several stores.
    key = f"{row.store_key}-{row.name}" if row.store_title else row.name
    # Cells of fixed widths, so that they stand in columns, and go to the next line where it is narrow.
    with st.container(border=True), st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{plain(row.config_name)}**  \n:small[:gray[{plain(row.fingerprint)}]]",
            help=plain(f"{row.name} in {row.store_title}" if row.store_title else row.name),
            width=NAME_PIXELS,
        )
        behind = ", out of date" if row.outdated_documents else ""
        missing = "damaged" if row.damage else f"{row.missing_documents} to do{behind}"
        to_do = f" :small[:orange[{missing}]]" if row.missing_documents or row.damage else ""
        _cell("Chunks", f"{row.rows:,}", row.index_note or term_help("exact search"), 80)
        _cell(
            "Documents",
            f"{row.documents:,} of {document_count:,}{to_do}",
            row.lack or "Documents that were added or changed since, or left out, are counted as to do.",
            140,
        )
        _cell("Model", plain(row.model_title), None, 120)
        _cell(
            "Size and age",
            f"{row.size_bytes / 2**20:,.1f} MB :small[:gray[{age(row.written_at_utc)}]]",
            None,
            130,
        )
        with st.container(
            horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall"
        ):
            if row.config is not None:
                if (row.missing_documents or row.damage) and st.button(
                    "Build again" if row.damage else "Complete",
                    icon=":material/play_arrow:",
                    type="tertiary",
                    key=f"continue-{key}",
                    help="Write the table anew. Nothing is embedded twice."
                    if row.damage
                    else "Build what is missing. Nothing is embedded twice.",
                ):
                    continue_build(row.config)
                    st.rerun()
                st.page_link(
                    page_script("search"),
                    label="Search",
                    query_params={"tables": row.config_name},
                    width="content",
                )
                st.page_link(
                    page_script("map"), label="Map", query_params={"table": row.config_name}, width="content"
                )
            if st.button(
                "",
                icon=":material/delete:",
                type="tertiary",
                key=f"delete-{key}",
                help="Delete this table",
            ):
                _confirm_delete(row)


def _cell(label: str, value: str, help_text: str | None, width: int) -> None:
    st.markdown(f":small[:gray[{label}]]  \n{value}", help=help_text, width=width)


@st.dialog("Delete this table?")
def _confirm_delete(row: TableRow) -> None:
    st.markdown(
        f"**{plain(row.config_name)}**: {counted(row.rows, 'chunk')}, {row.size_bytes / 2**20:,.1f} MB"
    )
    st.caption(
        "Its embeddings stay in the cache, so building it again is quick. Documents and configs stay, too."
    )
    with st.container(horizontal=True):
        if st.button(
            "Delete",
            type="primary",
            icon=":material/delete:",
            on_click=_delete,
            args=(row.name, row.store_key),
        ) or st.button("Keep it"):
            st.rerun()


def _delete(name: str, store_key: str) -> None:
    with guarded():
        workspace().tables.drop(name, store_key)
