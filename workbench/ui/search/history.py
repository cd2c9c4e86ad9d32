"""Earlier questions with their settings: ask again, compare with today's tables, make a judged question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench import config as configs
from workbench.config import written
from workbench.contracts import Filter
from workbench.errors import ConfigError, WorkbenchError
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.rank_flow import moves
from workbench.records import Chunk
from workbench.ui.components.rank_flow import rank_flow
from workbench.ui.search.controls import SearchChoice, ask
from workbench.ui.search.relevance_feedback import OWN_SET
from workbench.ui.search.results import COMPARED, Answer
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain, shown_error
from workbench.workspace import DocumentRow
from workbench.workspace.search_history import PastColumn, PastSearch, filter_of

SHOWN = 30
COMPARING, NOTED = "search compared", "search noted"


def note(choice: SearchChoice, found: Sequence[Answer]) -> None:
    """Keep a search in the history, once: a page that draws itself again asks nothing new."""
    working = [answer for answer in found if answer.problem is None]
    mark = (choice.question, repr(choice.settings), [answer.label for answer in working])
    if not working or st.session_state.get(NOTED) == mark:
        return
    st.session_state[NOTED] = mark
    columns = [
        PastColumn(answer.label, written(answer.config), answer.config.table_name, tuple(answer.ranked))
        for answer in working
    ]
    try:
        workspace().search_history.note(choice.question.strip(), choice.settings, columns)
    except WorkbenchError as error:
        # A history that cannot be kept costs nobody an answer.
        st.caption(f"This search was not kept in the history: {plain(str(error))}")


def history() -> None:
    """Draw the list of earlier questions."""
    past = workspace().search_history.searches(SHOWN)
    with st.popover("History", icon=":material/history:", disabled=not past):
        for search in past:
            tables = ", ".join(column.label for column in search.columns)
            st.markdown(
                f"**{plain(search.question[:120])}**  \n:small[:gray[{search.asked_at_utc[:16].replace('T', ' ')} UTC · "
                f"{plain(tables)}]]"
            )
            with st.container(horizontal=True, gap="small"):
                _button("Ask again", search, ":material/replay:", _again)
                _button("Then and now", search, ":material/compare_arrows:", _compare)
                _button("Make a judged question", search, ":material/quiz:", _keep_question)
        if past:
            st.button("Forget all of them", type="tertiary", icon=":material/delete:", on_click=_forget)


def _button(label: str, search: PastSearch, icon: str, action: object) -> None:
    st.button(
        label,
        key=f"past {label} {search.number}",
        icon=icon,
        type="tertiary",
        on_click=action,  # type: ignore[arg-type]
        args=(search,),
    )


def _again(search: PastSearch) -> None:
    ask(search.question, search.settings)


def _compare(search: PastSearch) -> None:
    st.session_state[COMPARING] = search


def _forget() -> None:
    workspace().search_history.forget()
    st.session_state.pop(COMPARING, None)


def _keep_question(search: PastSearch) -> None:
    sets = workspace().question_sets
    try:
        kept = next((one for one in sets.sets() if one.name == OWN_SET), QuestionSet(OWN_SET))
        sets.save(kept.with_question(kept.asking(search.question)))
    except WorkbenchError as error:
        shown_error(error)
        return
    st.toast(f"Kept in {OWN_SET}: mark its answers on the Questions page.", icon=":material/check:")


def then_and_now(documents: Mapping[str, DocumentRow]) -> None:
    """Draw where the hits of an earlier search stand today, if one is being compared."""
    search = st.session_state.get(COMPARING)
    if not isinstance(search, PastSearch):
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**Then and now** · {plain(search.question[:200])} "
                f":gray[· {search.asked_at_utc[:16].replace('T', ' ')} UTC]",
                width="stretch",
            )
            st.button("Close", icon=":material/close:", type="tertiary", on_click=_close)
        where = filter_of(search.settings.get("filter") or {})
        k = int(search.settings.get("k", 5))
        for number, column in enumerate(search.columns):
            _column(number, search.question, column, k, where, documents)


def _column(
    number: int,
    question: str,
    column: PastColumn,
    k: int,
    where: Filter | None,
    documents: Mapping[str, DocumentRow],
) -> None:
    try:
        config = configs.parsed(column.config, column.label)
        # Without the filter of that time: what it left out is told as such.
        today = workspace().tables.search(config, question, max(k, COMPARED))
        known = workspace().tables.table(config).metadata() if where and where.metadata else {}
    except (WorkbenchError, ConfigError) as error:
        shown_error(error if isinstance(error, WorkbenchError) else WorkbenchError(str(error)))
        return

    def filtered(chunk: Chunk) -> bool:
        return where is not None and not where.allows(chunk, known.get(chunk.document_id, {}))

    found = moves(column.hits, today.hits, k, filtered_left=filtered)
    if all(move.cause == "same" for move in found):
        same = "the same hit" if len(found) == 1 else f"the same {len(found)} hits in the same order"
        st.caption(f"{plain(column.label)}: {same} today.")
        return
    rank_flow(f"{column.label}, then", f"{column.label}, today", found, k, documents, f"then-{number}")


def _close() -> None:
    st.session_state.pop(COMPARING, None)
