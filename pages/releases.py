"""Releases: what is published, what could be, and the way back."""

import streamlit as st

from workbench.sync.place import ledger_of
from workbench.ui.pipelines import pipeline_files
from workbench.ui.releases import candidate, comparison, disk_usage, other_workspaces
from workbench.ui.releases import published as releases_published
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.messages import empty_state
from workbench.ui.widgets.store_status import show_unreachable

here = workspace()
files = {file.name: file for file in pipeline_files.files(here)[0]}
names = list(dict.fromkeys([*files, *ledger_of(here).pipelines()]))

st.title("Releases")
st.caption(
    "Questions are answered from the published release. A new one is published through its gate, and taken back in one step."
)
if not names:
    empty_state(
        "rocket_launch",
        "No pipeline yet",
        "A release is a synced table of a pipeline: make a pipeline and sync it.",
        page_script("sources"),
        "Go to Sources",
    )
    st.stop()

name = pipeline_files.chosen_name(names)
if name not in files:
    other_workspaces.show(here, name)
    st.stop()

file = files[name]
pipeline = file.pipeline(here)
listing = pipeline.table_listing()
tables = listing.tables
show_unreachable(listing.unreachable)
published = releases_published.show_published(pipeline, tables)
candidate.show(here, file, pipeline, tables, published)
if any(table.rows for table in tables):
    comparison.show(here, file, published)
releases_published.show_history(pipeline.ledger, file.name, published)
disk_usage.show(pipeline, tables)
