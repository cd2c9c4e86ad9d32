"""Mark an answer on the text or on the image of its page, type the question it answers, keep both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.evaluation.questions import QuestionSet
from workbench.records import Box, Document, Judgment, Layout, Page
from workbench.spans import Span, trimmed
from workbench.ui.components.chunk_viewer import Column, checked_selection, chunk_viewer
from workbench.ui.components.page_viewer import PageChunk, clamped, page_viewer, rectangles_on
from workbench.ui.session.state import choose_document, current_document
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.highlighted_text import STYLE, hit_text
from workbench.ui.widgets.labels import pages_said
from workbench.ui.widgets.messages import empty_state, guarded, plain, shown_error
from workbench.ui.widgets.page_slices import Passage, passages
from workbench.ui.widgets.pagination import go_to_box, pager_pixels

SELECTED, SURFACE = "judged selection", "judged surface"
SURFACES = {"page": ":material/picture_as_pdf: Page", "text": ":material/notes: Text"}
NEW = ""
GRADE_LABELS = {1: "It is an answer", 2: "A good answer", 3: "The best answer"}
HEIGHT_PIXELS = 520


def marking_view(questions: QuestionSet) -> None:
    """Draw a document to select in, and beside it the question that the selected text answers."""
    rows = {row.id: row.name for row in workspace().documents()}
    if not rows:
        empty_state(
            "description",
            "No documents yet",
            "Answers are marked in documents: add some first.",
            page_script("documents"),
            "Add documents",
        )
        return
    _body(questions, rows)


@st.fragment
def _body(questions: QuestionSet, rows: dict[str, str]) -> None:
    """A fragment, so that marking redraws the answer and its form and nothing else."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        document = _document(rows)
        if document is None:
            return
        passage, page = _place(document)
        if page is None:
            _on_text(questions, document, passage)
        else:
            _on_page(questions, document, page)
    with right:
        _form(questions, document, "text" if page is None else "page")


def _document(rows: dict[str, str]) -> Document | None:
    document_id = st.selectbox(
        "Document",
        list(rows),
        index=list(rows).index(current_document(list(rows))),
        format_func=lambda i: rows.get(i, ""),
        key="judged document",
    )
    choose_document(document_id)
    try:
        return workspace().document(document_id)
    except WorkbenchError as error:
        shown_error(error)
        return None


def _place(document: Document) -> tuple[Passage, Page | None]:
    """Draw the way through the document; return the passage, and its page where it is to be marked on the image."""
    found = passages(document)
    with st.container(horizontal=True, vertical_alignment="center"):
        key, number = f"judged passage {document.id}", 1

        def go(typed: int) -> None:
            st.session_state[key] = typed

        if len(found) > 1:
            number = st.pagination(len(found), key=key, width=pager_pixels(len(found)))
            go_to_box(len(found), number, key, go)
        passage = found[min(number, len(found)) - 1]
        page = next((p for p in document.pages if p.number == passage.page and p.width > 0), None)
        if page is not None:
            surface = st.segmented_control(
                "Mark on",
                list(SURFACES),
                default="page",
                format_func=SURFACES.__getitem__,
                key=SURFACE,
                required=True,
                label_visibility="collapsed",
            )
            page = page if surface == "page" else None
    return passage, page


# ── the two surfaces ─────────────────────────────────────────────────────────────────────────────────────────────


def _on_text(questions: QuestionSet, document: Document, passage: Passage) -> None:
    key, text = f"judged text {document.id}", document.text[passage.start : passage.end]
    picked = checked_selection(text, passage.start, _sent(key, "selection"))
    if picked is not None:
        st.session_state[SELECTED] = document.id, picked.start, picked.end
    marks = [(j.start, j.end) for j in questions.judgments if j.document_id == document.id and j.grade > 0]
    chosen = _selected(document)
    chunk_viewer(
        text,
        [Column("text", passage.label, [], note="marked answers are underlined")],
        key=key,
        height=HEIGHT_PIXELS,
        offset=passage.start,
        marks=[*marks, chosen] if chosen else marks,
    )


