"""Chunks: one document, cut in up to four ways, side by side and live."""

import streamlit as st

from workbench.ui import cuts_page, passage_view
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace

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

cuts_page.restore(documents)
row, on_page = cuts_page.controls(documents, here.configs())
columns = cuts_page.compared(row)
index = passage_view.passage_choice(row, columns)
passage_view.passage_view(row, columns, index, on_page)
cuts_page.write_link(row, [column.draft for column in columns], index, on_page)
