"""One question in full: its judged answer, what each table found beside it, and why an answer was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.evaluation.losses import Loss
from workbench.evaluation.ranks import shows
from workbench.evaluation.results import FoundRange, JudgedRange, QuestionResult, Truth
from workbench.records import Chunk, Document
from workbench.spans import Span
from workbench.ui.evaluate.answer_pages import answer_on_page
from workbench.ui.evaluate.ground_truth import ground, reasons, told
from workbench.ui.evaluate.runs import Choice, Measured
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.highlighted_text import STYLE, hit_text
from workbench.ui.widgets.labels import pages_said
from workbench.ui.widgets.messages import plain, shown_error

WHICH = "verdict answer"


def story(choice: Choice, found: Measured, question_id: str, labels: Sequence[str]) -> None:
    """Draw a question for the named tables, side by side."""
    st.html(f"<style>{STYLE}</style>")
    text = next(question.text for question in choice.questions.questions if question.id == question_id)
    st.markdown(f"#### {plain(text)}")
    names = {row.id: row.name for row in workspace().documents()}
    number = _answer(choice, question_id, labels[0], names)
    for place, label in zip(st.columns(len(labels)), labels, strict=True):
        with place:
            try:
                _side(choice, found, question_id, label, number, names)
            except WorkbenchError as error:
                shown_error(error)


def _answer(choice: Choice, question_id: str, label: str, names: Mapping[str, str]) -> int:
    """Draw the judged answer, the choice among several first; return its number."""
    here = ground(choice, choice.configs[label])
    truth = here.truth(question_id)
    if truth is None:
        return 0
    number = 0
    if len(truth.ranges) > 1:
        number = st.segmented_control(
            "Answer",
            range(len(truth.ranges)),
            default=0,
            required=True,
            format_func=lambda n: f"Answer {n + 1}",
            key=f"{WHICH} {question_id}",
            label_visibility="collapsed",
        )
    item = truth.ranges[int(number)]
    document = _document(here.documents, item)
    with st.container(border=True, gap="small"):
        elsewhere = f" · stands in {counted(len(item.elsewhere), 'more place')}" if item.elsewhere else ""
        st.caption(
            f":material/check_circle: The judged answer · {plain(names.get(document.id, ''))} · "
            f"{pages_said(document, item.judgment.start, item.judgment.end)}{elsewhere}"
        )
        hit_text(document.text[item.judgment.start : item.judgment.end])
    return int(number)


def _document(documents: Sequence[Document], item: JudgedRange) -> Document:
    return next(document for document in documents if document.id == item.judgment.document_id)


def _side(
    choice: Choice, found: Measured, question_id: str, label: str, number: int, names: Mapping[str, str]
) -> None:
    config, k = choice.configs[label], choice.k
    here = ground(choice, config)
    truth = here.truth(question_id)
    result = found.outcomes[label].results.get(question_id)
    if truth is None or result is None:
        st.info("This answer has no place in this table's text.", icon=":material/wrong_location:")
        return
    st.markdown(f"**{plain(label)}**")
    lost = reasons(choice, config, truth, result)
    _verdict(lost, truth, k, names)
    shown = result.hits[:k]
    item = truth.ranges[min(number, len(truth.ranges) - 1)]
    answer = item.judgment.start, item.judgment.end
    answer_on_page(
        config, _document(here.documents, item), answer, shown, lost, f"verdict page {label} {question_id}"
    )
    _hits(config_chunks(choice, label, result, k), shown, truth, names)


def _verdict(lost: Sequence[Loss], truth: Truth, k: int, names: Mapping[str, str]) -> None:
    if not lost:
        noun = "hit" if k == 1 else f"{k} hits"
        st.success(f"Everything was shown in the first {noun}.", icon=":material/check:")
    for message in dict.fromkeys(told(loss, truth, names) for loss in lost):
        st.warning(plain(message[:1].upper() + message[1:]), icon=":material/help:")


def config_chunks(choice: Choice, label: str, result: QuestionResult, k: int) -> dict[str, Chunk]:
    """Return the chunks behind the first k hits by their id."""
    documents = sorted({hit.document_id for hit in result.hits[:k]})
    table = workspace().tables.table(choice.configs[label])
    return {chunk.id: chunk for chunk in table.chunks(documents)}


def _hits(
    chunks: Mapping[str, Chunk], shown: Sequence[FoundRange], truth: Truth, names: Mapping[str, str]
) -> None:
    for hit in shown:
        chunk = chunks.get(hit.chunk_id)
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                page = f" · page {chunk.page_start}" if chunk else ""
                st.markdown(
                    f"**{hit.rank}** · {plain(names.get(hit.document_id, 'a deleted document'))} :gray[{page}]",
                    width="stretch",
                )
                if any(shows(hit, item) for item in truth.ranges):
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
