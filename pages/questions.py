"""Questions: what a search should find, as passages of the documents, so that configurations can be measured."""

import streamlit as st

from workbench.ui.questions import annotation, drafts, question_sets, question_table
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.messages import empty_state

here = workspace()
sets = here.question_sets.sets()

st.title("Questions")
st.caption("Questions with the passages that answer them: with these, every configuration can be measured.")
if not here.documents():
    empty_state(
        "description",
        "No documents yet",
        "Questions are answered by passages of documents: add some first, or the sample library.",
        page_script("documents"),
        "Add documents",
    )
    st.stop()

question_sets.import_report()
if not sets:
    empty_state(
        "quiz",
        "No questions yet",
        "Import the questions that you have, or start an empty set and mark the answers in your documents.",
    )
    question_sets.add_set()
    st.stop()

questions, view = question_sets.chosen(sets)
if view == "mark":
    annotation.marking_view(questions)
elif view == "draft":
    drafts.drafts_view(questions)
elif view == "check":
    question_table.check_view(questions)
elif view == "export":
    question_table.export_view(questions)
else:
    question_table.questions_view(questions)
