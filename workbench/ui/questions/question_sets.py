"""The upper part of the Questions page: which set is on screen, new sets, imports and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.checks import power
from workbench.evaluation.formats import Imported, Remark, imported
from workbench.evaluation.questions import QuestionSet
from workbench.records import Document
from workbench.ui.session import state, url_state
from workbench.ui.session.workspace import SAMPLES, page_script, sample_files, workspace
from workbench.ui.widgets.messages import guarded, plain, shown_error
from workbench.workspace.question_sets import set_name

CHOSEN, VIEW = "judged set", "judged view"
REPORT, OPENED = "judged import report", "judged set to open"
SAMPLE_NAME = "Sample questions"
VIEWS = {
    "questions": ":material/list: Questions",
    "mark": ":material/ink_highlighter: Mark an answer",
    "draft": ":material/auto_awesome: Drafts",
    "check": ":material/fact_check: Check",
    "export": ":material/download: Export",
}
FORMATS_HELP = (
    "CSV or JSONL as exported here, CSV with question, references and corpus_id, a plain CSV with question and expected "
    "text (and document, where it is known), or a BEIR dataset as a zip file."
)

POWER_HELP = (
    "How small a difference between two configurations so many questions can show: anything smaller may be chance. "
    "A point is one percent of what should be found. More questions show smaller ones."
)


@dataclass(frozen=True)
class ImportReport:
    """What became of a file."""

    file_name: str
    set_name: str
    questions: int
    problems: tuple[Remark, ...]
    notes: tuple[Remark, ...]


def documents() -> list[Document]:
    """Return the workspace's documents; one that cannot be read any more is left out."""
    here, found = workspace(), []
    for row in here.documents():
        try:
            found.append(here.document(row.id))
        except Cancelled:
            raise
        except WorkbenchError:
            continue
    return found


