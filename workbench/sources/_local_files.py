"""Files below one folder, opened so that no link and no ``..`` leads out of it."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path

from workbench.errors import InputError, ServiceError, SettingsError
from workbench.http import megabytes

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG})
_TRIES = 3
_SETTLED_NS = 2 * 10**9
"""A clock of a file system may stand for so long (FAT writes every other second): a second change may bear one time."""

Stamp = tuple[int, int, int]
"""Times of the last write and of the last change of any kind, in nanoseconds, and size in bytes."""


def place_of(folder: Path, path: str) -> Path:
    """Return where a path in a config of ``folder`` leads; raises ``SettingsError`` for what cannot be a path."""
    try:
        return (folder / path).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingsError(f"path ({path!r:.100}) can be the name of no file or folder") from error


def stamp(found: os.stat_result) -> Stamp:
    """Return what changes when a file is written; whoever gives it an old time back changes the second time."""
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size


def version(found: os.stat_result, looked_at_ns: int) -> str:
    """Return the version of a file, "" while it was written so lately that a second change could bear the same time.

    ``looked_at_ns``: a moment before ``found`` was asked for.
    """
    if abs(looked_at_ns - found.st_mtime_ns) < _SETTLED_NS:
        return ""
    return "-".join(map(str, stamp(found)))


def read_below(root: Path, relative: str, limit_bytes: int) -> tuple[bytes, str]:
    """Return a file's bytes and the version they are of, "" as ``version`` does.

    Every folder on the way is opened without following links, so a folder that becomes a link after it was listed
    leads nowhere. Raises ``InputError`` (gone, forbidden, refused, too_large), or ``ServiceError`` for a file that is
    written all the time.
    """
    for _ in range(_TRIES):
        with os.fdopen(_opened(root, relative), "rb") as file:
            now_ns = time.time_ns()
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise InputError(f"{relative} is not a file any more", "gone")
            data = file.read(limit_bytes + 1)
            if len(data) > limit_bytes:
                raise InputError(f"{relative} is larger than {megabytes(limit_bytes)}", "too_large")
            if stamp(os.fstat(file.fileno())) == stamp(before) and len(data) == before.st_size:
                return data, version(before, now_ns)
    raise ServiceError(f"{relative} is being written while it is read; try again later")


def _opened(root: Path, relative: str) -> int:
    *folders, name = relative.split("/")
    if any(part in ("", ".", "..") for part in (*folders, name)) or "\x00" in relative:
        raise InputError(f"{relative!r:.200} leads out of the folder", "refused")
    try:
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        # A disk that is not mounted says nothing of the files on it.
        raise ServiceError(f"the folder of {relative} cannot be opened: {error.strerror}") from error
    try:
        try:
            for folder in folders:
                inner = os.open(folder, _FOLDER, dir_fd=here)
                os.close(here)
                here = inner
            # A named pipe without a writer would be waited for; with O_NONBLOCK it is not.
            return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
        finally:
            os.close(here)
    except PermissionError as error:
        raise InputError(f"{relative} may not be read", "forbidden") from error
    except OSError as error:
        if error.errno in _GONE:
            raise InputError(f"{relative} is not there any more: {error.strerror}", "gone") from error
        raise ServiceError(f"{relative} cannot be opened: {error.strerror}") from error
