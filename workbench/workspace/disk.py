"""What a workspace takes on the disk, and bounds for everything in it that can be made again.

What a user made (originals, tables, configs, questions) is counted and never touched. The rest has a bound for each
kind: what was used longest ago goes first, and never what was used within the last hour or what is the only parse
of a document that is here. A file without a document goes whatever its size.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.errors import WorkbenchError
from workbench.files import writing

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

MEBIBYTE = 2**20
IN_USE_S = 3600.0
"""Whatever was written or read within this time stays: somebody may be about to open it."""
HALF_WRITTEN_S = 3600.0
"""A file that is still half written after this time was left by a process that was killed."""
PAUSE_S = 600.0
"""Between two prunings of one workspace, whichever process does them."""

LIMITS_BYTES = {
    "parsed": 2048 * MEBIBYTE,
    "images": 1024 * MEBIBYTE,
    "memo": 1024 * MEBIBYTE,
    "vectors": 8192 * MEBIBYTE,
    "evaluations": 256 * MEBIBYTE,
    "maps": 1024 * MEBIBYTE,
    "models": 4096 * MEBIBYTE,
}
"""By the folder's name: what it may take before the parts that were used longest ago go."""
_FOLDERS_ARE_PARTS = frozenset({"maps", "models"})
_Column = Literal["stored_hash", "content_hash"]
_BY_CONTENT: dict[str, _Column] = {
    "originals": "stored_hash",
    "names": "stored_hash",
    "images": "stored_hash",
    "parsed": "content_hash",
}
"""The folders whose files begin with the hash of a content, and whose it is."""
_DROPPED = ".dropped"
HASH_CHARACTERS = 32

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What one kind of things takes; ``limit_bytes`` is None for what is never pruned."""

    kind: str
    size_bytes: int
    file_count: int
    limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A file or a folder that goes as a whole."""

    path: Path
    size_bytes: int
    used_at: float


class Disk:
    """The disk as one workspace uses it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder
        self._begun = threading.Lock()

    def use(self) -> list[DiskUse]:
        """Return what each kind takes, the largest first; the list of documents is the kind ``documents``."""
        found = []
        with writing(self._folder):
            database = [path.stat() for path in self._folder.glob("workspace.db*")]
            found.append(DiskUse("documents", sum(s.st_size for s in database), len(database), None))
            for folder in sorted(path for path in self._folder.iterdir() if path.is_dir()):
                sizes = [stat.st_size for _, stat in _files(folder)]
                found.append(DiskUse(folder.name, sum(sizes), len(sizes), LIMITS_BYTES.get(folder.name)))
        return sorted(found, key=lambda use: (-use.size_bytes, use.kind))

    def prune(self) -> dict[str, int]:
        """Bring every kind under its bound; return the bytes that went, by kind. Safe beside other processes.

        Nothing happens while another process prunes, or when one did within the last minutes.
        """
        gone: dict[str, int] = {}
        with writing(self._folder), self._turn() as mine:
            if mine:
                self._workspace.document_list.complete_names()
                for kind in _BY_CONTENT:
                    gone[kind] = self._drop_orphans(kind)
                for kind, limit in LIMITS_BYTES.items():
                    if kind != "vectors":
                        gone[kind] = gone.get(kind, 0) + self._drop_oldest(kind, limit)
                if (self._folder / "vectors").is_dir():
                    gone["vectors"] = self._workspace.vector_cache.prune(LIMITS_BYTES["vectors"])
        return gone

    def prune_in_background(self) -> None:
        """Prune in a thread of its own; trouble is logged, nobody waits for it."""
        if not self._begun.acquire(blocking=False):
            return

        def run() -> None:
            try:
                self.prune()
            except WorkbenchError as error:
                _log.warning("the workspace could not be pruned: %s", error)
            finally:
                self._begun.release()

        threading.Thread(target=run, name="prune", daemon=True).start()

    def drop_content(self, stored_hash: str, content_hash: str) -> None:
        """Remove original, page images and texts of a content that no document has any more."""
        contents = {"stored_hash": stored_hash, "content_hash": content_hash}
        with writing(self._folder):
            for kind, column in _BY_CONTENT.items():
                for path in (self._folder / kind).glob(f"{contents[column]}*"):
                    self._drop_unless_needed(path, column)

    # ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Give whether this process is the one to prune now; the system ends the turn when the process dies."""
        lock = self._folder / "prune.lock"
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            stamp = os.fstat(handle)
            if stamp.st_size and time.time() - stamp.st_mtime < PAUSE_S:
                yield False
                return
            yield True
            os.truncate(handle, 0)
            os.write(handle, b"pruned\n")
        finally:
            os.close(handle)

    def _drop_orphans(self, kind: str) -> int:
        """Drop what belongs to no document any more, and what a killed process left half written."""
        gone = 0
        for path, stat in _files(self._folder / kind):
            if not _in_use(path, stat.st_mtime) and self._drop_unless_needed(path, _BY_CONTENT[kind]):
                gone += stat.st_size
        return gone

    def _drop_unless_needed(self, path: Path, column: _Column) -> bool:
        documents = self._workspace.document_list
        content = path.name[:HASH_CHARACTERS]
        if documents.holds(column, content):
            return False
        with documents.connection(write=True) as db:
            # Asked again where nobody can add a document meanwhile.
            query = f"SELECT 1 FROM documents WHERE {column} = ? LIMIT 1"  # noqa: S608 one of two names
            needed = db.execute(query, (content,)).fetchone() is not None
            if not needed:
                path.unlink(missing_ok=True)
        return not needed

    def _drop_oldest(self, kind: str, limit_bytes: int) -> int:
        parts = list(_parts(self._folder / kind, kind in _FOLDERS_ARE_PARTS))
        total = sum(part.size_bytes for part in parts)
        kept = _last_of_each_content(parts) if kind == "parsed" else frozenset()
        gone = 0
        for part in sorted(parts, key=lambda part: part.used_at):
            left_over = part.path.name.endswith((".partial", _DROPPED))
            if _in_use(part.path, part.used_at) or (total - gone <= limit_bytes and not left_over):
                continue
            if part.path in kept:
                continue
            _remove(part.path)
            gone += part.size_bytes
        return gone


def _in_use(path: Path, used_at: float) -> bool:
    return time.time() - used_at < (HALF_WRITTEN_S if path.suffix == ".partial" else IN_USE_S)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files below a folder; those that another process takes away meanwhile are left out."""
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                yield path, path.stat()


def _parts(folder: Path, folders_are_parts: bool) -> Iterator[_Part]:
    if not folders_are_parts:
        for path, stat in _files(folder):
            yield _Part(path, stat.st_size, stat.st_mtime)
        return
    for path in folder.iterdir() if folder.is_dir() else ():
        # Numba's compiled code and the noted hashes of weights are small and used by all.
        if path.is_dir() and path.name not in ("compiled", "hashes"):
            stats = [stat for _, stat in _files(path)]
            used = max((stat.st_mtime for stat in stats), default=0.0)
            yield _Part(path, sum(stat.st_size for stat in stats), used)


def _last_of_each_content(parts: list[_Part]) -> frozenset[Path]:
    """Return the parse of each document that was used last: what the workspace needs right now."""
    last: dict[str, _Part] = {}
    for part in parts:
        content = part.path.name.partition("-")[0]
        if content not in last or last[content].used_at < part.used_at:
            last[content] = part
    return frozenset(part.path for part in last.values())


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            # Renamed first: a reader sees the whole folder or none.
            doomed = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}{_DROPPED}")
            path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        else:
            path.unlink()
