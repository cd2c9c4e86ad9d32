"""Documents: files in, what happened to each, and a look at page and text side by side."""

import streamlit as st

from workbench.ui.documents import document_table, getting_started, reader, uploads
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.messages import empty_state
from workbench.ui.widgets.store_status import show_due

st.title("Documents")
about = st.container(horizontal=True, vertical_alignment="center")
uploads.receive()
uploads.show()
# Asked after the jobs: one that ends later draws the page again, one that ended before is counted here.
documents = workspace().documents()
about.caption(
    document_table.totals(documents)
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
    selected = document_table.table(documents)
    document_table.actions(selected)
    opened = document_table.choice(documents)
    reader.viewer(opened)
elif not uploads.inbox().uploads():
    empty_state(
        "upload_file",
        "No documents yet",
        "Drop PDF, text, Markdown or HTML files above, or add the sample library to try everything at once.",
    )
    getting_started.steps()
