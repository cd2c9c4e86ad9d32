"""Runs: what every sync did, what it took, and what could not be brought in."""

import streamlit as st

from workbench.sync.place import ledger_of
from workbench.ui.pipelines import pipeline_files
from workbench.ui.pipelines.sync_jobs import SYNC
from workbench.ui.runs import failures, history
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import empty_state

here = workspace()
ledger = ledger_of(here)
files = {file.name: file for file in pipeline_files.files(here)[0]}
names = ledger.pipelines()

st.title("Runs")
st.caption("Every sync, from this app or from the command line: what it did, how long it took, what failed.")
if not names:
    empty_state(
        "history",
        "No runs yet",
        "A run is one sync of a pipeline with its sources: make a pipeline and sync it.",
        page_script("sources"),
        "Go to Sources",
    )
    st.stop()

name = pipeline_files.chosen_name(names)
job_panel(SYNC, finished=1, key="syncs")
failures.show(here, ledger, name, files.get(name))
history.show(ledger, name)
