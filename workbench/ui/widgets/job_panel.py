"""The list of jobs: what runs, what waits, what is done."""

from __future__ import annotations

import streamlit as st

from workbench.ui.session.jobs import Job, State, jobs
from workbench.ui.widgets.messages import guarded, plain


def shown_duration(seconds: float) -> str:
    """Return a span of time as people say it.

    >>> [shown_duration(s) for s in (0.2, 8, 75, 3700, 90_000)]
    ['1 s', '8 s', '1 min 15 s', '1 h 1 min', '25 h']
    """
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    if whole < 3600:
        return f"{round(whole / 60)} min"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"


def progress_line(job: Job) -> str:
    """Return how far a job is, as one plain line: ``120 of 4,000 chunks · about 2 min left · report.pdf``."""
    if job.state == "waiting":
        return "waiting for another job to end"
    unit = f" {job.unit}" if job.unit else ""
    counted = f"{job.done:,} of {job.total:,}{unit}" if job.total > 0 else "starting"
    if job.unit == "%" and job.total > 0:
        # Rounded down: what is not done is not said to be.
        counted = f"{int(100 * job.fraction)} %"
    left = f"about {shown_duration(job.seconds_left)} left" if job.seconds_left else ""
    asked = "stopping" if job.cancel_asked() else ""
    return " · ".join(part for part in (counted, asked or left, job.note) if part)


def result_line(job: Job) -> str:
    """Return what came of a finished job, as one plain line."""
    taken = f" ({shown_duration(job.seconds_taken)})" if job.seconds_taken else ""
    if job.state == "failed":
        return f"{job.name}: {job.error}"
    if job.state == "cancelled":
        return f"{job.name}: stopped; what was finished is kept{taken}"
    return f"{job.name}: {job.summary or 'done'}{taken}"


def job_panel(*kinds: str, finished: int = 3, key: str = "jobs") -> None:
    """Draw the jobs of these kinds (all when none is named): progress, cancel, and the last results.

    It redraws itself every second while one is active and looks every few seconds otherwise, so that a job started
    in another session shows up. When one begins or ends, the whole page runs again, once. ``finished`` is the number of
    results to keep on screen. Draws nothing when there is nothing to show.
    """
    shown = _shown(kinds, finished)
    every = 1.0 if any(job.active for job in shown) else 5.0
    drawn = [(job.id, job.state) for job in shown]
    st.fragment(_panel, run_every=every)(kinds, finished, key, drawn)


def _shown(kinds: tuple[str, ...], finished: int) -> list[Job]:
    listing = jobs().listing(kinds or None)
    ended = [job for job in listing if not job.active][:finished]
    # Those at work in the order in which they were asked for, the results with the newest first.
    return [job for job in reversed(listing) if job.active] + ended


def _panel(kinds: tuple[str, ...], finished: int, key: str, drawn: list[tuple[str, State]]) -> None:
    shown = _shown(kinds, finished)
    if [(job.id, job.state) for job in shown] != drawn:
        st.rerun()
    with guarded():
        for job in shown:
            if job.active:
                active_row(job, key)
            else:
                _finished_row(job, key)


def active_row(job: Job, key: str) -> None:
    """Draw a job at work: how far it is, and the button that stops it."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.progress(job.fraction, text=f"**{plain(job.name)}** · {plain(progress_line(job))}")
        st.button(
            "Cancel",
            key=f"{key}-cancel-{job.id}",
            on_click=job.cancel,
            disabled=job.cancel_asked(),
            icon=":material/close:",
        )


def _finished_row(job: Job, key: str) -> None:
    shown = "trouble" if job.state == "done" and job.trouble else job.state
    message, icon = {
        "done": (st.success, ":material/check:"),
        "trouble": (st.warning, ":material/warning:"),
        "failed": (st.error, ":material/error:"),
        "cancelled": (st.info, ":material/block:"),
    }[shown]
    # Columns, as in a row the button would go below each message of more than a line.
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        message(plain(result_line(job)), icon=icon)
    with right.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Dismiss",
            key=f"{key}-dismiss-{job.id}",
            on_click=jobs().dismiss,
            args=(job,),
            type="tertiary",
            icon=":material/close:",
        )
