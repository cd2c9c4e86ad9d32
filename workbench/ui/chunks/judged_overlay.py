"""Judged answers on the Chunks page: which question set is shown, and which of its answers a config cuts in two."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from workbench.evaluation.losses import cut_in_two
from workbench.evaluation.questions import QuestionSet, question_set, reanchored
from workbench.evaluation.results import ChunkRanges
from workbench.records import Document, Judgment
from workbench.spans import Span
from workbench.ui.chunks.chunkings import Cuts
from workbench.ui.session import url_state
from workbench.ui.session.workspace import workspace, workspace_folder
from workbench.ui.widgets.messages import plain

SET_WIDGET = "chunks.answers"
OFF = "off"
HELD_TEXTS = 16


@dataclass(frozen=True)
class Answers:
    """Where the answers stand in one column's text; ``broken`` are those that no chunk holds whole."""

    ranges: tuple[Span, ...] = ()
    broken: tuple[Span, ...] = ()


def restore() -> None:
    """Choose a question set when the page is entered: the link's, that of last time, else the newest."""
    found = _sets()
    newest = found[0].name if found else OFF
    names = {OFF, *(one.name for one in found)}
    url_state.entered(SET_WIDGET, "answers", newest, lambda texts: texts[-1] if texts[-1] in names else None)
    if st.session_state[SET_WIDGET] not in names:
        st.session_state[SET_WIDGET] = newest


def choice() -> None:
    """Draw the box that chooses whose answers are marked; nothing while there is no question set."""
    found = _sets()
    if not found:
        return
    st.selectbox(
        "Judged answers",
        [*(one.name for one in found), OFF],
        format_func=lambda name: "Answers: off" if name == OFF else f"Answers: {name}",
        key=SET_WIDGET,
        label_visibility="collapsed",
        width=240,
    )


def chosen() -> QuestionSet | None:
    """Return the question set whose answers are marked, or None."""
    name = st.session_state.get(SET_WIDGET, OFF)
    return next((one for one in _sets() if one.name == name), None)


def link() -> str:
    """Return what the address says of the choice: nothing for the newest set."""
    name = str(st.session_state.get(SET_WIDGET, OFF))
    found = _sets()
    url_state.left(SET_WIDGET)
    return "" if not found or name == found[0].name else name


def answers(column: Cuts, questions: QuestionSet | None) -> Answers:
    """Return the answers in a column's document, placed in its own text; none while it is being cut."""
    if questions is None or column.result.parsed is None:
        return Answers()
    document = column.result.parsed.document
    placed = _placed(questions.hash, questions.name, document.id, document.text_hash, questions, document)
    cut = cut_in_two(placed, ChunkRanges(column.result.chunks)) if column.result.chunks else []
    return Answers(
        tuple((j.start, j.end) for j in placed), tuple((c.judgment.start, c.judgment.end) for c in cut)
    )


def legend(questions: QuestionSet | None, found: list[Answers]) -> None:
    """Draw what the underlines mean, or that there is nothing to underline."""
    if questions is None:
        return
    if not any(one.ranges for one in found):
        st.caption(f"“{plain(questions.name)}” has no judged answer in this document.")
        return
    st.caption(
        f"Underlined: the judged answers of “{plain(questions.name)}”. Wavy and red: those that no chunk holds whole."
    )


def _sets() -> list[QuestionSet]:
    sets = workspace().question_sets
    return _held_sets(str(workspace_folder()), sets.version())


@st.cache_resource(show_spinner=False, max_entries=4)
def _held_sets(folder: str, version: str) -> list[QuestionSet]:
    return workspace().question_sets.newest_first()


@st.cache_resource(show_spinner=False, max_entries=HELD_TEXTS)
def _placed(
    questions_hash: str,
    name: str,
    document_id: str,
    text_hash: str,
    _questions: QuestionSet,
    _document: Document,
) -> tuple[Judgment, ...]:
    """Return the answering judgments of one document at their places in this text, each range once."""
    pairs = zip(_questions.judgments, _questions.texts, strict=True)
    own = [(j, text) for j, text in pairs if j.document_id == document_id and j.grade > 0]
    here, _ = reanchored(question_set(name, _questions.questions, own), [_document])
    return tuple({(j.start, j.end): j for j in here.judgments}.values())
