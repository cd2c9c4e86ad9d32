"""A schedule in a real server: followed without a page, kept over a restart, turned off in the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Waiter
from tests.browser.steps import go, settled, until
from tests.browser.test_pipeline import opened
from tests.pages.pipelines import fill, trams
from workbench.ingest.entries import Run
from workbench.sections import Schedule
from workbench.ui.pipelines import pipeline_files
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_schedule_is_followed_without_a_page_kept_over_a_restart_and_turned_off(
    serve: Callable[..., str], tmp_path: Path, new_page: Callable[..., Page]
) -> None:
    here = Workspace(tmp_path / "workspace")
    fill(tmp_path / "shelf", 3)
    config = replace(trams([tmp_path / "shelf"]), schedule=Schedule(every_minutes=600))
    ledger = pipeline_files.saved(here, config).pipeline(here).ledger

    def runs() -> list[Run]:
        return [run for run in ledger.runs.recent("trams") if run.ended_at_utc]

    serve(WORKBENCH_WORKSPACE=str(here.folder), WORKBENCH_WARM_UP="off")
    waiter = Waiter(60)
    while not runs():
        assert not waiter.over(), "no sync began"
        waiter.rest()
    assert [(run.status, run.figures.added) for run in runs()] == [("done", 3)]

    # The same workspace under another server, as after a restart.
    address = serve(WORKBENCH_WORKSPACE=str(here.folder), WORKBENCH_WARM_UP="off", WORKBENCH_SERVER="second")
    page = new_page(1440, 1400)
    page.goto(address)
    go(page, "Runs")
    expect(page.get_by_test_id("stMetric").filter(has_text="Last run")).to_contain_text("done")
    go(page, "Sources")
    part = opened(page, "Sync by itself: every 10 h")
    expect(part.get_by_text("The next one begins in")).to_be_visible()
    part.get_by_text("Sync by itself", exact=True).click()
    until(page, lambda: pipeline_files.files(here)[0][0].config.schedule is None)
    page.reload()
    settled(page)
    page.get_by_text("Sync by itself: off").wait_for()
    assert len(runs()) == 1
