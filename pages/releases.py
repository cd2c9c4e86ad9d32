"""Releases: what is published, what could be, and the way back."""

import streamlit as st

from workbench.sync.place import ledger_of
from workbench.ui import (
    release_candidate,
    release_disk,
    release_elsewhere,
    release_figures,
    release_view,
    source_files,
)
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace
from workbench.ui.store_status import show_unreachable

here = workspace()
files = {file.name: file for file in source_files.files(here)[0]}
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

name = source_files.chosen_name(names)
if name not in files:
    release_elsewhere.show(here, name)
    st.stop()

file = files[name]
pipeline = file.pipeline(here)
listing = pipeline.table_listing()
tables = listing.tables
show_unreachable(listing.unreachable)
published = release_view.show_published(pipeline, tables)
release_candidate.show(here, file, pipeline, tables, published)
if any(table.rows for table in tables):
    release_figures.show(here, file, published)
release_view.show_history(pipeline.ledger, file.name, published)
release_disk.show(pipeline, tables)
