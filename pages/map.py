"""Map: the chunks of one table on a plane, or of two on aligned axes, with a question and its hits."""

import streamlit as st

from workbench.ui.map import controls, paired_maps, projection_jobs, single_map
from workbench.ui.session.workspace import page_script
from workbench.ui.widgets.messages import empty_state
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

choice = controls.controls(tables)
if choice.other is None:
    single_map.draw(choice, projection_jobs.current(choice))
elif pair := projection_jobs.current_pair(choice):
    paired_maps.draw_pair(choice, pair)
