"""The map that is there now, and the one that is being computed in the background."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from workbench.contracts import Tick
from workbench.counts import counted
from workbench.projection import FEWEST_FOR_UMAP
from workbench.ui.map.controls import Choice
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import plain, term_help
from workbench.workspace.map_pairs import MapPair
from workbench.workspace.maps import TableMap

JOB_KIND = "map"
NEIGHBOURS_SHARE = 0.2

Work = Callable[[Tick], int]
"""Computes what the job is for and returns how many chunks that are."""


def current(choice: Choice) -> TableMap:
    """Return the UMAP map when it is there; else start computing it, say so, and return the one by PCA."""
    maps = workspace().maps
    with st.spinner("Reading the chunks to draw …", show_time=True):
        sample = maps.sample(choice.config)
    if sample.total > len(sample.chunks):
        st.caption(
            f"{len(sample.chunks):,} of {sample.total:,} chunks are drawn, picked at random; the hits of a question "
            "are always among them."
        )
    if len(sample.chunks) < FEWEST_FOR_UMAP:
        if sample.chunks:
            st.caption(f"Drawn by PCA: UMAP needs {FEWEST_FOR_UMAP} chunks or more.", help=term_help("PCA"))
        return maps.quick(sample)
    finished = maps.finished(sample, choice.settings)
    if finished is None:

        def work(tick: Tick) -> int:
            maps.compute(sample, choice.settings, tick)
            return len(sample.chunks)

        _compute(
            f"Map of {choice.label}",
            maps.key(sample, choice.settings),
            work,
            "The one below is by PCA.",
            "Drawn by PCA for the moment: the map by UMAP is being computed and will take its place.",
            layouts=1,
        )
    elif finished.method == "pca":
        st.caption("Drawn by PCA: too few chunks differ from each other for UMAP.", help=term_help("PCA"))
    job_panel(JOB_KIND, finished=0)
    return finished or maps.quick(sample)


def current_pair(choice: Choice) -> MapPair | None:
    """Return the two maps when they are there; else start computing them, say so, and return None."""
    pairs = workspace().map_pairs
    if choice.other is None:
        return None
    with st.spinner("Reading the chunks to draw …", show_time=True):
        sample = pairs.sample(choice.config, choice.other)
    drawn, total = len(sample.first.chunks), sample.first.total
    others, other_total = len(sample.second.chunks), sample.second.total
    if drawn < total or others < other_total:
        st.caption(
            f"{drawn:,} of {total:,} and {others:,} of {other_total:,} chunks are drawn: a random share of the larger "
            "table, and of the other one the chunks with the same text. Neighbours are counted among those."
        )
    if min(drawn, others) < FEWEST_FOR_UMAP:
        st.info(
            f"Each table needs {FEWEST_FOR_UMAP} chunks or more to be drawn beside another.",
            icon=":material/scatter_plot:",
        )
        return None
    finished = pairs.finished(sample, choice.settings)
    if finished is None:

        def work(tick: Tick) -> int:
            pairs.compute(sample, choice.settings, tick)
            return drawn + others

        _compute(
            f"Maps of {choice.label} and {choice.other_label}",
            pairs.key(sample, choice.settings),
            work,
            "",
            "The second map is laid out from where the same text lies on the first.",
            layouts=2,
        )
    job_panel(JOB_KIND, finished=0)
    return finished


def _compute(name: str, key: str, work: Work, instead: str, meanwhile: str, layouts: int) -> None:
    """Start the job unless it runs or has failed; a failed one is started again only when the user asks."""
    last = next((job for job in jobs().listing([JOB_KIND]) if job.key == key), None)
    start = partial(_start, name, key, work, layouts)
    if last is None or last.state == "done":
        start()
    elif not last.active:
        with st.container(horizontal=True, vertical_alignment="center"):
            problem = f": {plain(last.error)}" if last.error else "."
            st.warning(f"This map by UMAP was not computed{problem} {instead}".strip())
            st.button("Compute it", on_click=start, icon=":material/play_arrow:")
        return
    st.caption(meanwhile, help=f"{term_help('PCA')} {term_help('UMAP')}")


def _start(name: str, key: str, work: Work, layouts: int) -> None:
    for job in jobs().active([JOB_KIND]):
        # The one that was waited for before the settings moved; other tables' maps go on.
        if job.key != key and job.name == name:
            job.cancel()
    if jobs().active_with(key) is None:
        jobs().start(name, JOB_KIND, _work, work, layouts, key=key, unit="%")


def _work(job: Job, work: Work, layouts: int) -> str:
    def tick(done: int, total: int) -> None:
        stage, paced = _stage(done, total, layouts)
        job.tick(done, total, stage, paced)

    return counted(work(tick), "chunk")


def _stage(done: int, total: int, layouts: int) -> tuple[str, bool]:
    """Return what UMAP is doing, and whether its pace tells how long the rest takes.

    Of each layout a fifth is for neighbours, and between that and placing the points UMAP is compiled once.

    >>> [_stage(done, 100, 1)[0] for done in (19, 21, 100)]
    ['finding neighbours', 'laying out the points', 'laying out the points']
    """
    share = 1.0 if done >= total else done * layouts % total / total
    if share < NEIGHBOURS_SHARE:
        return "finding neighbours", False
    if share == NEIGHBOURS_SHARE:
        return "preparing, the first map after an installation takes about a minute", False
    return "laying out the points", True
