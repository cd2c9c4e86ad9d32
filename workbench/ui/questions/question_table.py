"""The Questions page's views of one set: its questions with their judged passages, its check, and its export."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.contracts import EmbeddingModel
from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.evaluation.checks import Finding, findings, power
from workbench.evaluation.formats import FORMATS, exported
from workbench.evaluation.questions import Question, QuestionSet, question_set, reanchored
from workbench.records import Document, Judgment
from workbench.ui.questions.question_sets import documents
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.config_files import file_stem
from workbench.ui.widgets.highlighted_text import STYLE, hit_text
from workbench.ui.widgets.labels import pages_said
from workbench.ui.widgets.messages import empty_state, guarded, plain, shown_error

GRADES = {3: "best answer", 2: "good answer", 1: "answer", 0: "judged as no answer"}
KINDS = {
    "empty": ("nothing to check yet", "info"),
    "unanswered": ("without an answer", "edit"),
    "outside": ("answers outside the documents here", "wrong_location"),
    "moved": ("answers whose text has moved", "move_up"),
    "duplicate": ("asked twice", "content_copy"),
    "given_away": ("questions that hold their answer", "key"),
    "too_long": ("answers longer than any chunk", "straighten"),
    "elsewhere": ("answers that stand elsewhere, too", "difference"),
    "too_few": ("how much these questions can tell apart", "balance"),
}
ONE_OF = (
    ("answers", "answer"),
    ("questions", "question"),
    ("stand ", "stands "),
    ("hold their", "holds its"),
)
"""What changes in a title when there is one of it."""
OF_ANSWERS = ("outside", "moved", "too_long", "elsewhere")
"""Findings of one answer each; the others are of questions."""
MOST_SHOWN = 25


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────


def questions_view(questions: QuestionSet) -> None:
    """Draw the list; a selected question shows its judged passages below."""
    if not questions.questions:
        empty_state(
            "ink_highlighter",
            "No questions in this set yet",
            "Choose “Mark an answer” above: drag over the text that answers a question, and type the question.",
        )
        return
    names = {row.id: row.name for row in workspace().documents()}
    listed = questions.questions
    event = st.dataframe(
        pd.DataFrame(
            {
                "Question": [question.text for question in listed],
                "Passages": [len(questions.by_question[question.id]) for question in listed],
                "Documents": [_document_names(questions.by_question[q.id], names) for q in listed],
            }
        ),
        hide_index=True,
        height=min(35 * (len(listed) + 1) + 3, 400),
        key=f"judged-list-{questions.name}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Question": st.column_config.TextColumn(width="large"),
            "Passages": st.column_config.NumberColumn(width=90, help="Ranges of text that answer it"),
            "Documents": st.column_config.TextColumn(width="medium"),
        },
    )
    picked = [row for row in event.selection.rows if row < len(listed)]
    if picked:
        _detail(questions, listed[picked[0]], names)
    else:
        st.caption("Tick a question to see the passages that answer it.")


def _document_names(judgments: Sequence[Judgment], names: dict[str, str]) -> str:
    return ", ".join(dict.fromkeys(names.get(j.document_id, "a deleted document") for j in judgments))


def _detail(questions: QuestionSet, question: Question, names: dict[str, str]) -> None:
    st.html(f"<style>{STYLE}</style>")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {plain(question.text)}", width="stretch")
        if st.button("Delete this question", icon=":material/delete:", key=f"drop-{question.id}"):
            _confirm_delete(questions, question)
    judgments = questions.by_question[question.id]
    if not judgments:
        st.info("No passage was marked as its answer yet, so it counts nowhere.", icon=":material/edit:")
    for number, judgment in enumerate(judgments):
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{plain(names.get(judgment.document_id, 'a deleted document'))}** "
                    f":gray[· {_place(judgment)} · {GRADES[judgment.grade]}]",
                    width="stretch",
                )
                st.button(
                    "Remove",
                    type="tertiary",
                    icon=":material/close:",
                    key=f"remove-{question.id}-{number}",
                    on_click=_save,
                    args=(questions.without_judgment(judgment),),
                )
            hit_text(questions.text_of(judgment) or "The text of this passage was not kept.")


def _place(judgment: Judgment) -> str:
    try:
        pages = pages_said(workspace().document(judgment.document_id), judgment.start, judgment.end)
    except WorkbenchError:
        return f"characters {judgment.start:,}–{judgment.end:,}"
    return f"{pages}, characters {judgment.start:,}–{judgment.end:,}"


@st.dialog("Delete this question?")
def _confirm_delete(questions: QuestionSet, question: Question) -> None:
    st.markdown(f"**{plain(question.text)}**")
    st.caption("Its judged passages go with it. The documents stay as they are.")
    with st.container(horizontal=True):
        changed = questions.without_question(question.id)
        if st.button(
            "Delete", type="primary", icon=":material/delete:", on_click=_save, args=(changed,)
        ) or st.button("Keep it"):
            st.rerun()


def _save(questions: QuestionSet) -> None:
    with guarded():
        workspace().question_sets.save(questions)


# ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_view(questions: QuestionSet) -> None:
    """Draw what should be looked at before any figure on these questions is believed."""
    texts = documents()
    longest, model = longest_chunk()
    if longest and model is not None:
        tokenizer = model.tokenizer
        found = findings(questions, texts, longest, lambda text: len(tokenizer.offsets(text)), "tokens")
    else:
        found = findings(questions, texts)
    asked = {question.id: question.text for question in questions.questions}
    if questions.questions:
        _power(questions)
    others = [finding for finding in found if finding.kind != "too_few"]
    if not others:
        st.success(
            "Nothing else to look at: every answer stands where it was judged.", icon=":material/check:"
        )
    for kind in dict.fromkeys(finding.kind for finding in others):
        _group(kind, [finding for finding in others if finding.kind == kind], asked)
    here = {document.id for document in texts}
    if {f.kind for f in found} & {"moved", "outside"} and here.intersection(questions.document_ids):
        _offer_new_places(questions, texts)


def _power(questions: QuestionSet) -> None:
    strength = power(len({j.question_id for j in questions.judgments if j.grade > 0}))
    st.info(
        f"{strength.sentence}. A smaller difference between two configurations would drown in chance. "
        "A point is one percent of what should be found.",
        icon=":material/balance:",
    )


def _group(kind: str, found: Sequence[Finding], asked: dict[str, str]) -> None:
    title, icon = KINDS[kind]
    count = len(found) if kind in OF_ANSWERS else sum(len(finding.question_ids) for finding in found)
    with st.expander(
        f"{count:,} {_counted(title, count)}" if kind != "empty" else title.capitalize(),
        icon=f":material/{icon}:",
    ):
        for finding in found[:MOST_SHOWN]:
            st.markdown(plain(finding.message[:1].upper() + finding.message[1:]))
            for question in finding.question_ids[:MOST_SHOWN]:
                st.caption(plain(asked.get(question, question)))
        if len(found) > MOST_SHOWN:
            st.caption(f"and {len(found) - MOST_SHOWN:,} more")


def _counted(title: str, count: int) -> str:
    """Return a title such as ``answers that stand elsewhere, too`` as it is said of so many.

    >>> _counted("questions that hold their answer", 1), _counted("answers whose text has moved", 2)
    ('question that holds its answer', 'answers whose text has moved')
    """
    if count != 1:
        return title
    for several, one in ONE_OF:
        title = title.replace(several, one)
    return title


def _offer_new_places(questions: QuestionSet, texts: Sequence[Document]) -> None:
    if st.button("Find the answers at their new places", icon=":material/my_location:", type="primary"):
        placed, lost = reanchored(questions, texts)
        # Those without a place are kept as they were: their document, or its old text, may come back.
        kept = [
            *zip(placed.judgments, placed.texts, strict=True),
            *((one.judgment, one.text) for one in lost),
        ]
        with guarded():
            workspace().question_sets.save(question_set(questions.name, questions.questions, kept))
            if lost:
                many = counted(
                    len(lost), "answer stays as it was: it has", "answers stay as they were: they have"
                )
                st.toast(f"{many} no place in the documents here.")
            st.rerun()


def longest_chunk() -> tuple[int | None, EmbeddingModel | None]:
    """Return the largest budget among the built tables, in tokens, and the model that counts them."""
    sized = [
        (int(size), row.config)
        for row in workspace().tables.rows()
        if row.config is not None and (size := getattr(row.config.chunker, "size_tokens", None))
    ]
    if not sized:
        return None, None
    size, config = max(sized, key=lambda pair: pair[0])
    try:
        return size, workspace().model(config.embedder)
    except WorkbenchError as error:
        shown_error(error)
        return None, None


# ── export ───────────────────────────────────────────────────────────────────────────────────────────────────────


def export_view(questions: QuestionSet) -> None:
    """Draw one download for each format; each can be imported again without a loss."""
    st.caption("Every format can be imported again here, and nothing is lost on the way.")
    texts = documents()
    for name, form in FORMATS.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{plain(form.label)}", width="stretch")
            st.download_button(
                "Download",
                data=exported(questions, texts, name),
                file_name=f"{file_stem(questions.name)}{form.suffix}",
                key=f"judged-export-{name}",
                icon=":material/download:",
                on_click="ignore",
            )
    st.caption(f"Fingerprint of what is asked and judged: {questions.hash[:12]}")
