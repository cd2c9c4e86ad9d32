"""Through the passages of a document: numbers to click, and a box to type one into where there are many."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

MANY_PASSAGES = 9


def pager_pixels(count: int) -> int:
    """Return the width of a row of page numbers: beside other things it would hide some that there is room for."""
    return 84 + 42 * min(max(count, 4), 7)


def go_to_box(count: int, number: int, key: str, go: Callable[[int], None]) -> None:
    """Draw a box that takes a number up to ``count``, where there are too many to click through.

    ``number`` is the one on screen; ``go`` is called with what was typed, before the next run.
    """
    if count <= MANY_PASSAGES:
        return
    typed = f"{key}.typed"
    st.session_state[typed] = number
    st.number_input(
        "Go to",
        1,
        count,
        key=typed,
        on_change=lambda: go(st.session_state[typed]),
        label_visibility="collapsed",
        width=120,
    )
