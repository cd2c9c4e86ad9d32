"""What every page says of work in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.ui.session.jobs import Job, jobs
from workbench.ui.widgets.job_status import brief

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
LONG_S = 60


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_job_in_few_words_has_its_share_and_what_is_left() -> None:
    job = Job("Build a", "build", unit="chunks")
    assert brief(job) == "waiting"
    job.state = "running"
    assert brief(job) == "starting"
    job.tick(380, 1000)
    assert brief(job) == "38 %"


def test_a_page_that_did_not_start_a_job_says_that_it_runs() -> None:
    gate = threading.Event()

    def work(job: Job) -> None:
        job.tick(1, 4)
        gate.wait(LONG_S)

    job = jobs().start("Build *a*", "build", work)
    light = jobs().start("Cut a page", "cut", lambda job: gate.wait(LONG_S), heavy=False)
    try:
        app = AppTest.from_file(str(APP), default_timeout=LONG_S).run()
        (said,) = app.sidebar.caption
        assert "Build \\*a\\*" in said.value
        assert "Cut a page" not in said.value
    finally:
        gate.set()
    while job.active or light.active:
        gate.wait(0.01)
    assert not AppTest.from_file(str(APP), default_timeout=LONG_S).run().sidebar.caption
