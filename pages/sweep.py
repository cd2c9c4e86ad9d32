"""Sweep: many configurations at once, screened cheaply, the best of them confirmed."""

import streamlit as st

from workbench.ui import sweep_grid, sweep_results, sweep_runs
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace
from workbench.ui.widgets.job_panel import job_panel

here = workspace()
sets = here.question_sets.sets()

st.title("Sweep")
st.caption(
    "Many configurations at once: all of a grid are scored in a cheap way, and the best ones are built and measured."
)
if not here.documents():
    empty_state(
        "description",
        "No documents yet",
        "Configurations are compared on your documents: add some first, or the sample library.",
        page_script("documents"),
        "Add documents",
    )
    st.stop()
if not sets:
    empty_state(
        "quiz",
        "No questions yet",
        "Configurations are compared on questions with known answers: import some, mark some, or take the samples.",
        page_script("questions"),
        "Go to Questions",
    )
    st.stop()

sweep_grid.open_or_import()
chosen = sweep_grid.controls(sets)
if chosen is None:
    st.stop()
sweep, questions = chosen
plan = sweep_runs.planned(sweep, questions)
if plan is not None:
    sweep_runs.offer(sweep, questions, plan)
job_panel(sweep_runs.RUN, sweep_runs.ESTIMATE, finished=1)
if plan is not None:
    sweep_results.results(sweep, questions, plan.expansion.configs)
