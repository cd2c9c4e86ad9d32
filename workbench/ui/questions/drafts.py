"""Drafts of questions by a model: off until a service is named, sent only what was agreed to, judged one by one."""

from __future__ import annotations

import streamlit as st

from workbench.counts import counted
from workbench.errors import BusyError, SettingsError, WorkbenchError
from workbench.evaluation.anchoring import Anchors
from workbench.evaluation.drafts import MOST_DRAFTS, Draft, DraftService, Shipment, drafted
from workbench.evaluation.questions import QuestionSet
from workbench.records import Document, Judgment
from workbench.table_cells import cells_apart
from workbench.ui.questions.annotation import GRADE_LABELS
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.state import choose_document, current_document
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.labels import pages_said
from workbench.ui.widgets.messages import guarded, plain, shown_error
from workbench.ui.widgets.page_slices import has_pages
from workbench.workspace import Workspace

KIND = "draft"
ON = "judged drafts on"
FIRST_COUNT = 5


def drafts_view(questions: QuestionSet) -> None:
    """Draw the drafts that wait for a decision, and below them the way to more."""
    waiting = workspace().question_drafts.waiting(questions.name)
    if waiting:
        _decision(questions, waiting)
    job_panel(KIND, finished=1)
    st.toggle(
        "Let a model draft questions",
        key=ON,
        help="A service of your choice reads pages of a document and proposes questions with quoted answers. Each counts "
        "only after you have accepted it. Nothing is sent before you agree to it.",
    )
    if not st.session_state[ON]:
        if not waiting:
            st.caption(
                "Off: everything stays on this machine. Switched on, you name an OpenAI-compatible service, here or "
                "elsewhere, and choose what it may read."
            )
        return
    service = _service()
    if service is not None:
        _shipment(questions, service)


# ── which service, which text ────────────────────────────────────────────────────────────────────────────────────


def _service() -> DraftService | None:
    """Draw the service's settings; return them once they are complete and kept."""
    known = workspace().question_drafts.service()
    with (
        st.expander("The service", icon=":material/dns:", expanded=known is None),
        st.form("judged-service", border=False),
    ):
        address = st.text_input(
            "Address",
            known.address if known else "",
            placeholder="http://127.0.0.1:11434/v1",
            help="The base address of an OpenAI-compatible service, up to and without /chat/completions. A service on this "
            "machine or in your network has to be allowed where the workbench is started: "
            "WORKBENCH_ALLOW_HOSTS=127.0.0.1:11434.",
        )
        left, right = st.columns(2)
        model = left.text_input("Model", known.model if known else "", placeholder="Name of the model there")
        variable = right.text_input(
            "Environment variable with the key",
            known.key_variable if known else "",
            placeholder="OPENAI_API_KEY",
            help="The name only. The key itself is read from the environment of the workbench, and kept nowhere. Leave it "
            "empty for a service that asks for none.",
        )
        if st.form_submit_button("Keep", icon=":material/check:"):
            try:
                known = DraftService(address.strip(), model.strip(), variable.strip())
                workspace().question_drafts.configure(known)
            except WorkbenchError as error:
                shown_error(error)
                return None
            st.rerun()
    return known


def _shipment(questions: QuestionSet, service: DraftService) -> None:
    rows = {row.id: row.name for row in workspace().documents()}
    document_id = st.selectbox(
        "Document",
        list(rows),
        index=list(rows).index(current_document(list(rows))),
        format_func=lambda i: rows.get(i, ""),
        key="judged drafts document",
    )
    choose_document(document_id)
    try:
        document = workspace().document(document_id)
        left, right = st.columns(2)
        with left:
            start, end = _range(document)
        count = right.slider("Drafts", 1, MOST_DRAFTS, FIRST_COUNT, key="judged drafts count")
        shipment = Shipment(service, document, start, end, int(count))
    except WorkbenchError as error:
        shown_error(error)
        return
    with st.container(border=True):
        st.markdown(f":material/outgoing_mail: {plain(shipment.sentence)}")
        # The key names the sentence: whoever changes what is sent has to agree anew.
        agreed = st.checkbox("Yes, send this text there", key=f"judged agree {shipment.sentence}")
        if st.button(
            "Send and draft",
            type="primary",
            icon=":material/auto_awesome:",
            disabled=not agreed or bool(jobs().active([KIND])),
        ):
            _start(workspace(), questions, shipment, shipment.sentence)
            st.rerun()


