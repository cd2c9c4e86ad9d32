"""The space that a pipeline's tables take, and cleaning up those that nobody can go back to."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.sections import Release as ReleaseSettings
from workbench.sync import Pipeline
from workbench.sync.publishing import TableOnDisk
from workbench.ui.widgets.messages import guarded, plain

CLEANED = "releases.cleaned"


def show(pipeline: Pipeline, tables: Sequence[TableOnDisk]) -> None:
    """Draw every table with its size, and the button that cleans."""
    if not tables:
        return
    st.subheader("Space on the disk")
    going = {table.name for table in pipeline.cleanable()}
    total = sum(table.size_bytes for table in tables)
    keep = (pipeline.place.config.release or ReleaseSettings()).keep
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Table": table.name,
                    "Use": _use(table, table.name in going),
                    "Releases": ", ".join(str(i) for i in table.release_ids),
                    "Chunks": table.rows,
                    "MB": table.size_bytes / 2**20,
                }
                for table in tables
            ]
        ),
        hide_index=True,
        height="content",
        column_config={
            "Chunks": st.column_config.NumberColumn(format="localized"),
            "MB": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"{total / 2**20:,.1f} MB in all. The newest "
            f"{counted(keep, 'release keeps its table', 'releases keep their tables')} to go back to "
            "(release.keep in the YAML).",
            width="stretch",
        )
        if st.button("Clean up", icon=":material/cleaning_services:", disabled=not going):
            _confirm(pipeline, [table for table in tables if table.name in going])
    if cleaned := st.session_state.pop(CLEANED, ""):
        st.success(plain(cleaned), icon=":material/check:")


def _use(table: TableOnDisk, is_going: bool) -> str:
    if table.is_published:
        return "published"
    if table.is_current:
        return "candidate"
    return "can be cleaned" if is_going else "kept to go back to"


@st.dialog("Delete these tables?")
def _confirm(pipeline: Pipeline, going: Sequence[TableOnDisk]) -> None:
    for table in going:
        st.markdown(
            f"- {plain(table.name)}: {counted(table.rows, 'chunk')}, {table.size_bytes / 2**20:,.1f} MB"
        )
    st.caption("Nobody can roll back to their releases afterwards. Their embeddings stay in the cache.")
    with st.container(horizontal=True):
        if st.button(
            "Delete them", type="primary", icon=":material/delete:", on_click=_clean, args=(pipeline,)
        ) or st.button("Keep them"):
            st.rerun()


def _clean(pipeline: Pipeline) -> None:
    with guarded():
        cleaned = pipeline.clean()
        st.session_state[CLEANED] = (
            f"{counted(len(cleaned.tables), 'table')} deleted, {cleaned.size_bytes / 2**20:,.1f} MB free again."
            + "".join(f" Not all: {one}." for one in cleaned.unreachable)
        )