def chosen(sets: Sequence[QuestionSet]) -> tuple[QuestionSet, str]:
    """Draw the choice of a set and of the view; the address bar holds both."""
    by_name = {one.name: one for one in sets}
    opened = st.session_state.pop(OPENED, None)
    if opened in by_name:
        st.session_state[CHOSEN] = opened
    url_state.entered(CHOSEN, "set", state.current_question_set(sets), lambda texts: texts[-1])
    if st.session_state[CHOSEN] not in by_name:
        st.session_state[CHOSEN] = state.usual_question_set(sets)
    url_state.entered(VIEW, "view", "questions", lambda texts: texts[-1] if texts[-1] in VIEWS else None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox("Question set", list(by_name), key=CHOSEN, width="stretch")
        with st.popover("Add a set", icon=":material/add:"):
            add_set()
        if st.button("", icon=":material/delete:", help="Delete this set", key="judged delete"):
            _confirm_delete(by_name[name])
    found = by_name[name]
    state.choose_question_set(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(facts(found), help=POWER_HELP, width="content")
        if any(judgment.grade > 0 for judgment in found.judgments):
            st.page_link(
                page_script("evaluate"),
                label="Next: measure with them",
                icon=":material/arrow_forward:",
                query_params={"set": name},
                width="content",
            )
    view = st.segmented_control(
        "View",
        list(VIEWS),
        format_func=VIEWS.__getitem__,
        key=VIEW,
        required=True,
        label_visibility="collapsed",
    )
    url_state.left(VIEW)
    url_state.shown({"set": name, "view": view if view and view != "questions" else ""})
    return found, view or "questions"


def facts(questions: QuestionSet) -> str:
    """Return a line such as ``111 questions · 118 judged passages in 12 documents · 111 questions tell apart …``."""
    count, answers = len(questions.questions), len(questions.judgments)
    answered = len({j.question_id for j in questions.judgments if j.grade > 0})
    text = (
        f"{counted(count, 'question')} · {counted(answers, 'judged passage')} in "
        f"{counted(len(questions.document_ids), 'document')}"
    )
    return f"{text} · {power(answered).sentence}" if answered else text


def add_set() -> None:
    """Draw the three ways to a set: the sample questions, a file, an empty one."""
    if {path.name for path in sample_files()} & {row.name for row in workspace().documents()} and st.button(
        "Add the sample questions",
        icon=":material/library_add:",
        type="secondary" if workspace().question_sets.sets() else "primary",
        help="Judged questions about the sample library, written for this workbench.",
    ):
        _take((SAMPLES / "questions.csv").read_bytes(), "questions.csv", SAMPLE_NAME)
    turn = st.session_state.setdefault("judged upload turn", 0)
    file = st.file_uploader(
        "Import a file",
        key=f"judged-upload-{turn}",
        help=FORMATS_HELP,
        type=["csv", "tsv", "jsonl", "ndjson", "zip"],
    )
    if file is not None:
        st.session_state["judged upload turn"] = turn + 1
        _take(file.getvalue(), file.name, None)
    with st.form("judged-new", border=False):
        name = st.text_input("Start an empty set", placeholder="Name of the set")
        if st.form_submit_button("Start", icon=":material/edit_note:"):
            with guarded():
                here = workspace().question_sets
                kept = here.save(QuestionSet(here.free_name(name)))
                st.session_state[OPENED] = kept.name
                st.session_state[VIEW] = "mark"
                st.rerun()


def _take(data: bytes, file_name: str, name: str | None) -> None:
    try:
        found = imported(data, file_name, documents(), name)
        kept_as = _kept(found) if _is_readable(found.question_set) else ""
    except WorkbenchError as error:
        shown_error(error)
        return
    st.session_state[REPORT] = ImportReport(
        file_name, kept_as, len(found.question_set.questions) if kept_as else 0, found.problems, found.notes
    )
    if kept_as:
        st.session_state[OPENED] = kept_as
    st.rerun()


def _is_readable(questions: QuestionSet) -> bool:
    """Return whether a letter is in it: a plain CSV needs no header, so any file at all may be taken for one."""
    return any(c.isprintable() and not c.isspace() for question in questions.questions for c in question.text)


def _kept(found: Imported) -> str:
    here, given = workspace().question_sets, found.question_set
    try:
        name = here.free_name(set_name(given.name))
    except WorkbenchError:
        name = here.free_name("Imported questions")
    return here.save(QuestionSet(name, given.questions, given.judgments, given.texts)).name


def import_report() -> None:
    """Draw what became of the last imported file, until it is dismissed."""
    report: ImportReport | None = st.session_state.get(REPORT)
    if report is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if report.questions:
            st.success(
                f"{counted(report.questions, 'question')} from {plain(report.file_name)} {'is' if report.questions == 1 else 'are'} now the set "
                f"“{plain(report.set_name)}”." + (" Some lines need a look." if report.problems else ""),
                icon=":material/check:",
            )
        else:
            st.error(f"Nothing was imported from {plain(report.file_name)}.", icon=":material/error:")
        st.button(
            "Dismiss",
            type="tertiary",
            icon=":material/close:",
            on_click=st.session_state.pop,
            args=(REPORT, None),
        )
    _remarks("could not be used", report.problems, expanded=True)
    _remarks("were used and should be looked at", report.notes, expanded=False)


def _remarks(title: str, remarks: Sequence[Remark], expanded: bool) -> None:
    if not remarks:
        return
    with st.expander(
        f"{len(remarks):,} lines {title}" if len(remarks) > 1 else f"1 line: {title}", expanded=expanded
    ):
        st.dataframe(
            pd.DataFrame(
                {
                    "Line": [str(r.line) if r.line else "whole file" for r in remarks],
                    "What is the matter": [r.message for r in remarks],
                }
            ),
            hide_index=True,
            height=min(35 * (len(remarks) + 1) + 3, 320),
            column_config={"Line": st.column_config.TextColumn(width=90)},
        )


@st.dialog("Delete this question set?")
def _confirm_delete(questions: QuestionSet) -> None:
    st.markdown(f"**{plain(questions.name)}**")
    st.caption(f"{facts(questions)}. Export it first if you may want it back.")
    with st.container(horizontal=True):
        if st.button(
            "Delete", type="primary", icon=":material/delete:", on_click=_delete, args=(questions.name,)
        ) or st.button("Keep it"):
            st.rerun()


def _delete(name: str) -> None:
    with guarded():
        workspace().question_sets.delete(name)
        workspace().question_drafts.forget(name)
