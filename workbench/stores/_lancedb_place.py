"""A folder of Lance tables: opening, locking, and the one spot where foreign errors are translated."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from workbench.contracts import TableInfo
from workbench.errors import (
    DamagedTableError,
    InputError,
    ServiceError,
    WorkbenchError,
)
from workbench.packages import load
from workbench.stores._index_note import IndexNote
from workbench.stores._lancedb_damage import is_damage, panics_held_back
from workbench.stores._lancedb_rows import birth_of, info_of
from workbench.stores._write_lock import write_lock

if TYPE_CHECKING:
    from workbench.stores.lancedb import LanceDB

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_LARGEST = 2**64 - 1
_MANIFEST = re.compile(r"[0-9]{20}\.manifest")
"""Lance counts down from the largest number, so that the newest version is the first name."""
_METADATA_BYTES = 4 * 2**20
"""LanceDB keeps what it read of every version; by default it would hold up to 1 GB of that, and 6 GB of indexes."""


class Newest(NamedTuple):
    """A table's newest manifest as the disk lists it: every commit writes another one, and none is written twice."""

    number: int
    inode: int
    written_ns: int
    size_bytes: int
    folder_inode: int
    folder_changed_ns: int


class Place:
    """The folder of one connection."""

    def __init__(self, store: LanceDB, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self._database: Any = None
        self._versions: dict[str, tuple[Newest, str]] = {}
        self._infos: dict[str, tuple[tuple[Newest, object], TableInfo]] = {}

    def path(self, name: str, suffix: str) -> Path:
        """Return the path of one of the files that belong to a table."""
        return self.folder / f"{name}{suffix}"

    def database(self) -> Any:
        """Return LanceDB's connection; a table it opens stays at the version of that moment."""
        if self._database is None:
            # What they would print on stderr names files of the machine that they were built on.
            os.environ.setdefault("LANCEDB_LOG", "off")
            os.environ.setdefault("LANCE_LOG", "error")
            lancedb = load("lancedb", "lancedb", "The store lancedb")
            pa = load("pyarrow", "pyarrow", "The store lancedb")
            # Arrow's own pool keeps what LanceDB's threads gave back: 50 MB more after a hundred writes.
            pa.set_memory_pool(pa.system_memory_pool())
            session = lancedb.Session(
                index_cache_size_bytes=self.store.cache_mb * 2**20,
                metadata_cache_size_bytes=_METADATA_BYTES,
            )
            self._database = lancedb.connect(str(self.folder), session=session)
        return self._database

    def opened(self, name: str) -> Any:
        """Return LanceDB's table at its newest version."""
        with panics_held_back():
            return self.database().open_table(name)

    def info(self, name: str, opened: Any) -> TableInfo:
        """Return what the table is; ``about`` also tells what was last measured on its index."""
        found = info_of(name, opened.schema)
        note = IndexNote.read(self.path(name, ".index.json"), birth_of(opened.schema))
        return TableInfo(name, found.dimension, {**found.about, "index_note": note.text}) if note else found

    def opened_info(self, name: str) -> TableInfo:
        """Return what the table is; it is opened only where it was written to since it was last asked."""
        newest, note = self._newest(name), _written_at(self.path(name, ".index.json"))
        held = self._infos.get(name)
        if newest is not None and held is not None and held[0] == (newest, note):
            return held[1]
        found = self.read(name, lambda opened: self.info(name, opened))
        if newest is not None and self._newest(name) == newest:
            self._infos[name] = (newest, note), found
        return found

    def version(self, name: str) -> str:
        """Return the table's birth mark and version; it is opened only where it was written to since."""
        newest = self._newest(name)
        held = self._versions.get(name)
        if newest is not None and held is not None and held[0] == newest:
            return held[1]
        number, word = self.read(name, lambda opened: (int(opened.version), version_of(opened)))
        # Held only if no write came in between, so that the word is that of this very manifest.
        if newest is not None and newest.number == number and self._newest(name) == newest:
            self._versions[name] = newest, word
        return word

    def _newest(self, name: str) -> Newest | None:
        """Return the newest manifest by its name on the disk, None where names do not tell it: then it is opened."""
        folder = self.path(name, ".lance")
        try:
            with os.scandir(folder / "_versions") as entries:
                found = min(
                    (one for one in entries if _MANIFEST.fullmatch(one.name)), key=lambda one: one.name
                )
                stat = found.stat()
            # A table dropped and made again counts its versions from 1 again, in another folder.
            made = folder.stat()
        except (OSError, ValueError):
            return None
        number = _LARGEST - int(found.name.partition(".")[0])
        return Newest(number, stat.st_ino, stat.st_mtime_ns, stat.st_size, made.st_ino, made.st_ctime_ns)

    def read(self, name: str, answer: Callable[[Any], _T]) -> _T:
        """Return ``answer`` of the newest committed version, which does not change while it is read.

        A clean-up may take the files of that version away; then the next one is read.
        """
        for attempt in (1, 2, 3):
            if not self.path(name, ".lance").is_dir():
                raise InputError(f"there is no table named {name}: build it first", "not_built")
            try:
                with _translated(name, "read"):
                    return answer(self.opened(name))
            except _Vanished:
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """Hold the table's lock, and give the database to write with."""
        with _translated(name, "written"):
            if self.folder.exists() and not self.folder.is_dir():
                raise ServiceError(f"{self.folder} must be a folder, and is none: move it away and try again")
            self.folder.mkdir(parents=True, exist_ok=True)
            with write_lock(self.path(name, ".lock"), self.store.wait_s, name):
                yield self.database()


def version_of(opened: Any) -> str:
    """Return a word for the version of an opened table that no other table ever has."""
    # A table dropped and made again counts its versions from 1 again: its birth tells them apart.
    return f"{birth_of(opened.schema)}-{opened.version}"


def _written_at(path: Path) -> object:
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


class _Vanished(DamagedTableError):
    """Files of the version that is being read are gone."""


@contextmanager
def _translated(name: str, doing: str) -> Iterator[None]:
    try:
        yield
    except WorkbenchError:
        raise
    except BaseException as error:
        if not isinstance(error, (OSError, RuntimeError, ValueError)) and not is_damage(error):
            raise
        found = translation(name, doing, error)
        if found is None:
            raise
        raise found from error


def translation(name: str, doing: str, error: BaseException) -> Exception | None:
    """Return what a user is told about a foreign error, or None when it must be a bug."""
    said = str(error)
    lower = said.lower()
    if any(sign in lower for sign in ("no space left", "os error 28", "os error 27", "quota exceeded")):
        return ServiceError(
            f"disk is full: the table {name} could not be {doing}; free some space and try again"
        )
    if any(
        sign in lower for sign in ("permission denied", "read-only file system", "os error 13", "os error 30")
    ):
        return ServiceError(f"the folder of the table {name} may not be {doing}: change its permissions")
    if "was not found" in lower and "table" in lower:
        return InputError(f"there is no table named {name}: build it first", "not_built")
    if "not found" in lower or "no such file" in lower:
        return _Vanished(name, "files of it are missing")
    if is_damage(error):
        _log.info("the table %s is damaged: %s", name, _shown(said))
        return DamagedTableError(name, "files of it hold something else than was written")
    if isinstance(error, ValueError):  # a bug of ours more likely than a state of the disk
        return None
    # Its own words hold paths of the machine that it was built on: they go to the log.
    _log.info("the table %s could not be %s: %s", name, doing, _shown(said))
    return ServiceError(
        f"the table {name} could not be {doing} ({type(error).__name__}): look at the disk, and try again"
    )


def _shown(said: str) -> str:
    """Return a foreign message without the places in source files at its end."""
    return re.sub(r",? ?\S*/\S+\.rs:\d+(:\d+)?", "", " ".join(said.split()))[:300]
