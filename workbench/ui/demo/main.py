"""The script of a demo server: the search box, and no navigation that could lead to another page."""

from __future__ import annotations

import os

# Before anything imports a model library: models come inside packages, nothing is looked up on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.ui.demo import demo
from workbench.ui.demo.offer import Offer, current_offer
from workbench.ui.session import warmup, workspace
from workbench.ui.widgets.messages import guarded
from workbench.ui.widgets.page_setup import set_up_page
from workbench.ui.widgets.table_picker import searchable_tables


def run() -> None:
    """Draw the search box."""
    set_up_page("Search")
    with guarded():
        try:
            workspace.workspace()
            warmup.start()
            tables = searchable_tables()
            if tables:
                demo.demo(tables, current_offer() or Offer())
            else:
                st.info("There is nothing to search here yet.", icon=":material/search:")
        except WorkbenchError as error:
            demo.show_trouble(error)


if __name__ == "__main__":
    # Worker processes import the main module again, under another name: they must not draw a page.
    run()
