"""What goes on in the background, said below the navigation of every page until it is done."""

from __future__ import annotations

import streamlit as st

from workbench.ui.session.jobs import Job, jobs
from workbench.ui.widgets.job_panel import shown_duration
from workbench.ui.widgets.messages import plain

POLLED_S = 2.0
MOST_SHOWN = 3


def show() -> None:
    """Draw the jobs at work; nothing is asked again and again while there are none."""
    with st.sidebar:
        if _heavy():
            st.fragment(_list, run_every=POLLED_S)()


def _heavy() -> list[Job]:
    # Light ones are done before anybody could read of them.
    return [job for job in reversed(jobs().listing()) if job.active and job.heavy]


def _list() -> None:
    found = _heavy()
    if not found:
        st.caption(":material/check: All done")
    for job in found[:MOST_SHOWN]:
        st.caption(f":material/hourglass_top: **{plain(job.name)}**  \n{plain(brief(job))}")
    if len(found) > MOST_SHOWN:
        st.caption(f"and {len(found) - MOST_SHOWN} more")


def brief(job: Job) -> str:
    """Return how far a job is in a few words: ``38 % · about 20 s left``."""
    if job.state == "waiting":
        return "waiting"
    share = f"{int(100 * job.fraction)} %" if job.total else "starting"
    left = f"about {shown_duration(job.seconds_left)} left" if job.seconds_left else ""
    return " · ".join(filter(None, [share, left]))
