"""Map: the chunks of one table on a plane, or of two on aligned axes, with a question and its hits."""

import streamlit as st

from workbench.ui import map_controls, map_jobs, map_pair_view, map_view
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script
from workbench.ui.widgets.table_picker import searchable_tables

st.title("Map")
tables = searchable_tables()
if not tables:
    empty_state(
        "scatter_plot",
        "No tables to draw yet",
        "Choose how to cut your documents and build a table first.",
        page_script("tables"),
        "Build a table",
    )
    st.stop()

choice = map_controls.controls(tables)
if choice.other is None:
    map_view.draw(choice, map_jobs.current(choice))
elif pair := map_jobs.current_pair(choice):
    map_pair_view.draw_pair(choice, pair)
