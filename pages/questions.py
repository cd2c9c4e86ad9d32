"""Questions: what a search should find, as passages of the documents, so that configurations can be measured."""

import streamlit as st

from workbench.ui import answer_marking, question_drafts, question_list, question_sets
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace

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
    answer_marking.marking_view(questions)
elif view == "draft":
    question_drafts.drafts_view(questions)
elif view == "check":
    question_list.check_view(questions)
elif view == "export":
    question_list.export_view(questions)
else:
    question_list.questions_view(questions)
