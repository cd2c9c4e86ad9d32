"""Search: one question, up to four tables and ways to search them side by side."""

import streamlit as st

from workbench.ui.search import controls, downloads, history, result_columns
from workbench.ui.search.results import answers
from workbench.ui.session import warmup
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets import search_options
from workbench.ui.widgets.messages import empty_state
from workbench.ui.widgets.table_picker import outdated_warning, searchable_tables

st.title("Search")
tables = searchable_tables()
if not tables:
    empty_state(
        "search",
        "No tables to search yet",
        "Choose how to cut your documents and build a table first.",
        page_script("tables"),
        "Build a table",
    )
    st.stop()

warmup.status()
choice = controls.controls(tables, history.history)
documents = {row.id: row for row in workspace().documents()}
history.then_and_now(documents)
outdated_warning(tables, choice.tables)
if not choice.columns:
    st.info("Choose at least one table.", icon=":material/table_rows:")
elif not choice.question.strip():
    controls.suggestions(search_options.suggested(documents))
else:
    found = answers(choice.columns, choice.question, choice.k, choice.where)
    # Above the hits: below them nobody would scroll to find it.
    result_columns.columns(choice, found, lambda: downloads.downloads(choice, found, documents))
    history.note(choice, found)
