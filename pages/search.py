"""Search: one question, up to four tables side by side."""

import streamlit as st

from workbench.ui import search_view
from workbench.ui.messages import empty_state
from workbench.ui.search_answers import answers, searchable_tables

st.title("Search")
tables = searchable_tables()
if not tables:
    empty_state(
        "search",
        "No tables to search yet",
        "Choose how to cut your documents and build a table first.",
        "pages/tables.py",
        "Build a table",
    )
    st.stop()

question, k, chosen = search_view.controls(tables)
if not chosen:
    st.info("Choose at least one table.", icon=":material/table_rows:")
elif not question.strip():
    search_view.suggestions()
else:
    search_view.columns(question, answers(chosen, question, k))
