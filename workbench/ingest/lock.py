"""One sync per pipeline: a lock that the system releases when its process dies, however it dies."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import BusyError
from workbench.files import NO_ROOM_OR_RIGHT, writing

PAUSE_S = 0.1


@contextmanager
def pipeline_lock(path: Path, pipeline: str, wait_s: float, to_read: bool = False) -> Iterator[None]:
    """Hold the file at ``path`` locked, against threads and processes alike.

    Where nothing can be written, whoever only comes ``to_read`` needs no file of their own.
    Raises ``BusyError``, naming the process that holds it, when it is not free within ``wait_s`` seconds.
    """
    import fcntl

    handle = _opened(path, to_read)
    if handle is None:
        yield
        return
    give_up_at = time.monotonic() + wait_s
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
            if time.monotonic() >= give_up_at:
                holder = os.pread(handle, 100, 0).decode("ascii", "replace").strip()
                raise BusyError(
                    f"another sync of {pipeline} is running ({holder or 'just begun'}): wait for it, or cancel it"
                )
            time.sleep(PAUSE_S)
        with suppress(OSError):  # a full disk: only the name of who holds it is missing
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()}".encode(), 0)
        try:
            yield
        finally:
            # Unlocked by name: a forked child that inherited the handle would keep the lock after close.
            fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)


def _opened(path: Path, to_read: bool) -> int | None:
    """Return the open lock file; None where there is none and nobody can make one: then nobody writes here."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if to_read and error.errno in NO_ROOM_OR_RIGHT:
            try:
                return os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                return None
        with writing(path.parent):
            raise
