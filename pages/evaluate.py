"""Evaluate: which of the built tables finds more, and is the difference real?"""

import streamlit as st

from workbench.ui.evaluate import per_question, report_download, runs, split_answers, summary, weight_tuning
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets import verdict as widgets_verdict
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import empty_state, plain
from workbench.ui.widgets.table_picker import outdated_warning, searchable_tables

st.title("Evaluate")
st.caption(
    "Every question of a set is asked in every table; what the hits show is compared with the judged answers."
)
tables, sets = searchable_tables(), workspace().question_sets.sets()
if not tables:
    empty_state(
        "table_rows",
        "No tables to compare yet",
        "Choose how to cut your documents and build two or more tables first.",
        page_script("tables"),
        "Build tables",
    )
    st.stop()
if not sets:
    empty_state(
        "quiz",
        "No questions yet",
        "Tables are compared on questions with known answers: import some, mark some, or take the sample questions.",
        page_script("questions"),
        "Go to Questions",
    )
    st.stop()

choice = runs.controls(tables, sets)
if choice is None:
    st.info("Choose at least one table.", icon=":material/table_rows:")
    st.stop()
outdated_warning(tables, list(choice.configs))
left = runs.missing(choice)
if left:
    runs.offer(choice, left)
job_panel(runs.KIND, finished=1 if left else 0)
if left:
    st.stop()

found = runs.measured(choice)
verdict = runs.verdict_of(choice, found)
widgets_verdict.verdict_box(verdict)
for note in runs.notes(choice, found, tables):
    st.caption(plain(note))
if verdict.question_count:
    summary.leaderboard_table(choice, found, verdict)
    summary.cost_table(choice, found, verdict)
    summary.comparisons(verdict)
    summary.picture(choice, found)
    per_question.question_by_question(choice, found, verdict)
    split_answers.cut_answers(choice)
    weight_tuning.tuning(choice)
    report_download.downloads(choice, found, verdict)
