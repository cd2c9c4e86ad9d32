"""Files written whole or not at all, and names that are safe to show and to keep."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from workbench.errors import BusyError, ServiceError

LONGEST_NAME_CHARACTERS = 180
NO_ROOM_OR_RIGHT = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG}
)
"""What the system says where nothing can be written."""
_MAY_BE_FULL = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_ROOM_BYTES = 64 * 2**10
"""SQLite needs about so much beside a file; without it, it says that the disk cannot be read."""


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn the disk's refusals into ``ServiceError`` sentences that name ``place``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ServiceError(
                f"the disk that holds {place} is full: free some space and try again"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ServiceError(
                f"{place} cannot be written: give this user the right to write there"
            ) from error
        raise ServiceError(f"{place} cannot be used: {error.strerror or error}") from error


def database_error(file: Path, error: sqlite3.Error, loss: str = "") -> ServiceError:
    """Return SQLite's refusal as a sentence that names ``file`` and what to do; ``loss`` says what losing it costs."""
    # The low byte is the family: each has many finer codes.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyError(f"another process has been writing to {file} for long: try again")
    if code == sqlite3.SQLITE_FULL or (code in _MAY_BE_FULL and is_full(file.parent)):
        return ServiceError(f"the disk that holds {file} is full: free some space and try again")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return ServiceError(f"{file} cannot be written: give this user the right to write there")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return ServiceError(f"{file} is damaged: move it away and try again" + (f"; {loss}" if loss else ""))
    return ServiceError(f"{file} cannot be used ({error}): check the free space and the disk")


def is_full(folder: Path) -> bool:
    """Return whether the disk that holds a folder has next to no room."""
    try:
        return shutil.disk_usage(folder).free < _ROOM_BYTES
    except OSError:
        return False


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` so that a reader sees the old file or the new one, never a part.

    Raises ``OSError``; wrap in ``writing`` where a user may see it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def touch(path: Path) -> None:
    """Note that a file was used now; where that cannot be written, it only goes earlier than others."""
    with suppress(OSError):
        os.utime(path)


def shown_name(name: str) -> str:
    r"""Return a file name without folders, control characters and direction overrides, bounded in length.

    >>> shown_name("../../etc/pass\x00wd.pdf")
    'passwd.pdf'
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    # Cc holds control characters, Cf the invisible ones that turn the direction of text around.
    clean = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    if clean in ("", ".", ".."):
        return "unnamed"
    if len(clean) <= LONGEST_NAME_CHARACTERS:
        return clean
    suffix = PurePosixPath(clean).suffix[:12]
    return clean[: LONGEST_NAME_CHARACTERS - len(suffix) - 1] + "…" + suffix
