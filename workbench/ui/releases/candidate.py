"""The table that could be published next: what the gate says of it, and publishing it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.counts import counted
from workbench.ingest.entries import Release
from workbench.sync import Pipeline
from workbench.sync.gate import GateResult
from workbench.sync.measuring import is_published
from workbench.sync.publishing import TableOnDisk
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.releases import jobs
from workbench.ui.releases.jobs import FORCE, GATE, MEASURE, PUBLISH, Measured
from workbench.ui.releases.published import documents_of
from workbench.ui.session.workspace import page_script
from workbench.ui.widgets.card_grid import card_row
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import guarded, plain, sentence
from workbench.workspace import Workspace


def show(
    here: Workspace,
    file: PipelineFile,
    pipeline: Pipeline,
    tables: Sequence[TableOnDisk],
    published: Release | None,
) -> None:
    """Draw the table of the pipeline's config as a candidate."""
    st.subheader("Candidate")
    table = next((table for table in tables if table.is_current), None)
    if table is None or not table.rows:
        st.info(
            "The pipeline as it is now has no table yet: sync it first. Another model or another way of cutting is "
            "another table.",
            icon=":material/sync:",
        )
        st.page_link(
            page_script("sources"),
            label="Go to Sources",
            icon=":material/arrow_forward:",
            query_params={"pipeline": file.name},
        )
        job_panel(GATE, finished=0, key="gate")
        return
    same = is_published(pipeline.place, published)
    with st.container(border=True):
        st.markdown(
            f"**{plain(pipeline.place.model.title)}**, {counted(documents_of(pipeline, table.name), 'document')}, "
            f"{counted(table.rows, 'chunk')}, {table.size_bytes / 2**20:,.1f} MB  \n"
            f":small[:gray[{plain(table.name)}]]"
        )
        gate = file.config.evaluate
        if same:
            again = "" if gate is None else "; publishing again only measures it anew"
            st.caption(f":material/check: This is what is published. Syncs show up in it at once{again}.")
        st.caption(
            f"Gate: {plain(gate.metric)} of at least {gate.minimum:g}, and at most {gate.max_drop:g} below the "
            "published release on the same questions."
            if gate is not None
            else "No gate: it is published without being measured. Measure it below, or give it a gate in "
            "Sources → Settings."
        )
        busy = jobs.busy(file)
        with st.container(horizontal=True, gap="small"):
            if st.button(
                "Publish",
                type="primary",
                icon=":material/rocket_launch:",
                disabled=busy,
                help="Asks the gate first; a refusal changes nothing.",
            ):
                jobs.start(here, file, PUBLISH)
                st.rerun()
            if gate is not None and st.button("Only measure", icon=":material/speed:", disabled=busy):
                jobs.start(here, file, MEASURE)
                st.rerun()
    job_panel(GATE, finished=1, key="gate")
    # Looked up behind the panel: the panel runs the page again for what ends from here on.
    found = jobs.newest(file)
    if found is not None and not jobs.busy(file):
        _verdict(here, file, found)


def _verdict(here: Workspace, file: PipelineFile, found: Measured) -> None:
    result = found.result
    if result.value is None and result.passed and not result.notes:
        return
    with st.container(border=True):
        _figures(result)
        for note in result.notes:
            st.caption(f":material/info: {plain(sentence(note))}")
        if result.passed:
            st.markdown(":material/check: The gate is open.")
            return
        for reason in result.reasons:
            st.markdown(f":material/close: {plain(sentence(reason))}")
        if found.release is None and st.button("Publish anyway", icon=":material/gavel:"):
            _confirm_force(here, file, found)


def _figures(result: GateResult) -> None:
    if result.value is None:
        return
    compared = result.published_value is not None and result.compared_value is not None
    cards = card_row(3 if compared else 2, "gate-figures")
    cards[0].metric(
        result.metric,
        f"{result.value:.3f}",
        help=f"On {counted(result.questions, 'question')}."
        + (
            f" {counted(result.unplaced, 'judgment has', 'judgments have')} no place in these documents."
            if result.unplaced
            else ""
        ),
    )
    cards[1].metric("Asked for", f"{result.minimum:.3f}")
    if result.published_value is not None and result.compared_value is not None:
        cards[2].metric(
            "Published release",
            f"{result.published_value:.3f}",
            delta=f"{result.compared_value - result.published_value:+.3f} with the candidate",
            help="On the questions that the published release can answer; the candidate has "
            f"{result.compared_value:.3f} on them.",
        )


@st.dialog("Publish against the gate?")
def _confirm_force(here: Workspace, file: PipelineFile, found: Measured) -> None:
    st.markdown("The gate refused this table:")
    for reason in found.result.reasons:
        st.markdown(f"- {plain(sentence(reason))}")
    sure = st.checkbox("I have seen these figures, and want it published all the same.")
    with st.container(horizontal=True):
        if st.button(
            "Publish against the gate",
            type="primary",
            icon=":material/gavel:",
            disabled=not sure,
            on_click=_force,
            args=(here, file),
        ) or st.button("Leave it"):
            st.rerun()


def _force(here: Workspace, file: PipelineFile) -> None:
    with guarded():
        jobs.start(here, file, FORCE)
