"""The one way to open SQLite files: written as usual, and read also where nothing can be written.

A database in WAL mode writes two files beside itself even to be read. On a full or a read-only disk it is read as it
stands, or, where changes wait in the file beside it, in a copy elsewhere: nothing that was committed is missed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import BusyError, ServiceError
from workbench.files import NO_ROOM_OR_RIGHT, database_error, is_full, write_atomically, writing

Migration = str | Callable[[sqlite3.Connection], None]
"""Statements, or a function that is given the connection."""

PATIENCE_S = 30.0
PAUSE_S = 0.01
ATTEMPTS = 3
HEADER = b"SQLite format 3\0"
_BESIDE = ("-wal", "-journal")
"""What may hold changes that are not in the file itself."""
_UNWRITABLE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
    }
)
_SPARE_BYTES = 2**20
_SCRATCH_BYTES = 256 * 2**20
_COPY, _COPY_LOCK = "workbench-copy-", "in use"
_JUST_MADE_S = 60.0

Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is written. ``loss`` says what becomes of what it held when it is lost, as the end of a sentence."""

    loss: str
    write_ahead: bool = True
    synchronous: str = "FULL"
    gives_pages_back: bool = False
    """Whether freed pages can go back to the disk."""
    is_cache: bool = False
    """Whether a file that is no database any more may simply go."""
    texts_as_bytes: bool = False
    reserve_bytes: int = 0
    """How much is set aside beside the file for the writes that must succeed on a full disk."""


