"""The upper half of the Tables page: choose configs and documents, see what it takes, build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from workbench.config import Config
from workbench.counts import counted
from workbench.ui.session import state, url_state
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.job_panel import result_line, shown_duration
from workbench.ui.widgets.messages import plain, term_help
from workbench.ui.widgets.table_builds import _start, _start_build, choosable
from workbench.workspace import DocumentRow, Estimate, Workspace
from workbench.workspace.model_window import describe_unread_ends

ESTIMATE = "estimate"
CHOSEN, SOME = "tables.configs", "tables.documents"


@dataclass(frozen=True)
class Plan:
    """What was asked for: configs and documents."""

    configs: tuple[Config, ...]
    document_ids: tuple[str, ...]

    @property
    def key(self) -> str:
        """The same for the same tables and documents."""
        return " ".join([*(config.table_name for config in self.configs), *self.document_ids])


def form(documents: Sequence[DocumentRow]) -> None:
    """Draw the choice of configs and documents, and the button that asks what building takes."""
    here = workspace()
    configs = choosable(here)
    wanted = [name for name in state.taken_preselection() if name in configs]
    if wanted:
        st.session_state[CHOSEN] = wanted
    # The address decides in a session that has chosen nothing yet. What was deleted elsewhere must not stay chosen.
    linked = [name for name in st.query_params.get_all("config") if name in configs]
    chosen = st.session_state.get(CHOSEN, linked or list(configs)[:1])
    st.session_state[CHOSEN] = [name for name in chosen if name in configs]
    names = {row.id: row.name for row in documents}
    st.session_state[SOME] = [row for row in st.session_state.get(SOME, []) if row in names]
    with st.container(border=True):
        # Below each other: the names of three configs do not fit into half of a page.
        picked = st.multiselect(
            "Configs",
            list(configs),
            key=CHOSEN,
            help=term_help("config"),
            persist_state="session",
        )
        url_state.shown({"config": picked})
        some = st.multiselect(
            "Documents",
            list(names),
            format_func=lambda i: names.get(i, ""),
            placeholder=f"All {len(names)} documents" if len(names) != 1 else "The only document",
            help="None chosen means all of them.",
            key=SOME,
            persist_state="session",
        )
        plan = Plan(tuple(configs[name] for name in picked), tuple(some or names))
        if st.button(
            "See what it takes",
            icon=":material/calculate:",
            type="primary",
            disabled=not picked,
            help="Counts the chunks, those whose embedding is known already, and the time the rest will need.",
        ):
            _start_estimate(here, plan)


def estimates() -> None:
    """Draw the newest finished estimate with the button that builds."""
    for job in jobs().listing([ESTIMATE])[:1]:
        if job.state == "failed":
            st.error(plain(result_line(job)), icon=":material/error:")
    done = [job for job in jobs().listing([ESTIMATE]) if job.state == "done"]
    if not done or not isinstance(done[0].result, tuple):
        return
    plan, found = done[0].result
    st.subheader("What it takes")
    st.dataframe(
        pd.DataFrame([_estimate_row(config, e) for config, e in zip(plan.configs, found, strict=True)]),
        hide_index=True,
        column_config={
            "Chunks to write": st.column_config.NumberColumn(format="localized", help=term_help("chunk")),
            "Known embeddings": st.column_config.NumberColumn(format="localized", help=term_help("cache")),
            "To embed": st.column_config.NumberColumn(format="localized", help=term_help("embedding")),
        },
    )
    for problem in {p for e in found for p in e.problems}:
        st.warning(plain(problem))
    for config, estimate in zip(plan.configs, found, strict=True):
        if estimate.beyond_window:
            st.warning(plain(window_warning(config.name, estimate)), icon=":material/content_cut:")
    todo = [c for c, e in zip(plan.configs, found, strict=True) if e.documents_done < e.documents]
    with st.container(horizontal=True):
        label = f"Build {counted(len(todo), 'table')}"
        if todo and st.button(label, icon=":material/play_arrow:", type="primary"):
            jobs().dismiss(done[0])
            for config in todo:
                _start_build(workspace(), config, plan.document_ids)
            st.rerun()
        if not todo:
            st.success("Everything asked for is built already.", icon=":material/check:")
        if st.button("Dismiss", type="tertiary"):
            jobs().dismiss(done[0])
            st.rerun()


def window_warning(name: str, found: Estimate) -> str:
    """Return how many chunks of a config the model will not read to their end, and what to do about it."""
    return describe_unread_ends(name, found.beyond_window, found.chunks, found.window_tokens)


def _estimate_row(config: Config, found: Estimate) -> dict[str, object]:
    if found.seconds is None:
        duration = "not known yet"
    else:
        duration = "about " + shown_duration(found.seconds) if found.chunks else "nothing to do"
    return {
        "Config": config.name,
        "Documents": f"{found.documents - found.documents_done} of {found.documents} to do",
        "Chunks to write": found.chunks,
        "Known embeddings": found.cached,
        "To embed": found.chunks - found.cached,
        "Time": duration,
    }


def _start_estimate(here: Workspace, plan: Plan) -> None:
    def estimate(job: Job) -> tuple[Plan, list[Estimate]]:
        found = []
        count = len(plan.document_ids)
        for number, config in enumerate(plan.configs):

            def tick(done: int, total: int, number: int = number, name: str = config.name) -> None:
                job.tick(number * count + done, count * len(plan.configs), name)

            found.append(here.tables.estimate(config, plan.document_ids, tick=tick))
        job.summary = "counted"
        return plan, found

    for old in jobs().listing([ESTIMATE]):
        jobs().dismiss(old)
    _start("Counting chunks", ESTIMATE, estimate, plan.key, "documents")
