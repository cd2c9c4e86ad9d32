"""Chunks: one document, cut in up to four ways, side by side and live."""

import streamlit as st

from workbench.ui.chunks import page_state, viewer
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.messages import empty_state

here = workspace()
documents = here.documents()

st.title("Chunks")
st.caption(
    "A search finds and shows chunks: pieces of a document. Here are up to four ways to cut the same one."
)
if not documents:
    empty_state(
        "content_cut",
        "Nothing to cut yet",
        "Add documents first. A library of samples is one click away on the Documents page.",
        page_script("documents"),
        "Go to Documents",
    )
    st.stop()

page_state.restore(documents)
row, on_page = page_state.controls(documents, here.configs())
columns = page_state.compared(row)
index = viewer.passage_choice(row, columns)
viewer.passage_view(row, columns, index, on_page)
page_state.write_link(row, [column.draft for column in columns], index, on_page)
