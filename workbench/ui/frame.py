"""The frame around every page: navigation, and a plain message when the workspace itself cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports a model library: models come inside packages, nothing is looked up on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.ui import at_work, demo_view, resources, run_schedule, warming
from workbench.ui.messages import guarded, plain, shown_error

PAGES = resources.ROOT / "pages"
ASSETS = Path(__file__).parent / "assets"

# Streamlit leaves five rem on both sides of the page down to the width of a phone.
NARROW_SCREEN = (
    "<style>@media (max-width: 1150px) {"
    " [data-testid='stMainBlockContainer'] { padding-inline: 1.75rem; } }</style>"
)

# The download that Streamlit puts over every table writes cells as they are: a name that starts with = is a formula.
# Pages offer their own files.
NO_RAW_CSV = (
    "<style>[data-testid='stElementToolbarButton']:has(button[aria-label^='Download as CSV'])"
    " { display: none; }</style>"
)

# Lower than the boxes beside them, their labels would stand lower than those of the boxes.
LEVEL_LABELS = "<style>button[data-variant='segmented_control'] { min-height: 2.5rem; }</style>"


def run() -> None:
    """Draw the navigation and the chosen page."""
    st.set_page_config(
        page_title="Retrieval Workbench",
        page_icon=str(ASSETS / "favicon.svg"),
        layout="wide",
    )
    st.html(NARROW_SCREEN + NO_RAW_CSV + LEVEL_LABELS)
    st.logo(ASSETS / "logo.svg", size="large")
    # Every url_path differs from its file's stem: equal ones let a deep link on a fresh server run the file alone,
    # through Streamlit's older multipage mechanism.
    chosen = _demo() if demo_view.wanted() else _workbench()
    try:
        resources.workspace()
    except WorkbenchError as error:
        shown_error(error)
        st.stop()
    warming.start()
    run_schedule.keep_looking(resources.workspace())
    if not demo_view.wanted():
        at_work.show()
        for notice in resources.workspace().notices:
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
    return st.Page(PAGES / f"{stem}.py", title=title, url_path=url_path, icon=icon, default=default)
