"""Evaluate: which of the built tables finds more, and is the difference real?"""

import streamlit as st

from workbench.ui import (
    cut_answers,
    evaluation_report,
    evaluation_runs,
    lost_questions,
    verdict_view,
    weight_tuning,
)
from workbench.ui.messages import empty_state, plain
from workbench.ui.resources import page_script, workspace
from workbench.ui.widgets import verdict as widgets_verdict
from workbench.ui.widgets.job_panel import job_panel
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

choice = evaluation_runs.controls(tables, sets)
if choice is None:
    st.info("Choose at least one table.", icon=":material/table_rows:")
    st.stop()
outdated_warning(tables, list(choice.configs))
left = evaluation_runs.missing(choice)
if left:
    evaluation_runs.offer(choice, left)
job_panel(evaluation_runs.KIND, finished=1 if left else 0)
if left:
    st.stop()

found = evaluation_runs.measured(choice)
verdict = evaluation_runs.verdict_of(choice, found)
widgets_verdict.verdict_box(verdict)
for note in evaluation_runs.notes(choice, found, tables):
    st.caption(plain(note))
if verdict.question_count:
    verdict_view.leaderboard_table(choice, found, verdict)
    verdict_view.cost_table(choice, found, verdict)
    verdict_view.comparisons(verdict)
    verdict_view.picture(choice, found)
    lost_questions.question_by_question(choice, found, verdict)
    cut_answers.cut_answers(choice)
    weight_tuning.tuning(choice)
    evaluation_report.downloads(choice, found, verdict)
