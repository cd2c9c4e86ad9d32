"""The pool: tasks in, results out, a fresh worker for every one that was lost."""

from __future__ import annotations

import atexit
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from workbench.errors import Cancelled, InputError, ServiceError, WorkbenchError
from workbench.workers.frames import answers, opened, request
from workbench.workers.process import WATCH_S, Worker

TIMEOUT_S = 60.0
MEMORY_BYTES = 1536 * 2**20
KEPT_BYTES = 512 * 2**20
"""A worker that still holds more than this when its task is done is replaced: its memory goes back."""


def never() -> bool:
    """Say that nobody asked to stop."""
    return False


def core_count() -> int:
    """Return how many cores this process may use: a container may have fewer than its machine."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


class Workers:
    """Up to ``size`` worker processes, one for each core unless told, started when first needed.

    Any number of threads may call it.

    Functions must be importable by name (methods of plug-ins are), arguments and results must pickle.
    ``preload`` names modules that a worker imports when it starts, before its first task's time counts.
    """

    def __init__(self, size: int | None = None, preload: Iterable[str] = ()) -> None:
        self.size = size or core_count()
        self._preload = tuple(preload)
        self._closed = False
        self._lock = threading.Lock()
        self._alive: set[Worker] = set()
        # The worker used last is taken first: it is warm. None stands for one that is not started yet.
        self._free: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._free.put(None)
        atexit.register(self.close)

    def result(
        self,
        function: Callable[..., Any],
        *args: Any,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
        cancelled: Callable[[], bool] = never,
    ) -> Any:
        """Return ``function(*args)``, run in a worker; waits for a free one, and that time does not count.

        ``memory_bytes`` is what the task may take on top of an idle worker. Raises ``InputError`` with the status
        ``timed_out``, ``too_large`` or (the worker crashed) ``damaged``, ``Cancelled`` soon after ``cancelled()``
        is true, ``ServiceError`` when no worker can be started, and whatever ``function`` raises.
        """
        frame = request(function, args, timeout_s, memory_bytes)
        worker = self._taken(cancelled)
        fit = False
        try:
            if worker is None:
                worker = self._started()
            worker.send(frame)
            answer = worker.answer(timeout_s, memory_bytes, cancelled)
            fit = worker.memory_bytes() < worker.idle_bytes + KEPT_BYTES
        except InputError as error:
            if self._closed:
                raise ServiceError("stopped, because the program is ending") from error
            raise
        finally:
            if worker is not None and (not fit or self._closed):
                self._ended(worker)
                worker = None
            self._free.put(worker)
        return opened(answer)

    def results(
        self,
        function: Callable[..., Any],
        tasks: Iterable[tuple[Any, ...]],
        *,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, result or WorkbenchError)`` for each tuple of arguments, as they are done.

        ``tasks`` is read only as fast as workers are free. One bad task harms no other; a bug is raised.
        """
        todo = enumerate(tasks)
        running: dict[Future[Any], int] = {}
        given_up = threading.Event()

        def outcome(args: tuple[Any, ...]) -> Any:
            try:
                return self.result(
                    function,
                    *args,
                    timeout_s=timeout_s,
                    memory_bytes=memory_bytes,
                    cancelled=lambda: given_up.is_set() or cancelled(),
                )
            except WorkbenchError as error:
                return error

        with ThreadPoolExecutor(self.size, thread_name_prefix="workers") as threads:
            try:
                while True:
                    while len(running) < self.size and (task := next(todo, None)) is not None:
                        running[threads.submit(outcome, task[1])] = task[0]
                    if not running:
                        return
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield running.pop(future), future.result()
            finally:
                given_up.set()

    def together(
        self,
        function: Callable[..., Any],
        tasks: Sequence[tuple[Any, ...]],
        *,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
        cancelled: Callable[[], bool] = never,
    ) -> list[Any]:
        """Return a result or a ``WorkbenchError`` per tuple of arguments: small tasks travel in one piece.

        The limits hold for each of them. When all of them together do not keep to one, or crash the worker, each is
        done alone: one bad task harms no other. A bug is raised.
        """

        def done(some: Sequence[tuple[Any, ...]]) -> list[Any]:
            try:
                frames = self.result(
                    answers,
                    function,
                    some,
                    timeout_s=timeout_s,
                    memory_bytes=memory_bytes,
                    cancelled=cancelled,
                )
            except InputError as error:
                return [error] if len(some) == 1 else [done([task])[0] for task in some]
            return [_value_or_error(frame) for frame in frames]

        return done(tasks)

    def close(self) -> None:
        """End every worker, busy or not; the pool takes no more tasks."""
        with self._lock:
            self._closed = True
            for worker in self._alive:
                worker.stop()
        while True:
            try:
                idle = self._free.get_nowait()
            except queue.Empty:
                break
            if idle is not None:
                self._ended(idle)
        atexit.unregister(self.close)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _taken(self, cancelled: Callable[[], bool]) -> Worker | None:
        while True:
            if self._closed:
                raise ServiceError("the worker processes have been ended; start the program again")
            if cancelled():
                raise Cancelled("stopped before it began")
            try:
                worker = self._free.get(timeout=WATCH_S)
            except queue.Empty:
                continue
            if worker is not None and not worker.usable():
                self._ended(worker)
                return None
            return worker

    def _started(self) -> Worker:
        worker = Worker(self._preload)
        with self._lock:
            if self._closed:
                worker.kill()
                raise ServiceError("stopped, because the program is ending")
            self._alive.add(worker)
        return worker

    def _ended(self, worker: Worker) -> None:
        with self._lock:
            self._alive.discard(worker)
        worker.kill()


def _value_or_error(frame: bytes) -> Any:
    try:
        return opened(frame)
    except WorkbenchError as error:
        return error
