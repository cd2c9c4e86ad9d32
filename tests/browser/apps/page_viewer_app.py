"""A drawn page with chunks on it, and what came back."""

import pymupdf
import streamlit as st

from workbench.ui.components.page_viewer import PageChunk, page_viewer

LINE = "Every vehicle is inspected before its first run of the day, and the result is written down."


@st.cache_data
def page_image() -> tuple[bytes, list[list[tuple[float, float, float, float]]]]:
    """Return a page image and the rectangles of its paragraphs."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        paragraphs = []
        y = 90.0
        for _ in range(6):
            lines = []
            for line in range(6):
                page.insert_text((72, y), LINE[: 96 - 12 * (line == 5)], fontsize=10.2)
                lines.append((72.0, y - 9.5, 72.0 + 4.55 * (96 - 12 * (line == 5)), y + 3.2))
                y += 15
            paragraphs.append(lines)
            y += 12
        return page.get_pixmap(dpi=110).tobytes("png"), paragraphs


st.set_page_config(page_title="Chunks on the page", layout="wide")
image, paragraphs = page_image()
mode = st.segmented_control("Mode", ["chunks", "hit", "mark"], default="chunks", key="mode")


@st.fragment
def drawn() -> None:
    """Draw the page and what it returns."""
    chunks = [
        PageChunk(n, lines, f"Chunk {n + 1} <b>", tokens=120 + n, hit=mode == "hit" and n == 2)
        for n, lines in enumerate(paragraphs)
    ]
    event = page_viewer(
        image,
        595,
        842,
        chunks,
        key="page",
        caption="Page 3 of 12",
        markable=mode == "mark",
        marks=[paragraphs[2][1]] if mode == "hit" else [],
        max_width=620,
    )
    if event.chunk is not None:
        st.session_state["picked"] = event.chunk
    if event.rectangle:
        st.session_state["rectangle"] = event.rectangle
    st.text(f"picked: {st.session_state.get('picked')}")
    st.text(f"rectangle: {st.session_state.get('rectangle')}")


drawn()
