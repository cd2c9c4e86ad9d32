"""Export: a config as YAML with what was measured, and a YAML back in."""

import streamlit as st

from workbench.ui.export import export
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.card_grid import card_row
from workbench.ui.widgets.messages import empty_state

here = workspace()
choices = export.choices(here)

st.title("Export")
st.caption("A config as a small YAML file: it gives the same chunks and the same vectors wherever it runs.")
left, right = card_row(2, "export-and-import", narrowest_rem=26)
with left:
    if choices:
        choice = export.chosen(choices)
        export.show(choice, here)
    else:
        empty_state(
            "ios_share",
            "No config to export yet",
            "Compare ways of cutting on the Chunks page and build the one you like, or import a YAML here.",
            page_script("chunks"),
            "Go to Chunks",
        )
with right:
    st.subheader("Import")
    export.show_import(here)
