"""The lower half of an evaluation: question by question, who found the answer, and why somebody did not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from workbench.config import Config
from workbench.errors import WorkbenchError
from workbench.evaluation.losses import Loss, losses
from workbench.evaluation.ranks import shows
from workbench.evaluation.results import ChunkRanges, FoundRange, QuestionResult, Truth
from workbench.evaluation.scoring import LESS_IS_BETTER, name_and_k
from workbench.evaluation.verdict import Verdict
from workbench.records import Chunk
from workbench.spans import Span
from workbench.ui.evaluation_runs import HELD, Choice, Measured
from workbench.ui.hit_text import STYLE, hit_text
from workbench.ui.messages import plain, shown_error
from workbench.ui.resources import workspace
from workbench.workspace.evaluations import Ground

FIRST, SECOND, SHOW = "verdict first", "verdict second", "verdict show"
WHICH = ("All", "Won", "Tied", "Lost")
SAME = 1e-12
"""A difference in the last digit of a sum is a tie."""


def ground(choice: Choice, config: Config) -> Ground:
    """Return where the answers stand in a config's text, kept while nothing of it changes."""
    here = workspace().evaluations
    return _ground(here.key(config, choice.questions, choice.options), choice, config)


@st.cache_resource(show_spinner=False, max_entries=HELD)
def _ground(key: str, _choice: Choice, _config: Config) -> Ground:
    return workspace().evaluations.ground(_config, _choice.questions, _choice.options)


# ── wins, ties and losses ────────────────────────────────────────────────────────────────────────────────────────


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
    _story(choice, found, ids[rows[picked[0]]], list(dict.fromkeys([first, second])))


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


# ── one question ─────────────────────────────────────────────────────────────────────────────────────────────────


def _story(choice: Choice, found: Measured, question_id: str, labels: Sequence[str]) -> None:
    st.html(f"<style>{STYLE}</style>")
    text = next(question.text for question in choice.questions.questions if question.id == question_id)
    st.markdown(f"#### {plain(text)}")
    names = {row.id: row.name for row in workspace().documents()}
    _answers(choice, question_id, labels[0], names)
    for place, label in zip(st.columns(len(labels)), labels, strict=True):
        with place:
            try:
                _side(choice, found, question_id, label, names)
            except WorkbenchError as error:
                shown_error(error)


def _answers(choice: Choice, question_id: str, label: str, names: dict[str, str]) -> None:
    here = ground(choice, choice.configs[label])
    for judgment in here.questions.by_question[question_id]:
        document = next((d for d in here.documents if d.id == judgment.document_id), None)
        if document is None or judgment.grade == 0:
            continue
        with st.container(border=True, gap="small"):
            st.caption(
                f":material/check_circle: The judged answer · {plain(names.get(document.id, ''))} · "
                f"page {document.page_at(judgment.start)}"
            )
            hit_text(document.text[judgment.start : judgment.end])


def _side(choice: Choice, found: Measured, question_id: str, label: str, names: dict[str, str]) -> None:
    config, k = choice.configs[label], choice.k
    truth = ground(choice, config).truth(question_id)
    result = found.outcomes[label].results.get(question_id)
    if truth is None or result is None:
        st.info("This answer has no place in this table's text.", icon=":material/wrong_location:")
        return
    st.markdown(f"**{plain(label)}**")
    lost = reasons(choice, config, truth, result)
    if not lost:
        st.success(f"Everything was shown in the first {k} hits.", icon=":material/check:")
    for message in dict.fromkeys(loss.message for loss in lost):
        st.warning(plain(message[:1].upper() + message[1:]), icon=":material/help:")
    shown = result.hits[:k]
    table = workspace().tables.table(config)
    texts = {chunk.id: chunk for chunk in table.chunks(sorted({hit.document_id for hit in shown}))}
    for hit in shown:
        _hit(hit, texts.get(hit.chunk_id), truth, names)


def reasons(choice: Choice, config: Config, truth: Truth, result: QuestionResult) -> list[Loss]:
    """Return why each answer that the first k hits do not show was lost."""
    here = workspace()
    model = here.model(config.embedder)
    documents = sorted({document for item in truth.ranges for document, _, _ in item.places})
    chunks = ChunkRanges(here.tables.table(config).chunks(documents))
    return losses(truth, result, choice.k, chunks, lambda chunk: model.seen_end(chunk.text))


def _hit(hit: FoundRange, chunk: Chunk | None, truth: Truth, names: dict[str, str]) -> None:
    answers = any(shows(hit, item) for item in truth.ranges)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            page = f" · page {chunk.page_start}" if chunk else ""
            st.markdown(
                f"**{hit.rank}** · {plain(names.get(hit.document_id, 'a deleted document'))} :gray[{page}]",
                width="stretch",
            )
            if answers:
                st.badge("answers", icon=":material/check:", color="green")
        if chunk is not None:
            hit_text(chunk.text, _overlap(chunk, truth))


def _overlap(chunk: Chunk, truth: Truth) -> Span | None:
    """Return the first part of an answer in the chunk, as a range of its text."""
    parts = [
        (max(start, chunk.start) - chunk.start, min(end, chunk.end) - chunk.start)
        for item in truth.ranges
        for document, start, end in item.places
        if document == chunk.document_id and start < chunk.end and end > chunk.start
    ]
    return min(parts, default=None)
