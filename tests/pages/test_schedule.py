"""Syncs that begin by themselves: their course, and what pages say of them. The clock is the test's."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.pages.pipelines import fill, page, said, trams
from workbench.ingest.lock import pipeline_lock
from workbench.sections import Schedule
from workbench.ui.pipelines import pipeline_files
from workbench.ui.pipelines import scheduler as pipelines_scheduler
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.pipelines.scheduler import Scheduler, standing, start_scheduled
from workbench.ui.pipelines.sync_jobs import SYNC
from workbench.ui.session.jobs import Job, jobs
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests look at the schedules themselves."""
    monkeypatch.setattr(pipelines_scheduler, "keep_looking", Scheduler)


@pytest.fixture
def file(here: Workspace, tmp_path: Path) -> PipelineFile:
    fill(tmp_path / "shelf", 3)
    return pipeline_files.saved(
        here, replace(trams([tmp_path / "shelf"]), schedule=Schedule(every_minutes=60))
    )


def in_minutes(minutes: float) -> datetime:
    # Runs are stamped by the real clock: no look is nearer than half an hour to where the answer changes.
    return datetime.now(UTC) + timedelta(minutes=minutes)


def look(scheduler: Scheduler, minutes: float) -> Job | None:
    """Look so many minutes from now, wait for what begins, and return it."""
    if not scheduler.look(in_minutes(minutes)):
        return None
    ended()
    return jobs().listing([SYNC])[0]


def ended() -> None:
    """Wait until no sync is at work."""
    pause = threading.Event()
    while jobs().active([SYNC]):
        pause.wait(0.02)


def runs(here: Workspace, file: PipelineFile) -> list[str]:
    return [run.status for run in file.pipeline(here).ledger.runs.recent(file.name)]


def test_a_sync_begins_when_it_is_due_and_again_after_the_interval_and_not_once_it_is_turned_off(
    here: Workspace, file: PipelineFile
) -> None:
    scheduler = Scheduler(here)
    assert look(scheduler, 0) is not None
    assert look(scheduler, 30) is None
    assert look(scheduler, 90) is not None
    assert runs(here, file) == ["done", "done"]
    pipeline_files.saved(here, replace(file.config, schedule=None))
    assert look(scheduler, 500) is None


def test_a_program_that_starts_anew_goes_on_from_the_last_run(here: Workspace, file: PipelineFile) -> None:
    look(Scheduler(here), 0)
    assert look(Scheduler(here), 30) is None
    assert look(Scheduler(here), 90) is not None


def test_a_sync_that_fails_is_told_on_runs_and_tried_again_only_after_the_interval(
    here: Workspace, file: PipelineFile, tmp_path: Path
) -> None:
    (tmp_path / "shelf").rename(tmp_path / "away")
    scheduler = Scheduler(here)
    job = look(scheduler, 0)
    assert job is not None
    assert job.trouble
    assert look(scheduler, 30) is None
    shown = said(page("runs"))
    assert "Scheduled sync trams" in shown
    assert "there is no folder" in shown


def test_what_cannot_even_begin_is_told_too(here: Workspace, file: PipelineFile) -> None:
    broken = file.path.read_text().replace("hashing", "cohere").replace("dimension", "dim")
    file.path.write_text(broken)
    scheduler = Scheduler(here)
    assert look(scheduler, 0) is None
    assert "trams.yaml" in said(page("sources"))


def test_while_another_program_syncs_none_begins_here(here: Workspace, file: PipelineFile) -> None:
    place = file.pipeline(here).place
    place.ledger.pipelines()
    with pipeline_lock(place.lock_path, place.name, 0):
        job = look(Scheduler(here), 0)
    assert job is not None
    assert (job.state, job.summary, job.trouble) == ("done", "another program is at it", False)
    assert runs(here, file) == []


def test_what_another_program_did_since_the_look_is_not_done_again(
    here: Workspace, file: PipelineFile
) -> None:
    list(file.pipeline(here).sync())
    start_scheduled(here, file, in_minutes(0))
    ended()
    assert jobs().listing([SYNC])[0].summary == "done by another program already"
    assert runs(here, file) == ["done"]


def test_the_page_says_when_the_last_one_began_and_when_the_next_one_will(
    here: Workspace, file: PipelineFile
) -> None:
    schedule = Schedule(every_minutes=60)
    assert standing(here, file, schedule, None, in_minutes(0)) == "The next one begins now."
    list(file.pipeline(here).sync())
    (run,) = file.pipeline(here).ledger.runs.recent(file.name)
    later = datetime.fromisoformat(run.started_at_utc) + timedelta(minutes=20)
    assert standing(here, file, schedule, None, later) == (
        "The last sync began 20 min ago: done. The next one begins in 40 min."
    )
    bare = PipelineFile(file.path, replace(file.config, sources=()))
    assert standing(here, bare, schedule, None, in_minutes(0)) == "It begins once the pipeline has a source."
