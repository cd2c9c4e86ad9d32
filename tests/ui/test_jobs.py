"""Jobs: progress, time left, cancel, failure, order and memory, without Streamlit."""

from __future__ import annotations

import logging
import threading

import pytest

from workbench.errors import BusyError, Cancelled, InputError
from workbench.ui.session.jobs import WINDOW_S, Job, JobManager
from workbench.ui.widgets.job_panel import progress_line, result_line
from workbench.ui.widgets.messages import BUG_SENTENCE

LONG_S = 20


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """Work that begins, tells so, and goes on when let."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def work(self, job: Job) -> str:
        """Wait for the gate, then look whether to stop."""
        self.begun.set()
        assert self.open.wait(LONG_S)
        job.tick(1, 1)
        return "through"


def ended(job: Job) -> Job:
    """Wait until a job has ended."""
    never = threading.Event()
    for _ in range(LONG_S * 100):
        if not job.active:
            return job
        never.wait(0.01)
    pytest.fail(f"{job.name} is still {job.state}")


def running_job(clock: Clock) -> Job:
    job = Job("read", "kind", unit="files", clock=clock)
    job.state = "running"
    return job


def test_a_job_keeps_its_result_and_its_sentence() -> None:
    job = ended(JobManager().start("add", "documents", lambda job, a, b=0: f"{a + b} added", 2, b=3))
    assert (job.state, job.result, job.summary, job.fraction) == ("done", "5 added", "5 added", 1.0)
    assert result_line(job).startswith("add: 5 added")
    assert job.ended_at_utc is not None


def test_an_error_of_the_workbench_is_told_as_it_is() -> None:
    def work(job: Job) -> None:
        raise InputError("a.pdf is empty")

    job = ended(JobManager().start("add", "documents", work))
    assert (job.state, result_line(job)) == ("failed", "add: a.pdf is empty")


def test_a_bug_is_told_calmly_and_its_traceback_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def work(job: Job) -> None:
        raise KeyError("secret detail")

    with caplog.at_level(logging.ERROR):
        job = ended(JobManager().start("add", "documents", work))
    assert (job.state, job.error) == ("failed", BUG_SENTENCE)
    assert "secret detail" in caplog.text


def test_a_cancelled_job_stops_at_its_next_tick() -> None:
    gate = Gate()
    job = JobManager().start("add", "documents", gate.work)
    assert gate.begun.wait(LONG_S)
    job.cancel()
    assert job.active
    gate.open.set()
    assert ended(job).state == "cancelled"
    assert job.error == ""


def test_work_may_look_instead_of_ticking() -> None:
    job = Job("add", "documents")
    assert not job.cancel_asked()
    job.cancel()
    assert job.cancel_asked()
    with pytest.raises(Cancelled):
        job.tick(0, 1)


def test_heavy_jobs_wait_their_turn_in_order_and_light_ones_do_not() -> None:
    manager = JobManager(heavy_at_once=1)
    gates = [Gate() for _ in range(3)]
    first, second, third = (manager.start(f"job {n}", "build", gate.work) for n, gate in enumerate(gates))
    light = ended(manager.start("light", "other", lambda job: 1, heavy=False))
    assert (light.state, first.state, second.state, third.state) == ("done", "running", "waiting", "waiting")
    assert progress_line(second) == "waiting for another job to end"
    gates[0].open.set()
    assert gates[1].begun.wait(LONG_S)
    assert (ended(first).state, third.state) == ("done", "waiting")
    for gate in gates[1:]:
        gate.open.set()
    assert {ended(second).state, ended(third).state} == {"done"}


def test_a_waiting_job_is_cancelled_at_once_and_never_runs() -> None:
    manager = JobManager(heavy_at_once=1)
    gate, never = Gate(), Gate()
    first, second = manager.start("a", "build", gate.work), manager.start("b", "build", never.work)
    second.cancel()
    assert second.state == "cancelled"
    gate.open.set()
    ended(first)
    assert not never.begun.is_set()


def test_the_same_work_is_not_started_twice_but_can_be_repeated() -> None:
    manager = JobManager()
    gate = Gate()
    first = manager.start("Build a", "build", gate.work, key="a")
    with pytest.raises(BusyError, match="Build a"):
        manager.start("Build a again", "build", gate.work, key="a")
    assert manager.active_with("a") is first
    gate.open.set()
    ended(first)
    assert ended(manager.start("Build a", "build", lambda job: None, key="a")).state == "done"


def test_listing_is_newest_first_by_kind_and_bounded() -> None:
    manager = JobManager(history=3)
    for n in range(5):
        ended(manager.start(f"j{n}", "even" if n % 2 == 0 else "odd", lambda job: None))
    assert [job.name for job in manager.listing()] == ["j4", "j3", "j2"]
    assert [job.name for job in manager.listing(["odd"])] == ["j3"]


def test_a_running_job_is_never_forgotten_or_dismissed() -> None:
    manager = JobManager(history=1)
    gate = Gate()
    running = manager.start("running", "build", gate.work)
    finished = ended(manager.start("finished", "build", lambda job: None))
    ended(manager.start("last", "build", lambda job: None))
    manager.dismiss(running)
    assert running in manager.listing()
    assert finished not in manager.listing()
    gate.open.set()
    ended(running)
    manager.dismiss(running)
    assert manager.job(running.id) is None


def test_no_time_is_told_where_the_pace_says_nothing_of_the_rest() -> None:
    clock = Clock()
    job = running_job(clock)
    job.tick(0, 100)
    for second in range(10):
        clock.now = float(second)
        job.tick(2 * second, 100, "finding", paced=False)
        assert job.seconds_left is None
    # A minute of preparing is neither told nor counted.
    clock.now = 70.0
    job.tick(20, 100, "preparing", paced=False)
    assert (job.seconds_left, progress_line(job)) == (None, "20 of 100 files · preparing")
    job.tick(20, 100, "placing")
    clock.now = 74.0
    job.tick(60, 100, "placing")
    assert job.seconds_left == pytest.approx(4)


def test_time_left_is_unknown_at_first_then_follows_the_rate() -> None:
    clock = Clock()
    job = running_job(clock)
    job.tick(0, 100)
    assert job.seconds_left is None
    for second in range(1, 11):
        clock.now = second
        job.tick(2 * second, 100, "a.pdf")
    assert job.seconds_left == pytest.approx(40)
    assert progress_line(job) == "20 of 100 files · about 40 s left · a.pdf"


def test_a_share_is_said_in_percent_and_never_rounded_up_to_all() -> None:
    job = running_job(Clock())
    job.unit = "%"
    job.tick(999, 1000, "last.pdf")
    assert progress_line(job) == "99 % · last.pdf"


def test_time_left_forgets_a_slow_start() -> None:
    clock = Clock()
    job = running_job(clock)
    for second in range(100):
        clock.now = second
        job.tick(second // 10 if second < 50 else 5 + (second - 50) * 10, 1000)
    assert job.rate == pytest.approx(10, rel=0.1)


def test_time_left_grows_when_the_work_hangs() -> None:
    clock = Clock()
    job = running_job(clock)
    for second in range(10):
        clock.now = second
        job.tick(second, 100)
    before = job.seconds_left
    clock.now += 3 * WINDOW_S
    after = job.seconds_left
    assert before is not None
    assert after is not None
    assert after > 5 * before


def test_a_new_total_starts_the_estimate_anew() -> None:
    clock = Clock()
    job = running_job(clock)
    job.tick(0, 10)
    clock.now = 5
    job.tick(10, 10)
    assert job.rate == pytest.approx(2)
    job.tick(0, 4000)
    assert job.seconds_left is None


def test_a_tick_for_every_chunk_of_a_large_build_takes_bounded_memory() -> None:
    clock = Clock()
    job = running_job(clock)
    for n in range(20_000):
        clock.now = n / 2000
        job.tick(n, 20_000)
    assert len(job._samples) <= 400
    assert job.rate == pytest.approx(2000, rel=0.01)


def test_progress_stays_between_nothing_and_all() -> None:
    job = running_job(Clock())
    assert job.fraction == 0
    job.tick(7, 5)
    assert (job.fraction, job.seconds_left) == (1.0, None)


def test_a_manager_that_is_stopped_ends_its_jobs_and_begins_no_other() -> None:
    manager, gate = JobManager(heavy_at_once=1), Gate()
    running = manager.start("one", "t", gate.work)
    waiting = manager.start("two", "t", gate.work)
    assert gate.begun.wait(LONG_S)
    assert manager.stop(0.0) == [running]
    assert waiting.state == "cancelled"
    gate.open.set()
    assert manager.stop(LONG_S) == []
    assert running.state == "cancelled"
    with pytest.raises(BusyError, match="being stopped"):
        manager.start("three", "t", gate.work)
