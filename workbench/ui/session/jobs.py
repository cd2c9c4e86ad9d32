"""Long work outside the page's script: it goes on when the page is left, and can be watched and stopped from any.

``JobManager`` knows no Streamlit. A page calls ``jobs().start(…)`` and draws ``job_panel(…)``; the function that
does the work gets the ``Job``, calls ``job.tick(done, total, note)`` often, and returns its result. Nothing in that
function may call Streamlit: it runs in a thread without a page.
"""

from __future__ import annotations

import datetime
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal

import streamlit as st

from workbench.errors import BusyError, Cancelled, WorkbenchError
from workbench.redaction import failure_text
from workbench.ui.widgets.messages import BUG_SENTENCE

logger = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ACTIVE: tuple[State, ...] = ("waiting", "running")
HISTORY = 50
HEAVY_AT_ONCE = 2
WINDOW_S = 30.0
WINDOW_SAMPLES = 8
MOST_SAMPLES = 400
SOONEST_ESTIMATE_S = 2.0


class Job:
    """One piece of work: how far it is, and what came of it. Made by ``JobManager.start``."""

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        unit: str = "",
        key: str | None = None,
        heavy: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.name = name
        self.kind = kind
        self.key = key
        self.unit = unit
        """What is counted, in the plural: ``chunks``, ``files``. ``%`` says the share alone, whatever the total."""
        self.heavy = heavy
        self.state: State = "waiting"
        self.done = 0
        self.total = 0
        self.note = ""
        self.summary = ""
        """The line shown when the job is done; the work may set it, otherwise a returned string is taken."""
        self.trouble = False
        """Whether the work was done but part of it failed; the work sets it, and the summary says what."""
        self.result: Any = None
        self.error = ""
        """A sentence for the user when the job failed."""
        self.asked_at_utc = datetime.datetime.now(datetime.UTC)
        self.started_at_utc: datetime.datetime | None = None
        self.ended_at_utc: datetime.datetime | None = None
        self._clock = clock
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._samples: deque[tuple[float, int]] = deque()
        self._on_cancel: Callable[[Job], None] = lambda job: None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1; 0 while the total is not known."""
        if self.state == "done":
            return 1.0
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 0.0

    @property
    def seconds_taken(self) -> float | None:
        """Wall time from start to end, or up to now; None before the start."""
        if self.started_at_utc is None:
            return None
        end = self.ended_at_utc or datetime.datetime.now(datetime.UTC)
        return (end - self.started_at_utc).total_seconds()

    @property
    def rate(self) -> float | None:
        """Units a second over the last half minute, or the last few ticks where they are rarer; None until known."""
        with self._lock:
            samples = list(self._samples)
        if self.state != "running" or not samples:
            return None
        # Up to now, not up to the last tick: a job that hangs gets slower on screen, too.
        span = self._clock() - samples[0][0]
        counted = samples[-1][1] - samples[0][1]
        return counted / span if span >= SOONEST_ESTIMATE_S and counted > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """The rest at the present rate; None until a rate and a total are known."""
        rate = self.rate
        return (self.total - self.done) / rate if rate and self.total >= self.done else None

    def tick(self, done: int, total: int, note: str = "", paced: bool = True) -> None:
        """Report progress; raises ``Cancelled`` when the user asked to stop.

        Where it is not ``paced``, the time taken so far says nothing of what is left, and none is told.
        """
        if self._stop.is_set():
            raise Cancelled(f"{self.name} was stopped")
        now = self._clock()
        with self._lock:
            if total != self.total or done < self.done or not paced:
                self._samples.clear()
            self.done, self.total, self.note = done, total, note
            if not paced:
                return
            self._samples.append((now, done))
            while len(self._samples) > WINDOW_SAMPLES and now - self._samples[0][0] > WINDOW_S:
                self._samples.popleft()
            if len(self._samples) > MOST_SAMPLES:
                # A tick for every chunk of a large build: the first and the last decide the rate, half will do.
                self._samples = deque([*list(self._samples)[:-1:2], (now, done)])

    def cancel(self) -> None:
        """Ask the job to stop; it does at its next tick, or at once when it is still waiting."""
        self._stop.set()
        self._on_cancel(self)

    def cancel_asked(self) -> bool:
        """Return whether somebody asked to stop, for work that looks instead of ticking."""
        return self._stop.is_set()


class JobManager:
    """The jobs of this process: a bounded number of heavy ones at once, the rest waits in order."""

    def __init__(self, heavy_at_once: int = HEAVY_AT_ONCE, history: int = HISTORY) -> None:
        self._heavy_at_once = heavy_at_once
        self._history = history
        self._jobs: list[Job] = []
        self._waiting: deque[tuple[Job, Callable[[], Any]]] = deque()
        self._heavy_running = 0
        self._stopping = False
        self._lock = threading.RLock()

    def start(
        self,
        name: str,
        kind: str,
        function: Callable[..., Any],
        *args: Any,
        unit: str = "",
        key: str | None = None,
        heavy: bool = True,
        **kwargs: Any,
    ) -> Job:
        """Return a job that calls ``function(job, *args, **kwargs)`` in a thread of its own.

        ``kind`` groups jobs for panels. ``key`` names the work: while a job with the same key waits or runs, another
        raises ``BusyError``. A heavy job waits while too many others run.
        """
        job = Job(name, kind, unit=unit, key=key, heavy=heavy)
        job._on_cancel = self._cancelled
        with self._lock:
            if self._stopping:
                raise BusyError("the workbench is being stopped: nothing more is begun")
            if key is not None and (twin := self.active_with(key)) is not None:
                raise BusyError(f"this is already under way: {twin.name}")
            self._jobs.append(job)
            self._forget_oldest()
            self._waiting.append((job, lambda: function(job, *args, **kwargs)))
            self._start_waiting()
        return job

    def listing(self, kinds: Iterable[str] | None = None) -> list[Job]:
        """Return the jobs of these kinds (all when None), newest first."""
        wanted = None if kinds is None else set(kinds)
        with self._lock:
            return [job for job in reversed(self._jobs) if wanted is None or job.kind in wanted]

    def active(self, kinds: Iterable[str] | None = None) -> list[Job]:
        """Return the jobs that wait or run, newest first."""
        return [job for job in self.listing(kinds) if job.active]

    def active_with(self, key: str) -> Job | None:
        """Return the job with this key that waits or runs."""
        return next((job for job in self.active() if job.key == key), None)

    def job(self, job_id: str) -> Job | None:
        """Return a job by its id, or None when it was forgotten."""
        return next((job for job in self.listing() if job.id == job_id), None)

    def dismiss(self, job: Job) -> None:
        """Take a finished job off the list."""
        with self._lock:
            self._jobs = [other for other in self._jobs if other is not job or job.active]

    def stop(self, wait_s: float) -> list[Job]:
        """Ask every job to stop, begin no other, and return those that have not ended within so many seconds."""
        with self._lock:
            self._stopping = True
        for job in self.active():
            job.cancel()
        give_up_at = time.monotonic() + wait_s
        for thread in threading.enumerate():
            if thread.name in {_thread_name(job) for job in self.active()}:
                thread.join(max(0.0, give_up_at - time.monotonic()))
        return self.active()

    def _start_waiting(self) -> None:
        later: deque[tuple[Job, Callable[[], Any]]] = deque()
        while self._waiting:
            job, work = self._waiting.popleft()
            if job.heavy and self._heavy_running >= self._heavy_at_once:
                later.append((job, work))
                continue
            self._heavy_running += job.heavy
            job.state = "running"
            job.started_at_utc = datetime.datetime.now(datetime.UTC)
            threading.Thread(target=self._run, args=(job, work), name=_thread_name(job), daemon=True).start()
        self._waiting = later

    def _run(self, job: Job, work: Callable[[], Any]) -> None:
        state: State = "failed"
        job.error = BUG_SENTENCE
        try:
            job.tick(0, job.total)
            job.result = work()
            if isinstance(job.result, str):
                job.summary = job.summary or job.result
            state, job.error = "done", ""
        except Cancelled:
            state, job.error = "cancelled", ""
        except WorkbenchError as error:
            job.error = str(error)
        except Exception:  # noqa: BLE001, the log says where
            logger.error("the job %r failed\n%s", job.name, failure_text())
        finally:
            with self._lock:
                self._end(job, state)
                self._heavy_running -= job.heavy
                self._start_waiting()

    def _cancelled(self, job: Job) -> None:
        with self._lock:
            before = len(self._waiting)
            self._waiting = deque(entry for entry in self._waiting if entry[0] is not job)
            if len(self._waiting) < before:
                self._end(job, "cancelled")

    def _end(self, job: Job, state: State) -> None:
        job.ended_at_utc = datetime.datetime.now(datetime.UTC)
        job.state = state

    def _forget_oldest(self) -> None:
        finished = [job for job in self._jobs if not job.active]
        forgotten = set(map(id, finished[: max(0, len(self._jobs) - self._history)]))
        self._jobs = [job for job in self._jobs if id(job) not in forgotten]


def _thread_name(job: Job) -> str:
    return f"job-{job.id}"


@st.cache_resource(show_spinner=False)
def jobs() -> JobManager:
    """Return the jobs of this process, the same for every session."""
    return JobManager()
