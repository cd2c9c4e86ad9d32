"""Cards side by side that go to the next row where they would become too narrow to read."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

NARROWEST_REM = 13.5


def card_row(count: int, key: str, narrowest_rem: float = NARROWEST_REM) -> list[DeltaGenerator]:
    """Return places for cards of equal width and height; ``key`` names the row."""
    # Streamlit's columns shrink without end, and its rows wrap at eight rem only and stretch what is alone in a row.
    columns = f"repeat(auto-fit, minmax(min(100%, {narrowest_rem}rem), 1fr))"
    st.html(f"<style>.st-key-{key} {{ display: grid; grid-template-columns: {columns}; }}</style>")
    with st.container(horizontal=True, gap="small", key=key):
        return [st.container(border=True, gap="small", height="stretch") for _ in range(count)]
