"""One committer per table: a lock that the system releases when its process dies, however it dies."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import BusyError

_PAUSE_S = 0.02


@contextmanager
def write_lock(path: Path, wait_s: float, table: str) -> Iterator[None]:
    """Hold the file at ``path`` locked, against threads and processes alike.

    Raises ``BusyError`` when another writer holds it for ``wait_s`` seconds.
    """
    import fcntl

    give_up_at = time.monotonic() + wait_s
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, handle):
                break
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                os.close(handle)
                raise
        # Closed before the next try: a table that was dropped took its lock file with it.
        os.close(handle)
        if time.monotonic() >= give_up_at:
            raise BusyError(
                f"the table {table} is being written by somebody else since {wait_s:g} seconds: "
                "try again when that build has ended"
            )
        time.sleep(_PAUSE_S)
    try:
        yield
    finally:
        # Unlocked by name: a forked child that inherited the handle would keep the lock after close.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
