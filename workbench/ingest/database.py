"""The ledger's file: short connections, explicit transactions, migrations when it is opened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from workbench.errors import ServiceError
from workbench.files import database_error, writing
from workbench.ingest.schema import MIGRATIONS

PATIENCE_S = 30.0
PAUSE_S = 0.01


class Database:
    """One SQLite file in WAL mode; safe for several threads and processes, one connection per call."""

    def __init__(self, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
        self.path = path
        self._migrate(migrations)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose queries all see one state of the file."""
        with self._open() as database:
            database.execute("BEGIN")
            yield database
            database.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one transaction that nobody else can write in: all of it is kept, or nothing."""
        with self._open() as database:
            # Asked for at once: a transaction that begins by reading could find its answer outdated.
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)) as database:
                database.row_factory = sqlite3.Row
                # An intent must outlive a power cut, or it is none.
                database.execute("PRAGMA synchronous = FULL")
                yield database
        except sqlite3.Error as error:
            raise database_error(self.path, error) from error

    def _migrate(self, migrations: Sequence[str]) -> None:
        with writing(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            if schema_version(database) == len(migrations):
                return
            write_ahead(database)
        with self.writing() as database:
            migrate(database, migrations, self.path)


def schema_version(database: sqlite3.Connection) -> int:
    """Return how many migrations a file has seen."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def migrate(database: sqlite3.Connection, migrations: Sequence[str], path: Path) -> None:
    """Bring a file up to date, within the transaction of the caller: another process may have been quicker."""
    version = schema_version(database)
    if version > len(migrations):
        raise ServiceError(f"{path} was written by a newer version of this program: update the program")
    for statement in _statements(migrations[version:]):
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


def _statements(migrations: Sequence[str]) -> Iterator[str]:
    # Not executescript: it commits first, and half a migration must never be kept.
    for script in migrations:
        yield from (statement for statement in script.split(";") if statement.strip())
