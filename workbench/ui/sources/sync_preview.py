"""What a sync would do, shown before it is done; then the button that does it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice

import pandas as pd
import streamlit as st

from workbench.config import written
from workbench.counts import counted
from workbench.errors import BusyError
from workbench.ingest.expected import Expected
from workbench.ingest.plan import Plan, RefusedRemoval
from workbench.ingest.steps import IDLE, Action
from workbench.sync.events import SourceListed
from workbench.sync.outlook import Outlook
from workbench.sync.run import Wishes
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.pipelines.sync_jobs import SYNC, ask_for_sync
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.widgets.job_panel import job_panel, result_line
from workbench.ui.widgets.labels import label_of
from workbench.ui.widgets.messages import guarded, plain, sentence, shown_error
from workbench.workspace import Workspace

PLAN = "sync plan"
ACTIONS = {
    Action.ADD: ("Add", "Documents that are new."),
    Action.CHANGE: ("Change", "Documents whose source says that they changed. They are read again."),
    Action.REBUILD: (
        "Rebuild",
        "Documents whose content is here, and that the table does not hold as this config makes it. Nothing is fetched.",
    ),
    Action.RETRY: ("Try again", "Documents that failed earlier and are due for another try."),
    Action.REMOVE: ("Remove", "Documents that are gone from their source. They leave the index."),
    Action.KEEP: ("Keep", "Documents that are as they should be. Nothing is done."),
    Action.WAIT: ("Wait", "Documents that failed earlier and are not due for another try."),
}
LISTED_ITEMS = 200
CELL_PIXELS = 110


@dataclass(frozen=True)
class Foreseen:
    """A plan, and the config that it was made for."""

    pipeline: str
    config: str
    outlook: Outlook


def show(here: Workspace, file: PipelineFile) -> None:
    """Draw the question what a sync would do, its answer, and the button that syncs."""
    st.subheader("What a sync would do")
    running = jobs().active_with(f"{SYNC} {file.name}") is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            "See what a sync would do",
            icon=":material/preview:",
            type="primary" if _newest(file) is None and not running else "secondary",
            disabled=running,
        ):
            _start(here, file)
        st.caption("Lists the sources and compares; nothing is changed.")
    job_panel(PLAN, finished=0, key="plans")
    job = _newest(file)
    if job is None or running:
        return
    if not isinstance(job.result, Foreseen):
        if job.state == "failed":
            st.error(plain(result_line(job)), icon=":material/error:")
        return
    if job.result.config != written(file.config):
        st.info("The pipeline was changed since: ask again.", icon=":material/update:")
        return
    _answer(here, file, job, job.result.outlook)


def _newest(file: PipelineFile) -> Job | None:
    return next((job for job in jobs().listing([PLAN]) if job.key == _key(file) and not job.active), None)


def _key(file: PipelineFile) -> str:
    return f"{PLAN} {file.name}"


def _start(here: Workspace, file: PipelineFile) -> None:
    def work(job: Job) -> Foreseen:
        job.tick(0, 0, "listing the sources and comparing")
        return Foreseen(file.name, written(file.config), file.pipeline(here).plan(job.cancel_asked))

    for old in jobs().listing([PLAN]):
        if old.key == _key(file):
            jobs().dismiss(old)
    try:
        jobs().start(f"Plan {file.name}", PLAN, work, key=_key(file))
    except BusyError as error:
        shown_error(error)


def _answer(here: Workspace, file: PipelineFile, job: Job, found: Outlook) -> None:
    plan = found.plan
    names = {one.key: f"{label_of('sources', one.name)} {one.place()}" for one in file.config.sources}
    with st.container(border=True):
        with st.container(horizontal=True, gap="small"):
            for action, (label, help_text) in ACTIONS.items():
                count = plan.counts.get(action, 0)
                if count or action in (Action.ADD, Action.CHANGE, Action.KEEP, Action.REMOVE):
                    st.metric(label, f"{count:,}", help=help_text, width=CELL_PIXELS)
        all_listed = all(map(_is_all, found.sources))
        st.markdown(expectation(plan, all_listed))
        if found.release is not None:
            st.markdown(expectation_of_release(found.release, all_listed))
        elif found.trouble:
            st.warning(plain(sentence(found.trouble)), icon=":material/warning:")
        for source in found.sources:
            _source(source, names.get(source.source, source.source))
        if plan.steps or plan.removals:
            with st.expander("Which documents", icon=":material/list:"):
                _items(plan)
        for refused in plan.refused:
            source_name = plain(names.get(refused.source, refused.source))
            st.warning(_refusal(refused, source_name), icon=":material/report:")
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Sync now",
                icon=":material/sync:",
                type="primary",
                disabled=not found.sources,
                on_click=_sync,
                args=(here, file, job, Wishes()),
            )
            if plan.refused and st.button("Sync, and remove them too", icon=":material/delete_sweep:"):
                _confirm(here, file, job, plan)
            if st.button("Dismiss", type="tertiary", key="dismiss-plan"):
                jobs().dismiss(job)
                st.rerun()


def _refusal(refused: RefusedRemoval, source: str) -> str:
    missing = refused.known - refused.present
    told = f"{missing:,} of {counted(refused.known, 'document')} of {source} {'is' if missing == 1 else 'are'} missing"
    if refused.hidden:
        return (
            f"{told}, and {refused.hidden:,} that could not be listed may be the same, so a sync removes none of them"
            " until that is mended or you say so."
        )
    return (
        f"{told}, more than is usual. That looks like a fault of the source, so until you say so a sync removes only those"
        " that it finds unchanged at another place."
    )


@st.dialog("Remove these documents?")
def _confirm(here: Workspace, file: PipelineFile, job: Job, plan: Plan) -> None:
    for refused in plan.refused:
        st.markdown(
            f"**{refused.known - refused.present:,} of {refused.known:,}** documents of {plain(refused.source)}"
        )
    st.caption(
        "They are missing from their source. After this sync no question finds them in this table; releases of other "
        "configs keep theirs. If the source is only out of order for now, keep them and look there first."
    )
    with st.container(horizontal=True):
        if st.button(
            "Sync and remove",
            type="primary",
            icon=":material/delete_sweep:",
            on_click=_sync,
            args=(here, file, job, Wishes(confirmed=True)),
        ) or st.button("Keep them"):
            st.rerun()


def _sync(here: Workspace, file: PipelineFile, job: Job, wishes: Wishes) -> None:
    with guarded():
        jobs().dismiss(job)
        ask_for_sync(here, file, wishes)


def _is_all(source: SourceListed) -> bool:
    return source.complete or (source.changes and not source.message)


def expectation(plan: Plan, all_listed: bool = True) -> str:
    """Return what the work will come to, in a sentence of Markdown."""
    if plan.is_empty and not all_listed:
        return "**Nothing to do for now:** not every source said all that it holds."
    if plan.is_empty:
        return "**Nothing to do:** the index holds what the sources hold."
    if not plan.steps:
        return "Documents are only removed; nothing is embedded."
    return f"**At most {_amount(plan.expected)}.** Embeddings that are known already are not computed again."


def expectation_of_release(plan: Plan, all_listed: bool = True) -> str:
    """Return what the published release's table will take beside, in a sentence of Markdown."""
    what = "**The published release**, which has another table,"
    if plan.is_empty and not all_listed:
        return f"{what} stays as it is for now."
    if plan.is_empty:
        return f"{what} holds what the sources hold."
    work = ", ".join(
        f"{plan.counts[action]:,} {label.lower()}"
        for action, (label, _) in ACTIONS.items()
        if plan.counts.get(action) and action not in IDLE
    )
    embedded = f". At most {_amount(plan.expected)}" if plan.steps else ""
    return f"{what} is brought up to date first: {work}{embedded}."


