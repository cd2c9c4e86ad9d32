"""Tables: what a build would cost, builds in the background, and the tables that are there."""

import streamlit as st

from workbench.ui import build_list, table_list
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace
from workbench.ui.widgets import table_builds
from workbench.ui.widgets.job_panel import job_panel

here = workspace()
documents = here.documents()

st.title("Tables")
st.caption("Every config gets a table of its own: its chunks with their embeddings, ready to be searched.")

if not documents:
    empty_state(
        "description",
        "No documents yet",
        "A table is built from documents: add some first, or the sample library.",
        page_script("documents"),
        "Add documents",
    )
    st.stop()

build_list.form(documents)
job_panel(build_list.ESTIMATE, finished=0, key="estimates")
job_panel(table_builds.BUILD)
build_list.estimates()
table_list.show(here.tables.listing(), len(documents))
