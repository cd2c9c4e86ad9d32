"""Large arrays on disk, up to a bound: those used longest ago go first."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import ServiceError

Rows = np.ndarray[Any, np.dtype[np.float16]]

BROKEN = (OSError, ValueError, EOFError)


class KeptArrays:
    """``(n, dim) float16`` arrays by key, one file each. Safe for several threads and processes at once."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder = folder
        self._size_bytes = size_bytes
        self._lock = threading.Lock()
        self._writing: dict[str, threading.Lock] = {}

    def __contains__(self, key: str) -> bool:
        return self._file(key).is_file()

    def array(self, key: str, shape: tuple[int, int], blocks: Iterable[np.ndarray[Any, Any]]) -> Rows:
        """Return the array under ``key``, read piece by piece as it is used; ``blocks`` of rows make it when absent.

        Two threads that ask for one key make it once. Whatever stops ``blocks``, nothing half written is seen.
        """
        with self._alone(key):
            found = self._read(key, shape)
            if found is None:
                self._write(key, shape, blocks)
                found = self._read(key, shape)
        if found is None:
            raise ServiceError(f"{self._file(key)} cannot be read back; is the disk damaged or full?")
        return found

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.npy"

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        with self._lock:
            lock = self._writing.setdefault(key, threading.Lock())
        with lock:
            yield

    def _read(self, key: str, shape: tuple[int, int]) -> Rows | None:
        file = self._file(key)
        try:
            found: Rows = np.load(file, mmap_mode="r", allow_pickle=False)
            # Its time says when it was used.
            os.utime(file)
        except BROKEN:
            return None
        return found if found.shape == shape and found.dtype == np.float16 else None

    def _write(self, key: str, shape: tuple[int, int], blocks: Iterable[np.ndarray[Any, Any]]) -> None:
        partial = self._folder / f"{key}.{uuid.uuid4().hex}.partial"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Written in order, not mapped: a full disk is then an error and not the end of the process.
            with partial.open("wb") as file:
                header = {"descr": "<f2", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for block in blocks:
                    file.write(np.ascontiguousarray(block, "<f2").tobytes())
            partial.replace(self._file(key))
        except OSError as error:
            raise ServiceError(
                f"{shape[0]:,} vectors of tokens cannot be kept in {self._folder}: {error.strerror or error}; free "
                "some space, or take an embedder that keeps none"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        self._prune(keep=self._file(key))

    def _prune(self, keep: Path) -> None:
        files = []
        for file in self._folder.glob("*.npy"):
            with contextlib.suppress(OSError):
                stat = file.stat()
                files.append((stat.st_mtime_ns, stat.st_size, file))
        total = sum(size for _, size, _ in files)
        for _, size, file in sorted(files):
            if total <= self._size_bytes:
                return
            if file != keep:
                # Whoever reads it just now keeps what is open.
                with contextlib.suppress(OSError):
                    file.unlink()
                total -= size
