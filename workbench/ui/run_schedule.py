"""Syncs that start by themselves, in this process: for small installations without cron."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.ingest.entries import Run
from workbench.sections import Schedule
from workbench.ui.run_course import start_sync
from workbench.ui.source_files import PipelineFile, command, files, saved
from workbench.workspace import Workspace

LOOK_EVERY_S = 15.0

logger = logging.getLogger(__name__)


def is_due(last: Run | None, begun: datetime | None, every_minutes: int, now: datetime) -> bool:
    """Return whether a sync is due: so long after the start of the last one, by whomever, or of our last try."""
    starts = [datetime.fromisoformat(last.started_at_utc)] if last is not None else []
    starts += [begun] if begun is not None else []
    return not starts or now - max(starts) >= timedelta(minutes=every_minutes)


@dataclass
class Scheduler:
    """Looks at the pipelines' schedules and starts what is due."""

    here: Workspace
    start: Callable[[Workspace, PipelineFile], None]
    begun: dict[str, datetime] = field(default_factory=dict)
    """Pipeline → our last try: one that fails before it is a run must not be tried at every look."""

    def look(self, now: datetime) -> list[str]:
        """Start every sync that is due, and return the names of their pipelines."""
        started = []
        for file in files(self.here)[0]:
            schedule = file.config.schedule
            if schedule is None or not file.config.sources:
                continue
            last = next(iter(file.pipeline(self.here).ledger.runs.recent(file.name, 1)), None)
            if is_due(last, self.begun.get(file.name), schedule.every_minutes, now):
                self.begun[file.name] = now
                try:
                    self.start(self.here, file)
                except WorkbenchError as error:
                    logger.info("the scheduled sync of %s did not start: %s", file.name, error)
                else:
                    started.append(file.name)
        return started


def keep_looking(here: Workspace) -> None:
    """Look at the schedules from now on, for as long as this process lives; a second call changes nothing."""
    _looking(str(here.folder), here)


@st.cache_resource(show_spinner=False)
def _looking(folder: str, _here: Workspace) -> threading.Event:
    stop = threading.Event()
    scheduler = Scheduler(_here, lambda here, file: start_sync(here, file, by="Scheduled sync"))

    def look() -> None:
        while not stop.wait(LOOK_EVERY_S):
            try:
                scheduler.look(datetime.now(UTC))
            except Exception:
                logger.exception("looking at the schedules failed")

    threading.Thread(target=look, name="schedules", daemon=True).start()
    return stop


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
    st.caption(
        "This runs only while this app runs, from the first time a page of it is opened: enough for a small "
        "installation. On a server, leave it off and give this line to cron; two syncs of one pipeline never run at "
        "once."
    )
    st.code(
        cron_line(here, file, wanted.every_minutes if wanted else minutes), language="bash", wrap_lines=True
    )


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
