"""Export: a config as YAML with what was measured, and a YAML back in."""

import streamlit as st

from workbench.ui import exporting
from workbench.ui.card_row import card_row
from workbench.ui.messages import empty_state
from workbench.ui.resources import page_script, workspace

here = workspace()
choices = exporting.choices(here)

st.title("Export")
st.caption("A config as a small YAML file: it gives the same chunks and the same vectors wherever it runs.")
left, right = card_row(2, "export-and-import", narrowest_rem=26)
with left:
    if choices:
        choice = exporting.chosen(choices)
        exporting.show(choice, here)
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
    exporting.show_import(here)
