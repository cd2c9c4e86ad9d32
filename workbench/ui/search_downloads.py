"""The hits on screen as files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.evaluation.formats.cells import written
from workbench.ui.search_answers import Answer
from workbench.workspace import DocumentRow

_COLUMNS = (
    "question",
    "column",
    "rank",
    "score",
    "document",
    "page_start",
    "page_end",
    "start",
    "end",
    "text",
)


def downloads(question: str, found: Sequence[Answer], documents: Mapping[str, DocumentRow]) -> None:
    """Draw the buttons that save every column's hits."""
    rows = hit_rows(question, found, documents)
    if not rows:
        return
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Hits as CSV",
            written(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows]),
            "hits.csv",
            "text/csv",
            icon=":material/download:",
        )
        st.download_button(
            "Hits as JSON",
            json.dumps(rows, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace"),
            "hits.json",
            "application/json",
            icon=":material/download:",
        )


def hit_rows(
    question: str, found: Sequence[Answer], documents: Mapping[str, DocumentRow]
) -> list[dict[str, Any]]:
    """Return one row per hit, column by column, with everything that is shown of it."""
    return [
        {
            "question": question,
            "column": answer.label,
            "rank": hit.rank,
            "score": hit.score,
            "parts": dict(hit.parts),
            "details": dict(hit.details),
            "document": documents[hit.chunk.document_id].name if hit.chunk.document_id in documents else "",
            "document_id": hit.chunk.document_id,
            "page_start": hit.chunk.page_start,
            "page_end": hit.chunk.page_end,
            "start": hit.chunk.start,
            "end": hit.chunk.end,
            "text": hit.chunk.text,
        }
        for answer in found
        for hit in answer.hits
    ]
