"""What somebody who sees the workbench for the first time has before them: four steps, as the navigation groups them."""

from __future__ import annotations

import streamlit as st

from workbench.ui.widgets.card_grid import card_row

STEPS = (
    (
        "Prepare",
        "content_cut",
        "Add documents, see how each way of cutting them works out, and build a table of the ones you like.",
    ),
    ("Look", "search", "Ask a question in several tables side by side, and see the chunks as a map."),
    (
        "Measure",
        "trophy",
        "Questions with known answers say which table finds more, and whether that is more than chance.",
    ),
    (
        "Decide",
        "ios_share",
        "Take the winner away as a small YAML file, and keep its index true to your sources.",
    ),
)


def steps() -> None:
    """Draw one card per step."""
    for number, (place, (title, icon, text)) in enumerate(
        zip(card_row(len(STEPS), "first-steps"), STEPS, strict=True), 1
    ):
        with place:
            st.markdown(f":material/{icon}: **{number}  {title}**")
            st.caption(text)
