"""Documents: files in, what happened to each, and a look at page and text side by side."""

import streamlit as st

from workbench.ui import document_list, first_steps, upload_list
from workbench.ui.documents import reader
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace
from workbench.ui.store_status import show_due

st.title("Documents")
about = st.container(horizontal=True, vertical_alignment="center")
upload_list.receive()
upload_list.show()
# Asked after the jobs: one that ends later draws the page again, one that ended before is counted here.
documents = workspace().documents()
about.caption(
    document_list.totals(documents)
    if documents
    else "See, measure and decide how your documents are cut, embedded and searched. Start with the documents.",
    width="content" if documents else "stretch",
)

show_due(workspace().tables.due_deletions())
if documents:
    about.page_link(
        page_script("chunks"),
        label="Next: see how they are cut",
        icon=":material/arrow_forward:",
        width="content",
    )
    selected = document_list.table(documents)
    document_list.actions(selected)
    opened = document_list.choice(documents)
    reader.viewer(opened)
elif not upload_list.inbox().uploads():
    empty_state(
        "upload_file",
        "No documents yet",
        "Drop PDF, text, Markdown or HTML files above, or add the sample library to try everything at once.",
    )
    first_steps.steps()
