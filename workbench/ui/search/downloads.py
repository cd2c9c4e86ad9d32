"""The hits on screen as files, and the page for stakeholders as a link."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from workbench.evaluation.formats.cells import written
from workbench.ui.search.controls import SearchChoice
from workbench.ui.search.results import Answer
from workbench.ui.widgets import search_options
from workbench.ui.widgets.search_options import OWN
from workbench.ui.widgets.sharing import show_to_others
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


def downloads(choice: SearchChoice, found: Sequence[Answer], documents: Mapping[str, DocumentRow]) -> None:
    """Draw the buttons that save every column's hits."""
    rows = hit_rows(choice.question, found, documents)
    if not rows:
        return
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
    ):
        st.download_button(
            "Hits as CSV",
            written(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows]),
            "hits.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
        st.download_button(
            "Hits as JSON",
            json.dumps(rows, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace"),
            "hits.json",
            "application/json",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
        demo_link(choice)


def demo_link(choice: SearchChoice) -> None:
    """Draw the link of the Demo page for the columns on screen."""
    # Two columns of one table cannot be told apart by a link that names tables: they make one demo.
    tables = list(dict.fromkeys(choice.tables))[:2]
    retriever = choice.ways[0] if choice.ways[0] != OWN else ""
    way = [(search_options.WAY, retriever)] if retriever else []
    show_to_others(
        urlencode([*((search_options.PARAMETER, table) for table in tables), *way]), tables, retriever
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
