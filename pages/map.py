"""Map: the chunks of one table on a plane, with a question and its hits."""

import streamlit as st

from workbench.ui import map_view
from workbench.ui.messages import empty_state
from workbench.ui.search_answers import searchable_tables

st.title("Map")
tables = searchable_tables()
if not tables:
    empty_state(
        "scatter_plot",
        "No tables to draw yet",
        "Choose how to cut your documents and build a table first.",
        "pages/tables.py",
        "Build a table",
    )
    st.stop()

choice = map_view.controls(tables)
map_view.draw(choice, map_view.current(choice))
