"""What the model gets of one chunk."""

from __future__ import annotations

import streamlit as st

from workbench.counts import counted
from workbench.records import Chunk
from workbench.table_cells import escaped_cells
from workbench.ui.chunks.chunkings import Cuts
from workbench.ui.chunks.statistics import model_input
from workbench.ui.widgets.messages import plain
from workbench.ui.widgets.page_slices import has_pages

INPUT_STYLE = (
    "white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.87rem; line-height: 1.55; "
    "max-height: 48rem; overflow-y: auto; padding: 0.6rem 0.8rem; border-radius: 0.5rem; "
    "border: 1px solid color-mix(in srgb, currentColor 18%, transparent);"
)
PREFIX_STYLE = (
    "background: color-mix(in srgb, currentColor 12%, transparent); border-radius: 3px; padding: 0 2px;"
)
BEYOND_STYLE = "opacity: 0.42; text-decoration: line-through; text-decoration-thickness: 1px;"


def input_html(prefix: str, read: str, beyond: str) -> str:
    """Return what a model is given as HTML: the prefix on a tint, the part beyond the window greyed.

    >>> "<b>" in input_html("", "<b>", "")
    False
    """
    parts = [
        f'<span style="{PREFIX_STYLE}" title="prefix">{escaped_cells(prefix)}</span>' if prefix else "",
        escaped_cells(read),
        f'<span style="{BEYOND_STYLE}" title="not read">{escaped_cells(beyond)}</span>' if beyond else "",
    ]
    return f'<div dir="auto" style="{INPUT_STYLE}">{"".join(parts)}</div>'


def place_of(chunk: Chunk, paged: bool = True) -> str:
    """Return where a chunk is, such as ``page 3 · characters 1,200–1,840 · 141 tokens``."""
    first, last = chunk.page_start, chunk.page_end
    pages = f"page {first} · " if first == last else f"pages {first}–{last} · "
    return f"{pages if paged else ''}characters {chunk.start:,}–{chunk.end:,} · {counted(chunk.token_count, 'token')}"


def model_view(column: Cuts, chunk: Chunk) -> None:
    """Draw the exact input that the model gets for a chunk, with the part that it does not read greyed."""
    if column.result.model is None:
        return
    prefix, read, beyond = model_input(chunk, column.result.model)
    window = column.result.model.window_tokens
    paged = column.result.parsed is not None and has_pages(column.result.parsed.document)
    st.caption(f"{place_of(chunk, paged)} · read by {plain(column.result.model.title)}")
    st.html(input_html(prefix, read, beyond))
    if beyond:
        share = len(beyond) / len(chunk.text)
        st.warning(
            f"The model reads {window:,} tokens at once. The grey end, {counted(len(beyond), 'character')} "
            f"({share:.0%} of the chunk), is not part of its vector and cannot be found by meaning.",
            icon=":material/content_cut:",
        )
    elif prefix:
        st.caption("The tinted words at the start are the passage prefix of the embedder's settings.")
