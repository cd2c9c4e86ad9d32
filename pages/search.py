"""Search: one question, up to four tables and ways to search them side by side."""

import streamlit as st

from workbench.ui import search_controls, search_downloads, search_past, search_view, warming
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace
from workbench.ui.search_answers import answers
from workbench.ui.widgets import search_options
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

warming.status()
choice = search_controls.controls(tables, search_past.history)
documents = {row.id: row for row in workspace().documents()}
search_past.then_and_now(documents)
outdated_warning(tables, choice.tables)
if not choice.columns:
    st.info("Choose at least one table.", icon=":material/table_rows:")
elif not choice.question.strip():
    search_controls.suggestions(search_options.suggested(documents))
else:
    found = answers(choice.columns, choice.question, choice.k, choice.where)
    # Above the hits: below them nobody would scroll to find it.
    search_view.columns(choice, found, lambda: search_downloads.downloads(choice, found, documents))
    search_past.note(choice, found)
