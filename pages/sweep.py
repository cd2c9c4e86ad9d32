"""Sweep: many configurations at once, screened cheaply, the best of them confirmed."""

import streamlit as st

from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.sweep import grid_form, results, runs
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import empty_state

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

grid_form.open_or_import()
chosen = grid_form.controls(sets)
if chosen is None:
    st.stop()
sweep, questions = chosen
plan = runs.planned(sweep, questions)
if plan is not None:
    runs.offer(sweep, questions, plan)
job_panel(runs.RUN, runs.ESTIMATE, finished=1)
if plan is not None:
    results.results(sweep, questions, plan.expansion.configs)
