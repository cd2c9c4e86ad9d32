"""Demo: one search box for stakeholders; opened by a link with ``?demo=TABLE``."""

import streamlit as st

from workbench.ui.demo import demo
from workbench.ui.widgets.table_picker import searchable_tables

tables = searchable_tables(tells_troubles=False)
if not tables:
    st.info("There is nothing to search here yet.", icon=":material/search:")
    st.stop()

demo.demo(tables)
