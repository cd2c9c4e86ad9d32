"""The chunks below a map: picked ones, or the hits of the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench.counts import counted
from workbench.records import Chunk, Hit, digest
from workbench.ui.session.workspace import page_script
from workbench.ui.widgets.chunk_labels import pages_of
from workbench.ui.widgets.highlighted_text import hit_text, origin
from workbench.workspace import DocumentRow

CARDS_A_PAGE = 10


def name_of(documents: Mapping[str, DocumentRow], chunk: Chunk) -> str:
    """Return the name of a chunk's document."""
    found = documents.get(chunk.document_id)
    return found.name if found else "a deleted document"


def point_label(documents: Mapping[str, DocumentRow], chunk: Chunk) -> str:
    """Return what a point's tip says."""
    return f"{name_of(documents, chunk)} · {pages_of(chunk)} · {chunk.text[:60]}"


def chunk_list(
    title: str,
    chunks: Sequence[Chunk],
    documents: Mapping[str, DocumentRow],
    hits: Mapping[str, Hit],
    key: str = "",
) -> None:
    """Draw a heading and a card per chunk, ten a page; ``hits`` gives rank and score by chunk id."""
    st.markdown(f"#### {title}")
    pages = -(-len(chunks) // CARDS_A_PAGE)
    shown = digest([key, [chunk.id for chunk in chunks]])[:12]
    page = st.pagination(pages, key=f"map cards {shown}") if pages > 1 else 1
    for chunk in chunks[(page - 1) * CARDS_A_PAGE : page * CARDS_A_PAGE]:
        _card(chunk, documents.get(chunk.document_id), hits.get(chunk.id))


def _card(chunk: Chunk, document: DocumentRow | None, hit: Hit | None) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            rank = f"**{hit.rank}** · " if hit else ""
            score = f" · score {hit.score:.3f}" if hit else ""
            st.markdown(
                f"{rank}{origin(chunk, document)} :gray[· {counted(chunk.token_count, 'token')}{score}]",
                width="stretch",
            )
            if document is not None:
                st.page_link(
                    page_script("documents"),
                    label="Open document",
                    icon=":material/description:",
                    query_params={"doc": document.name, "page": str(chunk.page_start)},
                    width="content",
                )
        hit_text(chunk.text)
