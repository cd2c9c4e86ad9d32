"""Tables: what a build would cost, builds in the background, and the tables that are there."""

import streamlit as st

from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.tables import build_form, table_list
from workbench.ui.widgets import table_builds
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import empty_state

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

build_form.form(documents)
job_panel(build_form.ESTIMATE, finished=0, key="estimates")
job_panel(table_builds.BUILD)
build_form.estimates()
table_list.show(here.tables.listing(), len(documents))