def _range(document: Document) -> tuple[int, int]:
    pages = document.pages
    if not has_pages(document) or len(pages) < 2:
        return 0, len(document.text)
    first, last = st.slider(
        "Pages", 1, len(pages), (1, min(2, len(pages))), key=f"judged drafts pages {document.id}"
    )
    return pages[first - 1].start, pages[last - 1].end


def _start(here: Workspace, questions: QuestionSet, shipment: Shipment, confirmed: str) -> None:
    name = questions.name

    def work(job: Job) -> str:
        job.tick(0, 0, "waiting for the model")
        known = [question.text for question in here.question_sets.get(name).questions]
        known += [draft.question for draft in here.question_drafts.waiting(name)]
        found = drafted(shipment, confirmed, known, job.cancel_asked)
        here.question_drafts.add(name, found.drafts)
        job.trouble = bool(found.dropped)
        dropped = "; ".join(found.dropped)
        return f"{counted(len(found.drafts), 'draft waits', 'drafts wait')} for your decision" + (
            f". {len(found.dropped)} dropped: {dropped}" if dropped else ""
        )

    try:
        jobs().start(f"Draft questions for {name}", KIND, work, heavy=False, key=f"{KIND} {name}")
    except BusyError as error:
        shown_error(error)


# ── one decision after the other ─────────────────────────────────────────────────────────────────────────────────


def _decision(questions: QuestionSet, waiting: list[Draft]) -> None:
    draft = waiting[0]
    names = {row.id: row.name for row in workspace().documents()}
    place = f"{questions.name} {draft.document_id} {draft.start} {draft.question}"
    with st.container(border=True):
        st.markdown(f"**A draft to decide on** :gray[· {len(waiting):,} waiting]")
        st.caption(f"{plain(names.get(draft.document_id, 'a deleted document'))} · {_page(draft)}")
        question = st.text_area(
            "The question", draft.question, key=f"judged draft question {place}", height=80
        )
        answer = st.text_area(
            "Its answer, as it stands in the document",
            cells_apart(draft.answer),  # a box draws a tab as narrow as nothing
            key=f"judged draft answer {place}",
            help="You may shorten or extend it; it must stand in the document.",
        )
        grade = st.radio(
            "How good an answer?",
            list(GRADE_LABELS),
            format_func=GRADE_LABELS.__getitem__,
            horizontal=True,
            key=f"judged draft grade {place}",
        )
        with st.container(horizontal=True):
            if st.button("Accept", type="primary", icon=":material/check:"):
                with guarded():
                    accept(workspace(), questions.name, draft, question, answer, grade)
                    st.rerun()
            if st.button("Reject", icon=":material/close:"):
                with guarded():
                    workspace().question_drafts.decide(questions.name, draft)
                    st.rerun()


def _page(draft: Draft) -> str:
    try:
        return pages_said(workspace().document(draft.document_id), draft.start, draft.end)
    except WorkbenchError:
        return "its document is not here any more"


def accept(here: Workspace, set_name: str, draft: Draft, question: str, answer: str, grade: int) -> None:
    """Put a draft into the set, as it was edited; raises ``SettingsError`` where the answer is not in the document."""
    text = " ".join(question.split())
    if not text:
        raise SettingsError("type the question first")
    document = here.document(draft.document_id)
    place = Anchors(document.text).placed(answer.strip(), near=draft.start)
    if place is None or place.how == "other numbers":
        raise SettingsError(
            "this answer does not stand in the document: copy it from there, or mark it on the page"
        )

    def with_draft(now: QuestionSet) -> QuestionSet:
        asked = now.asking(text)
        judgment = Judgment(asked.id, document.id, place.start, place.end, grade)
        return now.with_question(asked).with_judgment(judgment, document.text[place.start : place.end])

    here.question_sets.changed(set_name, with_draft)
    here.question_drafts.decide(set_name, draft)