class Database:
    """One SQLite file; safe for several threads and processes, one short connection per call.

    ``refill`` is called in the transaction that makes a new file: it puts back what is known from elsewhere.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration],
        style: Style,
        refill: Callable[[sqlite3.Connection], None] = lambda database: None,
    ) -> None:
        self.path = path
        self._migrations, self._style, self._refill = tuple(migrations), style, refill
        self._stand_in: tuple[Stamp, _CopyFolder] | None = None
        self._lock = threading.Lock()
        self.set_aside: Path | None = None
        """Where a file was moved to that was no database any more."""
        self._prepare()

    # ── reading and writing ──────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose queries all see one state of the file."""
        with self._translated():
            database, stamp = self._readable()
            with closing(database):
                yield database
                database.execute("COMMIT")
            self._check_unchanged(stamp)

    @contextmanager
    def writing(self, from_reserve: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one transaction that nobody else can write in: all of it is kept, or nothing.

        ``from_reserve`` gives up what was set aside, where the disk is full.
        """
        if from_reserve and is_full(self.path.parent):
            with suppress(OSError):
                self._reserve.unlink()
        if self._is_absent():
            self._prepare()
        with self._translated(), closing(self._connected()) as database:
            # Asked for at once: a transaction that begins by reading could find its answer outdated.
            database.execute("BEGIN IMMEDIATE")
            if schema_version(database) != len(self._migrations):
                self._fill(database)
            yield database
            database.execute("COMMIT")
        if from_reserve:
            self._set_reserve()

    @contextmanager
    def maintaining(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection outside of any transaction, for what must not stand in one."""
        with self._translated(), closing(self._connected()) as database:
            yield database

    @contextmanager
    def attach(self, database: sqlite3.Connection, name: str) -> Iterator[None]:
        """Attach the file to another connection, opened with ``uri=True``, for as long as this lasts."""
        with self._translated():
            stamp: Stamp | None = None
            try:
                self._up_to_date().close()
                database.execute(f"ATTACH ? AS {name}", (_uri(self.path, ""),))
            except _Elsewhere:
                place, stamp = self._place_elsewhere()
                database.execute(f"ATTACH ? AS {name}", (place,))
        yield
        self._check_unchanged(stamp)

    def size_bytes(self) -> int:
        """Return the space the file takes on the disk, with those beside it."""
        return sum(path.stat().st_size for path in self.path.parent.glob(f"{self.path.name}*"))

    # ── making the file ──────────────────────────────────────────────────────────────────────────────────────────

    def _prepare(self) -> None:
        """Make the file, or bring it up to date; where nothing can be written it is read as it is."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
            if self._is_garbage():
                self._remove_garbage()
        except OSError as error:
            if error.errno not in NO_ROOM_OR_RIGHT:
                with writing(self.path if self.path.is_dir() else self.path.parent):
                    raise
        try:
            with closing(self._connected()) as database:
                if schema_version(database) == len(self._migrations):
                    self._set_journal(database)
                    self._set_reserve()
                    return
                if self._style.gives_pages_back:
                    # Before the first table, or it has no effect.
                    database.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._set_journal(database)
                database.execute("BEGIN IMMEDIATE")
                self._fill(database)
                database.execute("COMMIT")
                self._set_reserve()
        except sqlite3.Error as error:
            if not is_unwritable(error):
                raise database_error(self.path, error, self._style.loss) from error

    def _set_journal(self, database: sqlite3.Connection) -> None:
        (now,) = database.execute("PRAGMA journal_mode").fetchone()
        now = now.decode() if isinstance(now, bytes) else now
        if self._style.write_ahead and now != "wal":
            write_ahead(database)
        elif not self._style.write_ahead and now != "delete":
            with suppress(sqlite3.OperationalError):  # somebody else has it open: another time
                database.execute("PRAGMA journal_mode = DELETE")

    @property
    def _reserve(self) -> Path:
        return self.path.with_suffix(".reserve")

    def _set_reserve(self) -> None:
        """Set space aside while there is some."""
        size = self._style.reserve_bytes
        if not size or self._reserve.exists() or is_full(self.path.parent):
            return
        with suppress(OSError):
            # No zeros: some file systems would need no space for them.
            write_atomically(self._reserve, os.urandom(size))

    def _fill(self, database: sqlite3.Connection) -> None:
        """Bring the file up to date, within the transaction of the caller: another process may have been quicker."""
        is_new = schema_version(database) == 0
        migrate(database, self._migrations, self.path)
        if is_new:
            self._refill(database)

    def _is_garbage(self) -> bool:
        """Return whether SQLite says that the file is no database.

        The file is never opened beside SQLite to find out: when this process closes it, the system takes away every
        lock that the process holds on it, and another process that ends then deletes what waits beside the file.
        """
        try:
            with closing(sqlite3.connect(_uri(self.path, "?mode=ro"), uri=True)) as database:
                schema_version(database)
        except sqlite3.Error as error:
            return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB
        return False

    def _remove_garbage(self) -> None:
        """Take a file away that does not begin as a database does: nobody can ever read it, or holds a lock on it."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            if file.read(len(HEADER)) in (b"", HEADER):
                return
            # Locked and looked at again: another process may just have made a good file in its place.
            fcntl.flock(file, fcntl.LOCK_EX)
            if not os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
                return
            aside = _free_name(self.path)
            # What waits beside the file first: a new one must not find it.
            for suffix in ("-wal", "-shm", "-journal", ""):
                with suppress(FileNotFoundError):
                    part = self.path.with_name(self.path.name + suffix)
                    if self._style.is_cache:
                        part.unlink()
                    else:
                        part.rename(f"{aside}{suffix}")
            self.set_aside = None if self._style.is_cache else aside

    def _is_absent(self) -> bool:
        try:
            return self.path.stat().st_size == 0
        except OSError:
            return True

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _connected(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)
        try:
            return self._dressed(database)
        except BaseException:
            database.close()
            raise

    def _dressed(self, database: sqlite3.Connection) -> sqlite3.Connection:
        database.row_factory = sqlite3.Row
        if self._style.texts_as_bytes:
            # A damaged row may claim to be text, which must not end the whole reading.
            database.text_factory = bytes
        database.execute(f"PRAGMA synchronous = {self._style.synchronous}")
        return database

    def _readable(self) -> tuple[sqlite3.Connection, Stamp | None]:
        """Return a connection that has begun to read, and the stamp that must not change meanwhile."""
        try:
            return self._up_to_date(), None
        except _Elsewhere:
            place, stamp = self._place_elsewhere()
        database = sqlite3.connect(place, timeout=PATIENCE_S, isolation_level=None, uri=True)
        return _begun(self._dressed(database)), stamp

    def _up_to_date(self) -> sqlite3.Connection:
        """Return a connection to the file that has begun to read; raises ``_Elsewhere`` where that cannot be."""
        for attempt in (1, 2):
            if attempt == 2 or self._is_absent():
                self._prepare()
            if self._is_absent():
                raise _Elsewhere
            try:
                database = _begun(self._connected())
                if schema_version(database) >= len(self._migrations):
                    return database
                database.close()
            except sqlite3.Error as error:
                if not is_unwritable(error):
                    raise
                raise _Elsewhere from error
        raise _Elsewhere

    def _place_elsewhere(self) -> tuple[str, Stamp]:
        """Return what to open so that nothing is written beside the file, and the stamp of what it stands for."""
        for _ in range(ATTEMPTS):
            stamp = _stamp(self.path)
            if stamp[0] is not None and not any(one and one[1] for one in stamp[1:]):
                place = _uri(self.path, "?immutable=1")
                with closing(sqlite3.connect(place, uri=True)) as database:
                    if schema_version(database) >= len(self._migrations):
                        return place, stamp
            place = _uri(self._copy(stamp), "")
            if _stamp(self.path) == stamp:
                return place, stamp
        raise BusyError(f"another process keeps writing to {self.path}: try again")

    def _copy(self, stamp: Stamp) -> Path:
        """Return a copy that holds what waits beside the file, too, and is up to date; kept while nothing changes."""
        with self._lock:
            if self._stand_in is None or self._stand_in[0] != stamp:
                self._stand_in = None  # the earlier copy goes first: there may be no room for two
                self._stand_in = stamp, self._new_copy(stamp)
            return Path(self._stand_in[1].name) / self.path.name

    def _new_copy(self, stamp: Stamp) -> _CopyFolder:
        size = sum(one[1] for one in stamp if one)
        folder = _CopyFolder(self._roomy(size))
        try:
            copy = Path(folder.name) / self.path.name
            for suffix in ("", *_BESIDE):
                with suppress(FileNotFoundError):
                    _copy_apart(self.path.with_name(self.path.name + suffix), f"{copy}{suffix}")
            with closing(sqlite3.connect(copy, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                self._fill(database)
                database.execute("COMMIT")
        except OSError:
            folder.cleanup()
            with writing(self.path):
                raise
        except BaseException:
            folder.cleanup()
            raise
        return folder

    def _roomy(self, size_bytes: int) -> str:
        # Twice: what waits beside the file is written into the copy.
        found = roomy_folder(2 * size_bytes + _SPARE_BYTES)
        if found is None:
            raise ServiceError(
                f"changes wait beside {self.path}, and neither memory nor {temporary_folder()} has room for"
                f" {-(-(2 * size_bytes + _SPARE_BYTES) // 2**20):,} MB to read them with: free some space and try again"
            )
        return found

    def _check_unchanged(self, stamp: Stamp | None) -> None:
        if stamp is not None and _stamp(self.path) != stamp:
            raise BusyError(f"another process wrote to {self.path} while it was read: try again")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise database_error(self.path, error, self._style.loss) from error


class _CopyFolder(tempfile.TemporaryDirectory[str]):
    """A folder for a copy, locked as long as its process lives: then the next copy takes away what a kill left."""

    def __init__(self, place: str) -> None:
        for left in Path(place).glob(f"{_COPY}*"):
            with suppress(OSError):
                made = left.lstat()
                if made.st_uid != os.getuid() or time.time() - made.st_mtime < _JUST_MADE_S:
                    continue
                with (left / _COPY_LOCK).open("ab") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left)
        super().__init__(prefix=_COPY, dir=place)
        try:
            self._lock = (Path(self.name) / _COPY_LOCK).open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except BaseException:
            self.cleanup()
            raise


_COPYING = """
import shutil, sys
try:
    shutil.copyfile(sys.argv[1], sys.argv[2])
except OSError as error:
    sys.exit(error.errno or 1)
"""


def _copy_apart(source: Path, target: str) -> None:
    """Copy a file in a process of its own, raising its ``OSError``: closing it here would take this process's locks."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", _COPYING, str(source), target], check=False)  # noqa: S603
    if done.returncode:
        raise OSError(done.returncode, os.strerror(done.returncode), str(source))


class _Elsewhere(Exception):
    """The file itself cannot be opened as it is."""


def is_unwritable(error: sqlite3.Error) -> bool:
    """Return whether SQLite was refused a place to write."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNWRITABLE


def scratch() -> sqlite3.Connection:
    """Return an empty database for what is at hand now: on the disk where that has room, else in memory."""
    # Without a name SQLite keeps it in a file that is gone with the process, however that ends.
    place = "" if _free_bytes(temporary_folder()) > _SCRATCH_BYTES else ":memory:"
    database = sqlite3.connect(
        place, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False, uri=True
    )
    database.execute("PRAGMA journal_mode = OFF")
    return database


def roomy_folder(size_bytes: int) -> str | None:
    """Return a folder for temporary files with so much room, in memory or on the disk; None where there is none."""
    free, folder = max((_free_bytes(folder), folder) for folder in ("/dev/shm", temporary_folder()))  # noqa: S108
    return folder if free > size_bytes else None


def temporary_folder() -> str:
    """Return the folder for temporary files, also where Python finds none that it can write to."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return "/tmp"  # noqa: S108


def _free_bytes(folder: str) -> int:
    """Return how much can be written to a folder, -1 where nothing can."""
    try:
        return shutil.disk_usage(folder).free if os.access(folder, os.W_OK | os.X_OK) else -1
    except OSError:
        return -1


def schema_version(database: sqlite3.Connection) -> int:
    """Return how many migrations a file has seen."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def migrate(database: sqlite3.Connection, migrations: Sequence[Migration], path: Path) -> None:
    """Bring a file up to date, within the transaction of the caller: another process may have been quicker."""
    version = schema_version(database)
    if version > len(migrations):
        raise ServiceError(f"{path} was written by a newer version of this program: update the program")
    for migration in migrations[version:]:
        if callable(migration):
            migration(database)
            continue
        # Not executescript: it commits first, and half a migration must never be kept.
        for statement in migration.split(";"):
            if statement.strip():
                database.execute(statement)
    database.execute(f"PRAGMA user_version = {len(migrations)}")


def write_ahead(database: sqlite3.Connection) -> None:
    """Keep a database's changes in a file beside it, so that readers and a writer do not wait for each other."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Of two that switch at once, one is refused without having waited, whatever its timeout is.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
        time.sleep(PAUSE_S)


def _begun(database: sqlite3.Connection) -> sqlite3.Connection:
    try:
        database.execute("BEGIN")
        # The first query decides which state is seen, and whether the file can be read here at all.
        database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except BaseException:
        database.close()
        raise
    return database


def _stamp(path: Path) -> Stamp:
    """Return what changes whenever the file, or what waits beside it, is written."""
    return tuple(_file_stamp(path.with_name(path.name + suffix)) for suffix in ("", *_BESIDE))


def _file_stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _uri(path: Path, query: str) -> str:
    return path.absolute().as_uri() + query


def _free_name(path: Path) -> Path:
    number = 1
    while (found := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return found
