"""The script that Streamlit runs: navigation around every page, and a message when the workspace cannot be used.

``app.py`` names it. Links to pages are ``resources.page_script``: beside this script there is no ``pages/``, which keeps
Streamlit's older multipage mechanism out, so that the first visitor of a fresh server may come by any address.
"""

from __future__ import annotations

import os

from workbench.ui.widgets import search_options

# Before anything imports a model library: models come inside packages, nothing is looked up on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.ui.pipelines import scheduler
from workbench.ui.session import warmup, workspace
from workbench.ui.widgets import job_status
from workbench.ui.widgets.messages import guarded, plain, shown_error
from workbench.ui.widgets.page_setup import set_up_page


def run() -> None:
    """Draw the navigation and the chosen page."""
    set_up_page("Retrieval Workbench")
    chosen = _demo() if search_options.wanted() else _workbench()
    try:
        workspace.workspace()
    except WorkbenchError as error:
        shown_error(error)
        st.stop()
    warmup.start()
    scheduler.keep_looking(workspace.workspace())
    if not search_options.wanted():
        job_status.show()
        for notice in workspace.workspace().notices:
            st.info(plain(notice[:1].upper() + notice[1:]), icon=":material/healing:")
    with guarded():
        chosen.run()


def _demo() -> st.Page:
    """Return the page for stakeholders, without the way to any other."""
    return st.navigation(
        [_page("demo", "Search", "show", ":material/search:", default=True)], position="hidden"
    )


def _workbench() -> st.Page:
    return st.navigation(
        {
            "Prepare": [
                _page("documents", "Documents", "library", ":material/description:", default=True),
                _page("chunks", "Chunks", "cuts", ":material/content_cut:"),
                _page("tables", "Tables", "indexes", ":material/table_rows:"),
            ],
            "Look": [
                _page("search", "Search", "ask", ":material/search:"),
                _page("map", "Map", "atlas", ":material/scatter_plot:"),
            ],
            "Measure": [
                _page("questions", "Questions", "judged", ":material/quiz:"),
                _page("evaluate", "Evaluate", "verdict", ":material/trophy:"),
                _page("sweep", "Sweep", "grid", ":material/grid_on:"),
            ],
            "Decide": [_page("export", "Export", "yaml", ":material/ios_share:")],
            "Run": [
                _page("sources", "Sources", "feeds", ":material/sync_alt:"),
                _page("runs", "Runs", "history", ":material/history:"),
                _page("releases", "Releases", "published", ":material/rocket_launch:"),
            ],
        }
    )


def _page(stem: str, title: str, url_path: str, icon: str, default: bool = False) -> st.Page:
    return st.Page(workspace.page_script(stem), title=title, url_path=url_path, icon=icon, default=default)


if __name__ == "__main__":
    # Worker processes import the main module again, under another name: they must not draw a page.
    run()
