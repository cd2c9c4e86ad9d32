"""The ledger: which items were read, and what each table holds of them. Intent before the store, result after.

Writing the result only after the store failed to converge in 17 of 240 injected crashes, the intent first in none.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from workbench.counts import counted
from workbench.database import Database, Style
from workbench.ingest.columns import (
    FAILURE_COLUMNS,
    ITEM_COLUMNS,
    STATE_COLUMNS,
    failure,
    failure_row,
    item,
    item_row,
    state,
)
from workbench.ingest.entries import REMOVING, WRITTEN, Failure, Item, Key, Moved, State
from workbench.ingest.release_copies import ReleaseCopies
from workbench.ingest.releases import Releases, put_back
from workbench.ingest.runs import Runs
from workbench.ingest.schema import MIGRATIONS
from workbench.ingest.standings import Standings
from workbench.ingest.unlisted import UnlistedItems


def _names(columns: Sequence[str]) -> str:
    return ", ".join(columns)


def _marks(columns: Sequence[str]) -> str:
    return ", ".join("?" * len(columns))


# Only names of columns and question marks are put together here.
_ITEMS = f"SELECT {_names(ITEM_COLUMNS)} FROM items WHERE pipeline = ?"  # noqa: S608
_STATES = f"SELECT {_names(STATE_COLUMNS)} FROM states WHERE pipeline = ? AND table_name = ?"  # noqa: S608
_FAILURES = f"SELECT {_names(FAILURE_COLUMNS)} FROM failures WHERE pipeline = ?"  # noqa: S608
_PUT_ITEM = (
    f"INSERT OR REPLACE INTO items (pipeline, {_names(ITEM_COLUMNS)}, read_at_utc)"  # noqa: S608
    f" VALUES (?, {_marks(ITEM_COLUMNS)}, ?)"
)
_PUT_STATE = (
    f"INSERT OR REPLACE INTO states (pipeline, table_name, {_names(STATE_COLUMNS)})"  # noqa: S608
    f" VALUES (?, ?, {_marks(STATE_COLUMNS)})"
)
_PUT_FAILURE = (
    f"INSERT OR REPLACE INTO failures (pipeline, {_names(FAILURE_COLUMNS)})"  # noqa: S608
    f" VALUES (?, {_marks(FAILURE_COLUMNS)})"
)

STYLE = Style(
    "the next sync looks again at what the tables hold, and the releases are found again; only the log of runs is lost",
    reserve_bytes=256 * 2**10,
)


@dataclass(frozen=True, slots=True)
class Balance:
    """How many states a table has, how many of them are surely there, and how many chunks those have."""

    states: int
    trusted: int
    chunks: int


class Ledger:
    """All pipelines of one workspace. ``runs``, ``releases`` and ``unlisted`` are kept in the same file."""

    def __init__(self, path: Path) -> None:
        self.notice = ""
        """What has to be told of a ledger that was lost, "" where it was not."""
        self._copies = ReleaseCopies(path.parent / "releases")
        self._database = Database(path, MIGRATIONS, STYLE, self._find_again)
        self.runs = Runs(self._database)
        self.releases = Releases(self._database, self._copies)
        if not self._copies.is_kept and (known := self.pipelines()):
            # Made by an earlier version, which kept no copies.
            self._copies.begin()
            for pipeline in known:
                self.releases.copy(pipeline)
        self.unlisted = UnlistedItems(self._database)

    def _find_again(self, database: sqlite3.Connection) -> None:
        """Fill a ledger that was just made with the releases of an earlier one, which was lost."""
        found = [copy for copy in self._copies.all() if copy.releases]
        for copy in found:
            put_back(database, copy)
        if found:
            count = sum(len(copy.releases) for copy in found)
            self.notice = (
                f"the ledger was lost: {counted(count, 'release was', 'releases were')} found again from the copy"
                " beside it; the log of runs is lost, and the next sync looks again at what the tables hold"
            )

    def knows(self, pipeline: str) -> bool:
        """Return whether nothing of a pipeline can have been lost: it ran here, or copies of releases are kept."""
        return self._copies.is_kept or bool(self.runs.recent(pipeline, 1))

    @property
    def is_whole(self) -> bool:
        """Whether every pipeline that has releases ran since the ledger was made."""
        return {copy.pipeline for copy in self._copies.all() if copy.releases} <= set(self.pipelines())

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def pipelines(self) -> list[str]:
        """Return the names of all pipelines that ever ran here."""
        with self._database.reading() as database:
            found = database.execute("SELECT DISTINCT pipeline FROM runs ORDER BY pipeline").fetchall()
        return [row["pipeline"] for row in found]

    def items(self, pipeline: str) -> dict[Key, Item]:
        """Return every item that was read, by where it lives."""
        with self._database.reading() as database:
            found = [item(row) for row in database.execute(_ITEMS, (pipeline,))]
        return {one.key: one for one in found}

    def states(self, pipeline: str, table: str) -> dict[str, State]:
        """Return what a table holds, by document id."""
        with self._database.reading() as database:
            found = [state(row) for row in database.execute(_STATES, (pipeline, table))]
        return {one.document_id: one for one in found}

    def state(self, pipeline: str, table: str, document_id: str) -> State | None:
        """Return what a table holds of one document."""
        with self._database.reading() as database:
            row = database.execute(
                f"{_STATES} AND document_id = ?", (pipeline, table, document_id)
            ).fetchone()
        return None if row is None else state(row)

    def tables(self, pipeline: str) -> list[str]:
        """Return the tables that hold something of a pipeline."""
        query = "SELECT DISTINCT table_name FROM states WHERE pipeline = ? ORDER BY table_name"
        with self._database.reading() as database:
            return [row["table_name"] for row in database.execute(query, (pipeline,))]

    def standings(self, pipeline: str, table: str, document_id: Callable[[str, str], str]) -> Standings:
        """Return where what the sources list is laid beside what is known here."""
        return Standings(self._database, pipeline, table, document_id)

    def balance(self, pipeline: str, table: str) -> Balance:
        """Return what a table should hold, in numbers."""
        query = (
            "SELECT count(*), coalesce(sum(status = ? AND recipe != ''), 0),"
            " coalesce(sum(CASE WHEN status = ? AND recipe != '' THEN chunk_count END), 0)"
            " FROM states WHERE pipeline = ? AND table_name = ?"
        )
        with self._database.reading() as database:
            return Balance(*database.execute(query, (WRITTEN, WRITTEN, pipeline, table)).fetchone())

    def parse_keys(self) -> Iterator[str]:
        """Yield the keys of all parsed texts that some table was cut from, each once, in order."""
        return self._sorted("SELECT DISTINCT parse_key FROM states ORDER BY parse_key")

    def texts_of(self, pipeline: str, table: str) -> Iterator[tuple[str, str]]:
        """Yield the parse key and the document id of all that a table surely holds, in the order of the keys."""
        query = (
            "SELECT parse_key, document_id FROM states"
            " WHERE pipeline = ? AND table_name = ? AND status = ? AND recipe != '' ORDER BY parse_key"
        )
        with self._database.reading() as database:
            for row in database.execute(query, (pipeline, table, WRITTEN)):
                yield row[0], row[1]

    def content_hashes(self) -> Iterator[str]:
        """Yield the hashes of all contents that some pipeline holds now, each once, in order."""
        return self._sorted("SELECT DISTINCT content_hash FROM items ORDER BY content_hash")

    def _sorted(self, query: str) -> Iterator[str]:
        with self._database.reading() as database:
            for row in database.execute(query):
                yield row[0]

    def failures(self, pipeline: str, table: str | None = None) -> dict[Key, Failure]:
        """Return the items that could not be brought into a table, or into any where none is named, by where they
        live."""
        found = self.all_failures(pipeline)
        return {one.key: one for one in found if table in (None, one.table_name)}

    def all_failures(self, pipeline: str) -> list[Failure]:
        """Return what could not be brought in, once for every table that lacks it, the newest run last."""
        with self._database.reading() as database:
            return [failure(row) for row in database.execute(f"{_FAILURES} ORDER BY run_id", (pipeline,))]

    def most_known(self, pipeline: str, since_day: str) -> dict[str, int]:
        """Return source → how many items of it were known at once since a day, or since somebody confirmed."""
        query = "SELECT source, max(known) FROM known_counts WHERE pipeline = ? AND day >= ? GROUP BY source"
        with self._database.reading() as database:
            return {source: int(known) for source, known in database.execute(query, (pipeline, since_day))}

    def tokens_a_document(self, pipeline: str) -> float | None:
        """Return how many tokens a document has in the fullest table of a pipeline, None where all are empty."""
        query = (
            "SELECT avg(token_count) FROM states WHERE pipeline = ? AND status = ?"
            " GROUP BY table_name ORDER BY count(*) DESC LIMIT 1"
        )
        with self._database.reading() as database:
            row = database.execute(query, (pipeline, WRITTEN)).fetchone()
        return None if row is None else float(row[0])

    # ── items ────────────────────────────────────────────────────────────────────────────────────────────────────

    def note_items(self, pipeline: str, items: Sequence[Item], at_utc: str) -> None:
        """Keep the newest content of items, in one step."""
        if items:
            with self._database.writing() as database:
                _put_items(database, pipeline, items, at_utc)

    # ── cursors ──────────────────────────────────────────────────────────────────────────────────────────────────

    def cursors(self, pipeline: str) -> dict[str, tuple[str, str]]:
        """Return, by source, the settings it was listed with and the cursor that stands for all it listed."""
        with self._database.reading() as database:
            rows = database.execute("SELECT * FROM cursors WHERE pipeline = ?", (pipeline,)).fetchall()
        return {row["source"]: (row["settings"], row["cursor"]) for row in rows}

    def keep_cursors(self, pipeline: str, cursors: Mapping[str, tuple[str, str]], at_utc: str) -> None:
        """Keep cursors: everything that was listed before them must be safely in by now."""
        if cursors:
            with self._database.writing() as database:
                database.executemany(
                    "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, ?)",
                    [(pipeline, source, *found, at_utc) for source, found in cursors.items()],
                )

    def forget_cursors(self, pipeline: str, sources: Iterable[str]) -> None:
        """Forget where sources were listed to: the next listing of each begins anew."""
        with self._database.writing() as database:
            database.executemany(
                "DELETE FROM cursors WHERE pipeline = ? AND source = ?",
                [(pipeline, source) for source in sources],
            )

    def note_known(self, pipeline: str, day: str, known: Mapping[str, int], oldest_day: str) -> None:
        """Keep how many items of each source are known today, and forget the days before the oldest."""
        with self._database.writing() as database:
            database.execute(
                "DELETE FROM known_counts WHERE pipeline = ? AND day < ?", (pipeline, oldest_day)
            )
            database.executemany(
                "INSERT INTO known_counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET known = max(known, excluded.known)",
                [(pipeline, source, day, count) for source, count in known.items()],
            )

    def forget_known(self, pipeline: str) -> None:
        """Forget how many there were: somebody confirmed that they are meant to go."""
        with self._database.writing() as database:
            database.execute("DELETE FROM known_counts WHERE pipeline = ?", (pipeline,))

    def note_addresses(self, pipeline: str, table: str, moved: Sequence[Moved]) -> None:
        """Keep where documents live now that are the same as before."""
        if moved:
            with self._database.writing() as database:
                database.executemany(
                    "UPDATE items SET uri = ? WHERE pipeline = ? AND source = ? AND item_id = ?",
                    [(one.uri, pipeline, *one.key) for one in moved],
                )
                database.executemany(
                    "UPDATE states SET uri = ? WHERE pipeline = ? AND table_name = ? AND document_id = ?",
                    [(one.uri, pipeline, table, one.document_id) for one in moved],
                )

    # ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────

    def intend(
        self, pipeline: str, table: str, states: Sequence[State], items: Sequence[Item], at_utc: str
    ) -> None:
        """Say that these rows are about to be written, and keep the contents they are made from."""
        with self._database.writing() as database:
            _put_items(database, pipeline, items, at_utc)
            _put_states(database, pipeline, table, states)

    def record(
        self, pipeline: str, table: str, states: Sequence[State], items: Sequence[Item] = (), at_utc: str = ""
    ) -> None:
        """Say that these rows are in the table now; their items have failed no longer."""
        with self._database.writing() as database:
            _put_items(database, pipeline, items, at_utc)
            _put_states(database, pipeline, table, states)
            _drop_failures(database, pipeline, table, (one.key for one in states))

    def intend_removal(self, pipeline: str, table: str, document_ids: Sequence[str]) -> None:
        """Say that the rows of these documents are about to go."""
        with self._database.writing() as database:
            database.executemany(
                "UPDATE states SET status = ? WHERE pipeline = ? AND table_name = ? AND document_id = ?",
                [(REMOVING, pipeline, table, document_id) for document_id in document_ids],
            )

    def record_removal(
        self, pipeline: str, table: str, document_ids: Sequence[str], keys: Sequence[Key]
    ) -> None:
        """Say that the rows of these documents are gone, and forget their items."""
        with self._database.writing() as database:
            database.executemany(
                "DELETE FROM states WHERE pipeline = ? AND table_name = ? AND document_id = ?",
                [(pipeline, table, document_id) for document_id in document_ids],
            )
            database.executemany(
                "DELETE FROM items WHERE pipeline = ? AND source = ? AND item_id = ?",
                [(pipeline, *key) for key in keys],
            )
            _drop_failures(database, pipeline, table, keys)

    def doubt(self, pipeline: str, table: str, document_ids: Iterable[str]) -> None:
        """Make the next sync look at these documents again, whatever their sources say."""
        with self._database.writing() as database:
            database.executemany(
                "UPDATE states SET recipe = '' WHERE pipeline = ? AND table_name = ? AND document_id = ?",
                [(pipeline, table, document_id) for document_id in document_ids],
            )

    def forget_table(self, pipeline: str, table: str) -> None:
        """Forget what a table held: it is gone."""
        with self._database.writing(from_reserve=True) as database:
            database.execute("DELETE FROM states WHERE pipeline = ? AND table_name = ?", (pipeline, table))

    # ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────

    def note_failure(self, pipeline: str, one: Failure) -> None:
        """Keep a failure; it replaces the earlier one of this item and table."""
        with self._database.writing() as database:
            database.execute(_PUT_FAILURE, (pipeline, *failure_row(one)))

    def forget_failures(self, pipeline: str, table: str, keys: Sequence[Key]) -> None:
        """Drop failures of items that are fine in this table, or gone."""
        if keys:
            with self._database.writing() as database:
                _drop_failures(database, pipeline, table, keys)

    def keep_failures_of(self, pipeline: str, tables: Sequence[str]) -> None:
        """Drop the failures of all other tables: nobody tries them again."""
        with self._database.writing() as database:
            database.execute(
                "DELETE FROM failures WHERE pipeline = ? AND table_name NOT IN (SELECT value FROM json_each(?))",
                (pipeline, json.dumps(list(tables))),
            )

    def retry(self, pipeline: str, keys: Sequence[Key] | None = None, now_utc: str = "") -> int:
        """Make failed items due in the next sync, all of them when none are named; return how many."""
        with self._database.writing() as database:
            change = "UPDATE failures SET retryable = 1, attempts = 0, next_try_utc = ? WHERE pipeline = ?"
            if keys is None:
                return database.execute(change, (now_utc, pipeline)).rowcount
            return sum(
                database.execute(
                    f"{change} AND source = ? AND item_id = ?", (now_utc, pipeline, *key)
                ).rowcount
                for key in keys
            )


def _put_items(database: sqlite3.Connection, pipeline: str, items: Iterable[Item], at_utc: str) -> None:
    database.executemany(
        _PUT_ITEM,
        [(pipeline, *item_row(one), at_utc) for one in items],
    )


def _put_states(database: sqlite3.Connection, pipeline: str, table: str, states: Iterable[State]) -> None:
    database.executemany(
        _PUT_STATE,
        [(pipeline, table, *astuple(one)) for one in states],
    )


def _drop_failures(database: sqlite3.Connection, pipeline: str, table: str, keys: Iterable[Key]) -> None:
    database.executemany(
        "DELETE FROM failures WHERE pipeline = ? AND table_name = ? AND source = ? AND item_id = ?",
        [(pipeline, table, *key) for key in keys],
    )
