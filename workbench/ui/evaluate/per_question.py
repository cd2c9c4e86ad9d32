"""The lower half of an evaluation: question by question, who found the answer; a ticked one is told in full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from workbench.evaluation.scoring import LESS_IS_BETTER, name_and_k
from workbench.evaluation.verdict import Verdict
from workbench.ui.evaluate.question_detail import story
from workbench.ui.evaluate.runs import Choice, Measured

FIRST, SECOND, SHOW = "verdict first", "verdict second", "verdict show"
WHICH = ("All", "Won", "Tied", "Lost")
SAME = 1e-12
"""A difference in the last digit of a sum is a tie."""


@st.fragment
def question_by_question(choice: Choice, found: Measured, verdict: Verdict) -> None:
    """Draw two tables side by side, question by question; a selected question is told in full."""
    order = [label for label, _ in verdict.best_share]
    st.subheader("Question by question")
    first, second = _pair(order)
    asked = {question.id: question.text for question in choice.questions.questions}
    ids = found.scores[0].question_ids
    a, b = found.of(first).of(choice.measure), found.of(second).of(choice.measure)
    sign = -1 if name_and_k(choice.measure)[0] in LESS_IS_BETTER else 1
    difference = sign * (a - b)
    groups = {
        "All": np.ones(len(ids), bool),
        "Won": difference > SAME,
        "Tied": np.abs(difference) <= SAME,
        "Lost": difference < -SAME,
    }
    if len(order) > 1:
        which = st.segmented_control(
            "Which questions",
            WHICH,
            default="All",
            required=True,
            key=SHOW,
            format_func=lambda name: f"{name} ({int(groups[name].sum())})",
            help=f"Seen from {first}: where it found more than {second}, as much, or less.",
        )
        rows = np.flatnonzero(groups[which or "All"])
        rows = rows[np.argsort(-np.abs(difference[rows]), kind="stable")]
    else:
        # One table alone: what it missed comes first.
        rows = np.argsort(sign * a, kind="stable")
    if not len(rows):
        st.info("There is no such question.", icon=":material/check:")
        return
    columns = {first: [100 * a[row] for row in rows], second: [100 * b[row] for row in rows]}
    event = st.dataframe(
        pd.DataFrame({**columns, "Question": [asked[ids[row]] for row in rows]}),
        hide_index=True,
        height=min(35 * (len(rows) + 1) + 3, 360),
        key=f"verdict questions {first} {second}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Question": st.column_config.TextColumn(width="large"),
            first: st.column_config.NumberColumn(format="%.0f", width=110),
            second: st.column_config.NumberColumn(format="%.0f", width=110),
        },
    )
    picked = [row for row in event.selection.rows if row < len(rows)]
    if not picked:
        st.caption(f"{choice.measure} in points of 100. Tick a question to see what was found, and why not.")
        return
    story(choice, found, ids[rows[picked[0]]], list(dict.fromkeys([first, second])))


def _pair(order: Sequence[str]) -> tuple[str, str]:
    if len(order) < 2:
        return order[0], order[0]
    left, right = st.columns(2)
    for key, place in ((FIRST, 0), (SECOND, 1)):
        if st.session_state.get(key) not in order:
            st.session_state[key] = order[place]
    first = left.selectbox("Table", order, key=FIRST)
    others = [label for label in order if label != first]
    if st.session_state[SECOND] == first:
        st.session_state[SECOND] = others[0]
    return first, right.selectbox("against", others, key=SECOND)
