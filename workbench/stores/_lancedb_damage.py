"""Whether the files of a Lance table are those that were written: looked at from outside, no row is read."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_MAGIC = b"LANC"
"""Every data file and every file of an index ends with it."""
_SIGNS = (
    "invalid magic",
    "magic number",
    "corrupt",
    "size is too small",
    "sufficient data",
    "is a directory",
    "fill whole buffer",
    "range was invalid",
    "out of range",
    "out of bounds",
    "panicked",
    "invalid format",
    "invalid user input",
    "not found",
    "no such file",
    "failed to decode",
    "decoding",
    "protobuf",
    "unexpected end",
    "unexpected eof",
    "invalid range",
    "lanceerror(arrow)",
)
"""What LanceDB says of files that are missing or hold something else."""
_PANIC = re.compile(rb"^thread '.*' .*panicked at ", re.MULTILINE)

_log = logging.getLogger(__name__)
_diverting = threading.Lock()


def is_damage(error: BaseException) -> bool:
    """Return whether a foreign error says that files of a table are missing or hold something else."""
    kind = type(error).__name__
    if kind in ("RustPanic", "PanicException", "UnicodeDecodeError", "JSONDecodeError", "ArrowInvalid"):
        return True
    said = str(error).lower()
    if isinstance(error, ValueError):
        # Others are more likely a bug of ours.
        return said.startswith(
            ("invalid input, file does not", "invalid input, invalid format", "invalid user input")
        )
    return any(sign in said for sign in _SIGNS)


def find_damage(opened: Any, folder: Path) -> str:
    """Return the first file of the newest version that is missing, cut off or another one, in words; "" for none."""
    if opened.version < _noted_version(folder):
        return "its newest version is missing"
    dataset = opened.to_lance()
    for fragment in dataset.get_fragments():
        for file in fragment.data_files():
            if trouble := _trouble(folder / "data" / file.path, file.file_size_bytes):
                return f"data/{file.path} {trouble}"
        deletions = fragment.metadata.deletion_file
        if deletions is not None and not any((folder / "_deletions").glob(f"{fragment.fragment_id}-*")):
            return f"the file of what was deleted from part {fragment.fragment_id} is missing"
    for index in dataset.list_indices():
        of_index = folder / "_indices" / str(index["uuid"])
        files = sorted(path for path in of_index.glob("*") if path.is_file())
        if not files:
            return f"the index {index['name']} is missing"
        for path in files:
            if path.suffix in (".lance", ".idx") and (trouble := _trouble(path, None)):
                return f"{path.name} of the index {index['name']} {trouble}"
    return ""


def _noted_version(folder: Path) -> int:
    """Return the number of the newest version as LanceDB noted it when it wrote that, 0 where it noted none."""
    try:
        return int(json.loads((folder / "_versions" / "latest_version_hint.json").read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _trouble(path: Path, size_bytes: int | None) -> str:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - len(_MAGIC)))
            ending = file.read()
    except (FileNotFoundError, IsADirectoryError):
        return "is missing"
    if size_bytes and size != size_bytes:
        return f"has {size:,} bytes instead of {size_bytes:,}"
    return "" if ending == _MAGIC else "is no file of a table any more"


@contextmanager
def panics_held_back() -> Iterator[None]:
    """Keep the report of a Rust panic from stderr: it names files of the machine that LanceDB was built on.

    The panic itself arrives as an exception. What others write to stderr meanwhile is passed on.
    """
    if not _diverting.acquire(blocking=False):
        yield  # another thread does so already
        return
    try:
        stderr, diverted = os.dup(2), os.memfd_create("stderr")
    except OSError:
        _diverting.release()
        yield
        return
    os.dup2(diverted, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        size = os.fstat(diverted).st_size
        said = os.pread(diverted, size, 0) if size else b""
        if _PANIC.search(said):
            _log.debug("LanceDB panicked: %s", said.decode("utf-8", "replace"))
        elif said:
            os.write(stderr, said)
        os.close(diverted)
        os.close(stderr)
        _diverting.release()
