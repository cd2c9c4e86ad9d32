"""Syncs that start by themselves, in this process: for small installations without cron."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from workbench.errors import BusyError, WorkbenchError
from workbench.ingest.entries import RUNNING, Run
from workbench.redaction import failure_text
from workbench.sections import Schedule
from workbench.sync.run import Wishes
from workbench.ui.pipelines.labels import STATUS
from workbench.ui.pipelines.pipeline_files import PipelineFile, command, files, saved
from workbench.ui.pipelines.sync_jobs import SYNC, Course, followed
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.widgets.job_panel import shown_duration
from workbench.workspace import Workspace

LOOK_EVERY_S = 15.0

logger = logging.getLogger(__name__)


def due_at(last: Run | None, begun: datetime | None, every_minutes: int) -> datetime | None:
    """Return when the next sync is due: so long after the start of the last one, by whomever, or of our last try.

    None means at once.
    """
    starts = [datetime.fromisoformat(last.started_at_utc)] if last is not None else []
    starts += [begun] if begun is not None else []
    return max(starts) + timedelta(minutes=every_minutes) if starts else None


def is_due(last: Run | None, begun: datetime | None, every_minutes: int, now: datetime) -> bool:
    """Return whether a sync is due."""
    due = due_at(last, begun, every_minutes)
    # A start that lies ahead tells that the clock was set back, and nothing else.
    return due is None or due <= now or due > now + timedelta(minutes=every_minutes)


def last_run(here: Workspace, file: PipelineFile) -> Run | None:
    """Return the newest run of a pipeline, whoever began it."""
    return next(iter(file.pipeline(here).ledger.runs.recent(file.name, 1)), None)


def start_scheduled(here: Workspace, file: PipelineFile, now: datetime) -> None:
    """Start a sync in the background, which gives way to whoever else keeps this workspace true.

    Raises ``BusyError`` while one of this pipeline runs in this process.
    """

    def work(job: Job) -> Course:
        course = Course(file.name)
        schedule = file.config.schedule
        # Another process may have begun since the look, or while this waited for its turn.
        if schedule is not None and not is_due(last_run(here, file), None, schedule.every_minutes, now):
            job.summary = "done by another program already"
            return course
        try:
            return followed(file.pipeline(here).sync(Wishes(), job.cancel_asked), job, course)
        except BusyError:
            job.summary = "another program is at it"
            return course

    jobs().start(f"Scheduled sync {file.name}", SYNC, work, unit="documents", key=f"{SYNC} {file.name}")


@dataclass
class Scheduler:
    """Looks at the pipelines' schedules and starts what is due."""

    here: Workspace
    start: Callable[[Workspace, PipelineFile, datetime], None] = start_scheduled
    begun: dict[str, datetime] = field(default_factory=dict)
    """Pipeline → our last try: one that fails before it is a run must not be tried at every look."""

    def look(self, now: datetime) -> list[str]:
        """Start every sync that is due, and return the names of their pipelines."""
        started = []
        for file in files(self.here)[0]:
            schedule = file.config.schedule
            if schedule is None or not file.config.sources:
                continue
            begun = self.begun.get(file.name)
            if is_due(last_run(self.here, file), begun, schedule.every_minutes, now):
                self.begun[file.name] = now
                try:
                    self.start(self.here, file, now)
                except WorkbenchError as error:
                    logger.info("the scheduled sync of %s did not start: %s", file.name, error)
                else:
                    started.append(file.name)
        return started


def keep_looking(here: Workspace) -> Scheduler:
    """Look at the schedules from now on, for as long as this process lives; a second call changes nothing."""
    return _looking(str(here.folder), here)


@st.cache_resource(show_spinner=False)
def _looking(folder: str, _here: Workspace) -> Scheduler:
    scheduler = Scheduler(_here)

    def look() -> None:
        never = threading.Event()
        while True:
            try:
                scheduler.look(datetime.now(UTC))
            except Exception:  # noqa: BLE001, the log says where
                logger.error("looking at the schedules failed\n%s", failure_text())
            never.wait(LOOK_EVERY_S)

    threading.Thread(target=look, name="schedules", daemon=True).start()
    return scheduler


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────

UNITS = {"minutes": 1, "hours": 60, "days": 1440}


def show(here: Workspace, file: PipelineFile) -> None:
    """Draw the switch that makes a pipeline sync by itself, and the line for cron."""
    schedule = file.config.schedule
    minutes = schedule.every_minutes if schedule is not None else 60
    unit = next(name for name, size in reversed(UNITS.items()) if minutes % size == 0)
    # The signs of the file are part of the keys: a schedule that was changed elsewhere shows as it is.
    key = f"schedule.{file.name}.{schedule.every_minutes if schedule else 0}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        on = st.toggle("Sync by itself", value=schedule is not None, key=f"{key}.on")
        count = int(
            st.number_input(
                "every", 1, 100_000 // UNITS[unit], minutes // UNITS[unit], key=f"{key}.count", width=130
            )
        )
        chosen = st.selectbox("unit", list(UNITS), list(UNITS).index(unit), key=f"{key}.unit", width=130)
    wanted = Schedule(every_minutes=min(count * UNITS[chosen], 100_000)) if on else None
    if wanted != schedule:
        saved(here, replace(file.config, schedule=wanted))
        st.rerun()
    if wanted is not None:
        st.markdown(standing(here, file, wanted, keep_looking(here).begun.get(file.name), datetime.now(UTC)))
    st.caption(
        "Kept in the pipeline's file, and followed as long as this app runs, whether or not a page is open: enough for a "
        "small installation. Elsewhere, leave it off and give this line to cron; two syncs of one pipeline never run "
        "at once."
    )
    st.code(
        cron_line(here, file, wanted.every_minutes if wanted else minutes), language="bash", wrap_lines=True
    )


def standing(
    here: Workspace, file: PipelineFile, schedule: Schedule, begun: datetime | None, now: datetime
) -> str:
    """Return when the last sync began, how it ended, and when the next one is due."""
    if not file.config.sources:
        return "It begins once the pipeline has a source."
    last = last_run(here, file)
    said = []
    if last is not None:
        ago = now - datetime.fromisoformat(last.started_at_utc)
        said.append(
            f"The last sync began {shown_duration(ago.total_seconds())} ago: {STATUS.get(last.status, last.status)}."
        )
    if last is not None and last.status == RUNNING:
        return said[0]
    due = due_at(last, begun, schedule.every_minutes)
    left = (due - now).total_seconds() if due is not None else 0.0
    said.append(
        f"The next one begins in {shown_duration(left)}."
        if left > LOOK_EVERY_S
        else "The next one begins now."
    )
    return " ".join(said)


def cron_line(here: Workspace, file: PipelineFile, every_minutes: int) -> str:
    """Return the line of a crontab that does the same as the switch, as nearly as cron can."""
    if every_minutes < 60:
        when = f"*/{every_minutes} * * * *"
    elif every_minutes < 1440:
        when = f"0 */{max(1, round(every_minutes / 60))} * * *"
    else:
        when = f"0 3 */{min(31, max(1, round(every_minutes / 1440)))} * *"
    # A % ends a line of cron.
    return f"{when} {command('sync', file, here)}".replace("%", "\\%")
