"""Mark an answer: select the text that answers a question, type the question, keep both."""

from __future__ import annotations

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.evaluation.questions import Question, QuestionSet, question_id
from workbench.records import Document, Judgment
from workbench.spans import trimmed
from workbench.ui.components.chunk_viewer import Column, PickedText, chunk_viewer
from workbench.ui.hit_text import STYLE, hit_text
from workbench.ui.messages import empty_state, guarded, plain, shown_error
from workbench.ui.passages import passages
from workbench.ui.resources import workspace
from workbench.ui.state import choose_document, current_document

SELECTED = "judged selection"
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
            "pages/documents.py",
            "Add documents",
        )
        return
    _body(questions, rows)


@st.fragment
def _body(questions: QuestionSet, rows: dict[str, str]) -> None:
    """A fragment, so that selecting text redraws the form and nothing else."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        document = _document(rows)
        if document is None:
            return
        picked = _text(questions, document)
    if picked is not None:
        st.session_state[SELECTED] = document.id, picked.start, picked.end
    with right:
        _form(questions, document)


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


def _text(questions: QuestionSet, document: Document) -> PickedText | None:
    found = passages(document)
    number = st.pagination(len(found), key=f"judged passage {document.id}") if len(found) > 1 else 1
    passage = found[min(number, len(found)) - 1]
    marks = [(j.start, j.end) for j in questions.judgments if j.document_id == document.id and j.grade > 0]
    event = chunk_viewer(
        document.text[passage.start : passage.end],
        [Column("text", passage.label, [], note="answers marked so far are underlined")],
        key=f"judged text {document.id}",
        height=HEIGHT_PIXELS,
        offset=passage.start,
        marks=marks,
    )
    return event.selection


def _form(questions: QuestionSet, document: Document) -> None:
    chosen = st.session_state.get(SELECTED)
    if chosen is None or chosen[0] != document.id:
        empty_state(
            "ink_highlighter",
            "Select the answer",
            "Drag with the mouse over the sentences that answer a question. Then type the question here.",
        )
        return
    span = trimmed(document.text, chosen[1], min(chosen[2], len(document.text)))
    if span is None:
        st.info("Only blanks are selected: select some text.", icon=":material/ink_highlighter:")
        return
    answer = document.text[span[0] : span[1]]
    st.html(f"<style>{STYLE}</style>")
    with st.container(border=True, gap="small"):
        st.caption(f"The answer: {len(answer):,} characters on page {document.page_at(span[0])}")
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
            question = Question(known, texts[known]) if known else _question(texts, text.strip())
            judgment = Judgment(question.id, document.id, span[0], span[1], grade)
            with guarded():
                sets = workspace().question_sets
                # Read again: another session may have kept an answer since this page was drawn.
                now = sets.get(questions.name)
                sets.save(now.with_question(question).with_judgment(judgment, answer))
                del st.session_state[SELECTED]
                st.toast(f"Kept: {plain(question.text[:80])}", icon=":material/check:")
                st.rerun()


def _question(known: dict[str, str], text: str) -> Question:
    """Return the question with this text: one that is here already, or a new one."""
    same = next((i for i, other in known.items() if other.strip() == text), None)
    return Question(same, known[same]) if same else Question(question_id(text), text)
