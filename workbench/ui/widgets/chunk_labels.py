"""Where a chunk stands, in words."""

from __future__ import annotations

from workbench.records import Chunk


def pages_of(chunk: Chunk) -> str:
    """Return ``page 3`` or ``pages 3–4``."""
    if chunk.page_start == chunk.page_end:
        return f"page {chunk.page_start}"
    return f"pages {chunk.page_start}–{chunk.page_end}"