def _amount(expected: Expected) -> str:
    chunks = (
        "a number of chunks that nobody knows yet"
        if expected.chunks is None
        else f"about {counted(expected.chunks, 'chunk')}"
    )
    tokens = f" of together {counted(expected.tokens, 'token')}" if expected.tokens else ""
    cost = f", costing about {expected.money:,.4f}" if expected.money else ""
    return f"{chunks}{tokens} to embed{cost}"


def _source(source: SourceListed, shown: str) -> None:
    name = plain(shown)
    if source.changes and not source.message:
        st.caption(f":material/check: {name}: {counted(source.items, 'item')} changed since the last sync")
    elif source.complete and not source.message:
        st.caption(f":material/check: {name}: {counted(source.items, 'item')}")
    elif source.complete:
        st.caption(
            f":material/warning: {name}: {counted(source.items, 'item')}. {plain(sentence(source.message))}"
        )
    elif source.complete_but_for_faults:
        st.warning(
            f"{name}: {counted(source.items, 'item')}, and {source.unlisted:,} that could not be listed, so what is missing is "
            "removed only if you say so. "
            f"{plain(sentence(source.message))}",
            icon=":material/warning:",
        )
    elif source.items:
        st.warning(
            f"{name}: {counted(source.items, 'item')}, and this may not be all, so nothing of it is removed. "
            f"{plain(sentence(source.message))}",
            icon=":material/warning:",
        )
    else:
        st.error(
            f"{name} could not be listed, so nothing of it is changed. {plain(sentence(source.message))}",
            icon=":material/link_off:",
        )


def _items(plan: Plan) -> None:
    rows = chain(
        (
            {"What": ACTIONS[step.action][0], "Document": step.key[1], "Source": step.key[0]}
            for step in plan.steps
        ),
        ({"What": "Remove", "Document": one.key[1], "Source": one.key[0]} for one in plan.removals),
    )
    st.dataframe(pd.DataFrame(islice(rows, LISTED_ITEMS)), hide_index=True)
    count = len(plan.steps) + len(plan.removals)
    if count > LISTED_ITEMS:
        st.caption(f"The first {LISTED_ITEMS:,} of {count:,}.")
