"""The sync that runs now, or ran last: how many documents passed each stage, and what failed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.ui.pipelines.sync_jobs import LIVE, STAGES, SYNC, Course, last_course
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import page_script
from workbench.ui.widgets.job_panel import job_panel, shown_duration
from workbench.ui.widgets.messages import guarded, plain

SHOWN_FAILURES = 5


def panel(pipeline: str) -> None:
    """Draw the syncs under way with progress, time left and cancel, then the stages of this pipeline's newest one."""
    job_panel(SYNC, finished=1, key="syncs")
    job = last_course(pipeline)
    if job is None and jobs().active_with(f"{SYNC} {pipeline}") is None:
        return
    st.fragment(_stages, run_every=1.0 if job is None or job.active else None)(pipeline)


def _stages(pipeline: str) -> None:
    job = last_course(pipeline)
    if job is None or not isinstance(job.result, Course):
        return
    with guarded():
        _drawn(job.result, job)


def _drawn(course: Course, job: Job) -> None:
    total = course.total
    passed = [stage for stage in LIVE if course.counts.get(stage)]
    if passed:
        rows = [
            {
                "Stage": STAGES[stage],
                "Documents": course.counts[stage],
                "Share": 100 * course.counts[stage] / total if total else 0.0,
                "Time": shown_duration(course.seconds[stage]),
            }
            for stage in passed
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height="content",
            column_config={
                "Documents": st.column_config.NumberColumn(
                    format="localized",
                    help="Documents that passed this stage. What is known already skips stages.",
                ),
                "Share": st.column_config.ProgressColumn(
                    "Of the work", min_value=0, max_value=100, format="%.0f %%"
                ),
                "Time": st.column_config.TextColumn(help="Work of several documents at once adds up."),
            },
        )
    for failure in course.failures[:SHOWN_FAILURES]:
        where = "Published release: " if failure.in_release else ""
        st.warning(f"{where}{plain(failure.name)}: {plain(failure.message)}", icon=":material/warning:")
    more = course.figures.failed + course.figures.release_failed - SHOWN_FAILURES
    if more > 0:
        st.caption(f"{more:,} more failed: see Runs.")
    if not job.active and course.run_id is not None:
        with st.container(horizontal=True, gap="small"):
            st.page_link(
                page_script("runs"),
                label="Its run in detail",
                icon=":material/history:",
                query_params={"pipeline": course.pipeline},
                width="content",
            )
            st.page_link(
                page_script("releases"),
                label="Publish",
                icon=":material/rocket_launch:",
                query_params={"pipeline": course.pipeline},
                width="content",
            )