def _on_page(questions: QuestionSet, document: Document, page: Page) -> None:
    try:
        image = workspace().page_image(document.id, page.number)
        layout = workspace().layout(document.id)
    except WorkbenchError as error:
        shown_error(error)
        return
    key = f"judged page {document.id} {page.number}"
    sent = _sent(key, "rectangle")
    if sent is not None:
        _select_under(sent, document, page, layout)
    chosen = _selected(document)
    page_viewer(
        image,
        page.width,
        page.height,
        _marked_before(questions, document, page, layout),
        key,
        caption=f"Page {page.number} of {len(document.pages)}: drag over the answer",
        marks=rectangles_on(layout, page.number, *chosen) if chosen else [],
        markable=True,
    )


def _select_under(rectangle: Any, document: Document, page: Page, layout: Layout) -> None:
    inside = clamped(rectangle, page.width, page.height)
    span = layout.range_under(Box(page.number, *inside)) if inside else None
    if span is None:
        st.toast("There is no text under this rectangle.", icon=":material/ink_highlighter:")
    else:
        st.session_state[SELECTED] = document.id, *span


def _marked_before(questions: QuestionSet, document: Document, page: Page, layout: Layout) -> list[PageChunk]:
    asked = {question.id: question.text for question in questions.questions}
    result = []
    for number, judgment in enumerate(questions.judgments):
        if judgment.document_id != document.id or judgment.grade == 0:
            continue
        if rects := rectangles_on(layout, page.number, judgment.start, judgment.end):
            result.append(PageChunk(number, rects, f"Answers: {asked[judgment.question_id]:.120}"))
    return result


def _sent(key: str, name: str) -> Any:
    # Read before the surface is drawn, so that it shows the new selection at once.
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None


def _selected(document: Document) -> Span | None:
    chosen = st.session_state.get(SELECTED)
    if chosen is None or chosen[0] != document.id:
        return None
    return trimmed(document.text, chosen[1], min(chosen[2], len(document.text)))


# ── the question ─────────────────────────────────────────────────────────────────────────────────────────────────


def _form(questions: QuestionSet, document: Document, surface: str) -> None:
    span = _selected(document)
    if span is None:
        how = "over the lines of the page" if surface == "page" else "over the sentences"
        empty_state(
            "ink_highlighter",
            "Mark the answer" if surface == "page" else "Select the answer",
            f"Drag with the mouse {how} that answer a question. Then type the question here.",
        )
        return
    answer = document.text[span[0] : span[1]]
    st.html(f"<style>{STYLE}</style>")
    with st.container(border=True, gap="small"):
        st.caption(f"The answer: {counted(len(answer), 'character')} on {pages_said(document, *span)}")
        hit_text(answer)
    texts = {question.id: question.text for question in questions.questions}
    with st.form("judged-mark", clear_on_submit=True):
        text = st.text_area(
            "The question it answers", placeholder="As somebody would type it into a search box"
        )
        known = st.selectbox(
            "or a question that is here already",
            [NEW, *texts],
            format_func=lambda i: texts.get(i, "a new question"),
            help="A question may have several answers; each is a passage of its own.",
        )
        grade = st.radio("How good an answer?", list(GRADE_LABELS), format_func=GRADE_LABELS.__getitem__)
        if st.form_submit_button("Keep this answer", type="primary", icon=":material/check:"):
            if not known and not text.strip():
                st.warning("Type the question first.")
                return
            with guarded():
                workspace().question_sets.changed(
                    questions.name, lambda now: _with_answer(now, known, text, document, span, grade)
                )
                del st.session_state[SELECTED]
                st.toast(f"Kept: {plain(texts.get(known, text).strip()[:80])}", icon=":material/check:")
                st.rerun()


def _with_answer(
    questions: QuestionSet, known: str, text: str, document: Document, span: Span, grade: int
) -> QuestionSet:
    """Return the set with the answer, as it is now: another session may have kept one since the page was drawn."""
    question = next((one for one in questions.questions if one.id == known), None) or questions.asking(text)
    judgment = Judgment(question.id, document.id, *span, grade)
    return questions.with_question(question).with_judgment(judgment, document.text[slice(*span)])
