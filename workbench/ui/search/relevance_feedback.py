"""Judging hits while searching: each verdict is kept in a question set at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.evaluation.questions import QuestionSet
from workbench.records import Hit
from workbench.spans import Span
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain, shown_error

ON, INTO, RANGE = "search judging", "search judging set", "search judging range"
OWN_SET = "From searching"
GRADES = {"Answers it": 2, "Partly": 1, "Not": 0}
Grades = Mapping[tuple[str, int, int], int]
"""Document id, start, end → grade."""
SENTENCE, WHOLE = "the marked sentence", "the whole hit"


def judging(beside: Callable[[], None]) -> str | None:
    """Draw the switch and, when it is on, which set takes the judgments; return the set's name, or None when off.

    ``beside`` is drawn at the end of the row.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        on = st.toggle(
            "Judge hits",
            key=ON,
            help="Say of each hit whether it answers the question. The judgments make a question set, by which "
            "configurations are compared on the Evaluate page.",
        )
        beside()
    if not on:
        return None
    # A row of its own: with the buttons in one, it breaks wherever the screen ends.
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        return _taking()


def _taking() -> str:
    """Draw which set takes the judgments and what each is about; return the set's name."""
    names = [one.name for one in workspace().question_sets.sets()]
    into = st.selectbox(
        "Kept in",
        names if OWN_SET in names else [OWN_SET, *names],
        key=INTO,
        label_visibility="collapsed",
        width=240,
    )
    st.segmented_control(
        "Judged range",
        [SENTENCE, WHOLE],
        default=SENTENCE,
        required=True,
        key=RANGE,
        label_visibility="collapsed",
        help="A judgment is a range of the document, whatever the chunks: the sentence alone is fair to every way "
        "of cutting. The whole hit favours chunks like this one.",
    )
    return into


def judged_range(hit: Hit, best: Span | None) -> Span:
    """Return the range of the document that a verdict is about."""
    start = hit.chunk.start
    if best is None or st.session_state.get(RANGE, SENTENCE) == WHOLE:
        return start, hit.chunk.end
    return start + best[0], start + best[1]


def given_grades(into: str, question: str) -> Grades:
    """Return the verdicts on a question that a set holds."""
    kept = next((one for one in workspace().question_sets.sets() if one.name == into), QuestionSet(into))
    asked = kept.asking(question).id
    return {(j.document_id, j.start, j.end): j.grade for j in kept.judgments if j.question_id == asked}


def verdict_buttons(into: str, question: str, hit: Hit, best: Span | None, key: str, grades: Grades) -> None:
    """Draw the verdicts on one hit; the one that was given is filled."""
    start, end = judged_range(hit, best)
    given = grades.get((hit.chunk.document_id, start, end))
    with st.container(horizontal=True, gap="small"):
        for label, grade in GRADES.items():
            st.button(
                label,
                key=f"judge-{key}-{grade}",
                type="primary" if given == grade else "secondary",
                on_click=_judge,
                args=(into, question, hit.chunk.document_id, start, end, grade),
            )


def _judge(into: str, question: str, document_id: str, start: int, end: int, grade: int) -> None:
    here = workspace()
    try:
        here.question_sets.judge(into, question, here.document(document_id), start, end, grade)
    except WorkbenchError as error:
        shown_error(error)
        return
    label = next(name for name, value in GRADES.items() if value == grade)
    st.toast(f"Kept in {plain(into)}: {label.lower()}", icon=":material/check:")
