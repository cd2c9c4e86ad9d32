"""Memory that LanceDB's threads freed, given back to the system: else the largest job stays resident in every one."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``mallopt``."""
_SMALL_BYTES = 128 * 2**10
_LARGE_BYTES = 32 * 2**20


@contextmanager
def buffers_given_back() -> Iterator[None]:
    """Let every large buffer go back to the system the moment it is freed, and at the end what was freed before.

    Each of LanceDB's threads keeps freed buffers for itself: joining the files of 100,000 rows and indexing them took
    about 200 MB at most, and takes 75 MB this way. Only while such a job lasts, because other programs' arrays would be
    slower. Where the C library is another than glibc nothing is done.
    """
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or not hasattr(libc, "malloc_trim"):
        yield
        return
    libc.malloc_trim(0)
    libc.mallopt(_MMAP_THRESHOLD, _SMALL_BYTES)
    libc.mallopt(_TRIM_THRESHOLD, _SMALL_BYTES)
    try:
        yield
    finally:
        # Where glibc would get by itself in time; it adapts no longer once a threshold was set.
        libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, 2 * _LARGE_BYTES)
        libc.malloc_trim(0)
