"""A job that goes on until it is let go or cancelled."""

import threading
from pathlib import Path

import streamlit as st

from workbench.ui.session.jobs import Job, jobs
from workbench.ui.widgets.job_panel import job_panel


def work(job: Job, folder: str) -> str:
    """Tick until the file ``go`` appears."""
    pause = threading.Event()
    for n in range(10_000):
        job.tick(min(n, 90), 100, f"report *{n}*.pdf")
        if (Path(folder) / "go").exists():
            return "100 chunks written"
        pause.wait(0.05)
    raise RuntimeError("nobody let it go")


folder = st.query_params.get("folder", "")
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
st.text(f"runs: {st.session_state['runs']}")
if st.button("Start"):
    jobs().start("Build **handbook**", "build", work, folder, unit="chunks", key=folder)
job_panel("build")
