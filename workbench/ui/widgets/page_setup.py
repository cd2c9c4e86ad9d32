"""Title, logo and the small corrections of Streamlit's look that every page starts with."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ASSETS = Path(__file__).parent.parent / "assets"

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


def set_up_page(title: str) -> None:
    """Set what stands above and around a page's own content."""
    st.set_page_config(page_title=title, page_icon=str(ASSETS / "favicon.svg"), layout="wide")
    st.html(NARROW_SCREEN + NO_RAW_CSV + LEVEL_LABELS)
    st.logo(ASSETS / "logo.svg", size="large")
