"""The middle of the Sweep page: what a run would do and take, and the job that does it."""

from __future__ import annotations

import streamlit as st

from workbench.counts import counted
from workbench.errors import BusyError, WorkbenchError
from workbench.evaluation.questions import QuestionSet
from workbench.records import digest
from workbench.sweep import Ending, Failure, Measured, Progress, Sweep, screening_config, written
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain, shown_error
from workbench.workspace import SweepPlan, Workspace

RUN, ESTIMATE = "sweep", "sweep estimate"
STEPS = 1_000
"""A run's progress bar moves in thousandths of the model's work."""
MOST_SHOWN = 50


def planned(sweep: Sweep, questions: QuestionSet) -> SweepPlan | None:
    """Return what a run would do; None, and a message, where it cannot be run."""
    try:
        plan = workspace().sweeps.plan(sweep, questions)
    except WorkbenchError as error:
        shown_error(error)
        return None
    if not plan.expansion.configs:
        reason = plan.expansion.dropped[0].reason if plan.expansion.dropped else "nothing is chosen"
        st.error(plain(f"No configuration of this grid can work: {reason}"), icon=":material/error:")
        return None
    return plan


def offer(sweep: Sweep, questions: QuestionSet, plan: SweepPlan) -> None:
    """Draw what a run would do, with the button that starts it."""
    busy = bool(jobs().active([RUN, ESTIMATE]))
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(plain(plan.sentence), width="stretch")
        if plan.seconds is None and st.button(
            "Estimate the time",
            icon=":material/timer:",
            disabled=busy,
            help="The speed of the model on this machine is not known yet: a few texts are embedded to measure it.",
        ):
            _start_estimate(workspace(), plan)
        if not plan.is_done and st.button(
            "Run the sweep", type="primary", icon=":material/play_arrow:", disabled=busy
        ):
            _start(workspace(), sweep, questions)
            st.rerun()
    if plan.expansion.dropped:
        with st.expander(f"Left out: {counted(len(plan.expansion.dropped), 'combination')} cannot work"):
            for dropped in plan.expansion.dropped[:MOST_SHOWN]:
                st.caption(f"{plain(dropped.name)}: {plain(dropped.reason)}")


def _start(here: Workspace, sweep: Sweep, questions: QuestionSet) -> None:
    def run(job: Job) -> None:
        def on_progress(progress: Progress) -> None:
            job.tick(round(STEPS * progress.fraction), STEPS, progress.note)

        failed: list[str] = []
        counts = {"screened": 0, "confirmed": 0}
        sentence = ""
        for event in here.sweeps.run(sweep, questions, on_progress=on_progress):
            if isinstance(event, Measured):
                counts[event.kind] += 1
            elif isinstance(event, Failure):
                failed.append(f"{event.config.name} could not be {event.kind}: {event.message}")
            elif isinstance(event, Ending):
                sentence = event.sentence
        done = f"{counts['screened']} screened, {counts['confirmed']} confirmed"
        job.summary = ". ".join(filter(None, [done, sentence.rstrip("."), *failed]))
        job.trouble = bool(failed or sentence)

    here.sweeps.save(sweep)
    key = digest([RUN, written(sweep), questions.key])
    try:
        jobs().start(f"Sweep {sweep.name}", RUN, run, unit="%", key=key)
    except BusyError as error:
        shown_error(error)


def _start_estimate(here: Workspace, plan: SweepPlan) -> None:
    by_embedder = {config.embedder: config for config in plan.expansion.configs}
    ids = [row.id for row in here.documents()]

    def measure(job: Job) -> str:
        for number, config in enumerate(by_embedder.values()):
            job.tick(number, len(by_embedder), config.embedder.name)
            here.tables.estimate(screening_config(config) or config, ids, tick=lambda done, total: None)
        return "the speed of the model is known"

    try:
        jobs().start("Measuring the speed of the model", ESTIMATE, measure, key=ESTIMATE)
    except BusyError as error:
        shown_error(error)
    st.rerun()
