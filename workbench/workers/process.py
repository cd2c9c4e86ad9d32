"""The parent's side of one worker process."""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workbench.errors import Cancelled, InputError, ServiceError
from workbench.workers.frames import opened, packed_error, read_frame, too_much_memory, write_frame

WATCH_S = 0.05


class Worker:
    """The parent's side of one worker process; used by one thread at a time."""

    def __init__(self, preload: tuple[str, ...]) -> None:
        # Nobody writes to the lifeline: when this process ends, in whatever way, the kernel closes it, and the
        # worker gets a signal even inside C code that never returns. (PR_SET_PDEATHSIG would fire as soon as
        # the thread that starts the worker ends, which in Streamlit is after every rerun.)
        lifeline, self._lifeline = os.pipe()
        # The folder that holds the package, not the package: its own "http" would hide that of Python.
        root = str(Path(__file__).resolve().parents[2])
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        try:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [sys.executable, "-m", "workbench.workers", str(lifeline)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[lifeline],
                env=environment,
                start_new_session=True,  # Ctrl-C in the terminal is for the parent, which then decides
            )
        except OSError as error:
            os.close(self._lifeline)
            raise ServiceError(f"a worker process could not be started: {error.strerror}") from error
        finally:
            os.close(lifeline)
        if self._process.stdin is None or self._process.stdout is None:
            raise ServiceError("a worker process was started without pipes")
        self._to, self._from = self._process.stdin, self._process.stdout
        try:
            self.send(pickle.dumps((sys.path, preload)))
            opened(read_frame(self._from) or packed_error(EOFError("it ended while it was starting")))
        except Exception as error:
            self.kill()
            raise ServiceError(f"a worker process did not start: {error}") from error
        self.idle_bytes = self.memory_bytes()

    def send(self, frame: bytes) -> None:
        # A worker that dies while it is being told its task is noticed when its answer is awaited.
        with contextlib.suppress(BrokenPipeError):
            write_frame(self._to, frame)

    def answer(self, timeout_s: float, memory_bytes: int, cancelled: Callable[[], bool]) -> bytes:
        """Return the frame the worker sends; the caller kills a worker that has not answered."""
        deadline = time.monotonic() + timeout_s
        poll = select.poll()
        poll.register(self._from, select.POLLIN | select.POLLHUP)
        while not poll.poll(max(0.0, min(WATCH_S, deadline - time.monotonic())) * 1000):
            if cancelled():
                raise Cancelled("stopped as asked")
            if time.monotonic() >= deadline:
                raise InputError(
                    f"not done after {timeout_s:.3g} s, so it was stopped: the file is too large or built to keep a "
                    "reader busy; split it, or save it anew with another program",
                    "timed_out",
                )
            # The second net: where the limit inside the worker is not kept, what it really takes counts.
            if self.memory_bytes() > self.idle_bytes + memory_bytes:
                raise too_much_memory(memory_bytes)
        frame = read_frame(self._from)
        if frame is None:
            code = self._process.wait()
            if code == -signal.SIGKILL:
                raise too_much_memory(memory_bytes)
            if code == -signal.SIGXCPU:
                raise InputError(f"stopped after {timeout_s:.3g} s of computing; split the file", "timed_out")
            raise InputError(
                "reading it made the reader crash: the file is damaged; save it anew with another program",
                "damaged",
            )
        return frame

    def usable(self) -> bool:
        return self._process.poll() is None

    def memory_bytes(self) -> int:
        """Return the memory the process has in use now; 0 where the system does not say."""
        try:
            fields = Path(f"/proc/{self._process.pid}/statm").read_text().split()
            return int(fields[1]) * resource.getpagesize()
        except (OSError, IndexError, ValueError):
            return 0

    def stop(self) -> None:
        """End the process; whoever awaits its answer sees that, and cleans up."""
        self._process.kill()

    def kill(self) -> None:
        """End the process and close everything that belongs to it."""
        self._process.kill()
        self._process.wait()
        # What is buffered for a dead worker cannot be flushed, and need not be.
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):
                pipe.close()
        with contextlib.suppress(OSError):
            os.close(self._lifeline)
        self._lifeline = -1
