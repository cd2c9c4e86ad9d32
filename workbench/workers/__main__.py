"""The worker's side: run tasks from standard input until it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import resource
import sys
from importlib import import_module
from pathlib import Path

from workbench.workers.frames import answer, packed_error, read_frame, too_much_memory, write_frame


def serve(lifeline: int) -> None:
    """Run tasks from standard input until it ends."""
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # Libraries print to standard output; from here on that is standard error, and our pipes are elsewhere.
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    first = read_frame(tasks)
    if first is None:
        return
    path, preload = pickle.loads(first)  # noqa: S301
    sys.path[:] = path
    write_frame(answers, answer(_preloaded, (preload,)))
    while (frame := read_frame(tasks)) is not None:
        write_frame(answers, _limited_answer(frame))


def _preloaded(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)


def _limited_answer(frame: bytes) -> bytes:
    try:
        function, args, timeout_s, memory_bytes = pickle.loads(frame)  # noqa: S301
    except Exception as error:  # noqa: BLE001  (an import that fails is told to the caller like any other bug)
        return packed_error(error)
    del frame
    # Should the parent be killed, the time limit still holds. The reserve is for imports of a first task.
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + timeout_s) + 30)
    _set_limit(resource.RLIMIT_AS, _address_space_bytes() + memory_bytes)
    try:
        return answer(function, args)
    except MemoryError:
        return packed_error(too_much_memory(memory_bytes))
    finally:
        _set_limit(resource.RLIMIT_AS, None)


def _address_space_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 2**30


def _set_limit(kind: int, value: int | None) -> None:
    hard = resource.getrlimit(kind)[1]
    soft = hard if value is None else value if hard == resource.RLIM_INFINITY else min(value, hard)
    # Some systems refuse limits that are below what is in use already; the parent watches as well.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
