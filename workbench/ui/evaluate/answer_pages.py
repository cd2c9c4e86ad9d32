"""A judged answer on its page or in its text, with the hits of one configuration around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench.config import Config
from workbench.evaluation.losses import Loss
from workbench.evaluation.results import FoundRange, Place
from workbench.records import Chunk, Document, Layout, Page
from workbench.spans import Span
from workbench.ui.components.page_viewer import PageChunk, page_viewer, rectangles_on
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.highlighted_text import hit_text
from workbench.ui.widgets.messages import plain

AROUND_CHARACTERS = 400
"""How much of a text without pages is shown before and after an answer."""


def answer_on_page(
    config: Config,
    document: Document,
    answer: Span,
    hits: Sequence[FoundRange],
    lost: Sequence[Loss],
    key: str,
) -> None:
    """Draw the page where the answer begins: the answer framed, the hits coloured, chunks that hold it faint."""
    page = next((p for p in document.pages if p.number == document.page_at(answer[0])), None)
    if page is None or page.width <= 0:
        _in_text(document, answer, hits)
        return
    layout = workspace().layout(document.id, config)
    boxes = page_boxes(document.id, page, layout, hits, lost)
    here = [hit.rank for hit in hits if any(box.id == f"hit {hit.rank}" for box in boxes)]
    page_viewer(
        workspace().page_image(document.id, page.number),
        page.width,
        page.height,
        boxes,
        key,
        caption=f"Page {page.number}: {answer_said(document, answer)}; {_hits_said(here)}",
        marks=rectangles_on(layout, page.number, *answer),
        max_width=640,
    )


def page_boxes(
    document_id: str, page: Page, layout: Layout, hits: Sequence[FoundRange], lost: Sequence[Loss]
) -> list[PageChunk]:
    """Return the hits that stand on a page, and faintly the chunks that hold a lost answer and are no hit."""
    boxes = []
    for hit in hits:
        if hit.document_id == document_id and (
            rects := rectangles_on(layout, page.number, hit.start, hit.end)
        ):
            boxes.append(
                PageChunk(
                    f"hit {hit.rank}",
                    rects,
                    f"Hit {hit.rank}",
                    hit.token_count,
                    hit.rank - 1,
                    mark=str(hit.rank),
                )
            )
    shown = {hit.chunk_id for hit in hits}
    for chunk, why in _holding(lost).items():
        if chunk.id in shown or chunk.document_id != document_id:
            continue
        if rects := rectangles_on(layout, page.number, chunk.start, chunk.end):
            label = f"Chunk {chunk.ordinal + 1}: {why}"
            boxes.append(PageChunk(f"chunk {chunk.ordinal}", rects, label, chunk.token_count, dim=True))
    return boxes


def _holding(lost: Sequence[Loss]) -> Mapping[Chunk, str]:
    """Return the chunks that hold a lost answer or parts of it, with what became of them."""
    result: dict[Chunk, str] = {}
    for loss in lost:
        for chunk in loss.chunks:
            came = f"came at rank {loss.rank}" if loss.rank else "is not among the hits"
            part = "holds a part of the answer" if loss.kind == "cut" else "holds the answer"
            result.setdefault(chunk, f"{part} and {came}")
    return result


def answer_said(document: Document, answer: Span) -> str:
    """Return how much of an answer stands on the page where it begins."""
    last = document.page_at(max(answer[0], answer[1] - 1))
    if last == document.page_at(answer[0]):
        return "the answer is framed"
    return f"the answer begins in the frame and goes on to page {last}"


def _hits_said(ranks: Sequence[int]) -> str:
    if not ranks:
        return "no hit is on this page"
    return (
        f"hit {ranks[0]} is coloured"
        if len(ranks) == 1
        else f"hits {', '.join(map(str, ranks))} are coloured"
    )


def _in_text(document: Document, answer: Span, hits: Sequence[FoundRange]) -> None:
    start, end = max(0, answer[0] - AROUND_CHARACTERS), min(len(document.text), answer[1] + AROUND_CHARACTERS)
    with st.container(border=True, gap="small"):
        hit_text(document.text[start:end], (answer[0] - start, answer[1] - start))
        place: Place = (document.id, start, end)
        here = [h.rank for h in hits if h.document_id == place[0] and h.start < end and h.end > start]
        st.caption(plain(f"The answer is marked; {_hits_said(here).replace('coloured', 'in this text')}"))
