"""What the sources list beside what the ledger knows, item by item: on the disk while a run lasts, not in memory.

A listing of a hundred thousand rows, and as many entries of the ledger, are compared as they stream by.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from workbench.database import Database, scratch
from workbench.files import database_error
from workbench.ingest.columns import FAILURE_COLUMNS, ITEM_COLUMNS, STATE_COLUMNS, failure, item, state
from workbench.ingest.entries import WRITTEN, Failure, Item, Key, State
from workbench.records import SourceItem


@dataclass(frozen=True, slots=True)
class Standing:
    """One item: what its source says of it, what was read, what the table holds, and how it failed; None for nothing."""

    key: Key
    listed: SourceItem | None = None
    item: Item | None = None
    state: State | None = None
    failure: Failure | None = None

    @property
    def is_known(self) -> bool:
        """Whether something of it was read or written before."""
        return self.item is not None or self.state is not None

    @property
    def trusted(self) -> State | None:
        """What the table surely holds of it."""
        found = self.state
        return found if found is not None and found.status == WRITTEN and found.recipe else None


def _columns(table: str, names: Iterable[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


_ALL = ", ".join([_columns("i", ITEM_COLUMNS), _columns("s", STATE_COLUMNS), _columns("f", FAILURE_COLUMNS)])
_FAILED = (
    "LEFT JOIN ledger.failures f ON f.pipeline = :pipeline AND f.table_name = :name"
    " AND f.source = k.source AND f.item_id = k.item_id"
)
_BESIDE = f"""
LEFT JOIN ledger.items i ON i.pipeline = :pipeline AND i.source = k.source AND i.item_id = k.item_id
LEFT JOIN ledger.states s ON s.pipeline = :pipeline AND s.table_name = :name AND s.document_id = k.document_id
{_FAILED}
"""
# Only names of columns are put together here.
_LISTED = f"SELECT k.source, k.item_id, k.said, {_ALL} FROM listed k {_BESIDE} ORDER BY k.number"  # noqa: S608
_ONE = f"""
SELECT k.source, k.item_id, l.said, {_ALL}
FROM (SELECT :source AS source, :item_id AS item_id, :document_id AS document_id) k
LEFT JOIN listed l ON l.source = k.source AND l.item_id = k.item_id {_BESIDE}
"""  # noqa: S608
_NOT_LISTED = "NOT EXISTS (SELECT 1 FROM listed l WHERE l.source = k.source AND l.item_id = k.item_id)"
_NO_ITEM = (
    "NOT EXISTS (SELECT 1 FROM ledger.items i"
    " WHERE i.pipeline = :pipeline AND i.source = k.source AND i.item_id = k.item_id)"
)
_NONE = {
    table: ", ".join(f"NULL AS {name}" for name in names)
    for table, names in (("i", ITEM_COLUMNS), ("s", STATE_COLUMNS), ("f", FAILURE_COLUMNS))
}
_ITEMS_LEFT = f"""
SELECT k.source, k.item_id, NULL, {_columns("k", ITEM_COLUMNS)}, {_columns("s", STATE_COLUMNS)},
  {_columns("f", FAILURE_COLUMNS)}
FROM ledger.items k
LEFT JOIN ledger.states s ON s.pipeline = :pipeline AND s.table_name = :name AND s.document_id = k.document_id
{_FAILED}
WHERE k.pipeline = :pipeline AND {_NOT_LISTED}
"""  # noqa: S608
_STATES_LEFT = f"""
SELECT k.source, k.item_id, NULL, {_NONE["i"]}, {_columns("k", STATE_COLUMNS)}, {_NONE["f"]}
FROM ledger.states k WHERE k.pipeline = :pipeline AND k.table_name = :name AND {_NOT_LISTED} AND {_NO_ITEM}
"""  # noqa: S608
_FAILURES_LEFT = f"""
SELECT k.source, k.item_id, NULL, {_NONE["i"]}, {_NONE["s"]}, {_columns("k", FAILURE_COLUMNS)}
FROM ledger.failures k
WHERE k.pipeline = :pipeline AND k.table_name = :name AND {_NOT_LISTED} AND {_NO_ITEM}
"""  # noqa: S608
# What is not listed, though its content is in the table: under the id of something that is.
_MOVED = f"""
SELECT k.source, k.item_id FROM ledger.items k
WHERE k.pipeline = :pipeline AND {_NOT_LISTED} AND k.content_hash IN (
  SELECT i.content_hash FROM listed l
  JOIN ledger.items i ON i.pipeline = :pipeline AND i.source = l.source AND i.item_id = l.item_id
  JOIN ledger.states s ON s.pipeline = :pipeline AND s.table_name = :name AND s.document_id = i.document_id
  WHERE s.status = '{WRITTEN}' AND instr(s.recipe, ':' || i.content_hash || ':') > 0
)
"""  # noqa: S608
_SOURCES = """
SELECT source FROM ledger.items WHERE pipeline = :pipeline
UNION SELECT source FROM ledger.states WHERE pipeline = :pipeline AND table_name = :name
UNION SELECT source FROM ledger.failures WHERE pipeline = :pipeline AND table_name = :name
"""
_LIST = """
INSERT INTO listed (source, item_id, document_id, said) VALUES (?, ?, ?, ?)
ON CONFLICT (source, item_id) DO UPDATE SET said = excluded.said
"""


class Standings:
    """Takes what sources list, then yields it joined with the ledger. Use it in a ``with``, and in one thread at a time.

    ``document_id`` gives the id under which a table holds an item.
    """

    def __init__(
        self, ledger: Database, pipeline: str, table: str, document_id: Callable[[str, str], str]
    ) -> None:
        self._ledger = ledger
        self._about = {"pipeline": pipeline, "name": table}
        self._document_id = document_id
        self._attached = ExitStack()
        with self._translated():
            self._database = scratch()
            self._attached.enter_context(ledger.attach(self._database, "ledger"))
            self._database.execute(
                "CREATE TABLE listed (number INTEGER PRIMARY KEY, source TEXT NOT NULL, item_id TEXT NOT NULL,"
                " document_id TEXT NOT NULL, said TEXT NOT NULL, UNIQUE (source, item_id)) STRICT"
            )

    def take(self, source: str, items: Iterable[SourceItem]) -> None:
        """Write down what a source lists, item by item as it comes."""
        rows = ((source, one.item_id, self._document_id(source, one.item_id), _said(one)) for one in items)
        with self._translated():
            self._database.execute("BEGIN")
            try:
                self._database.executemany(_LIST, rows)
            finally:
                # Also of a listing that broke off: there is no journal to go back with.
                self._database.execute("COMMIT")

    def turn_to(self, table: str) -> None:
        """Lay the listing beside another table from now on."""
        self._about["name"] = table

    @property
    def listed_count(self) -> int:
        """How many items are listed."""
        with self._translated():
            return int(self._database.execute("SELECT count(*) FROM listed").fetchone()[0])

    def sources(self) -> set[str]:
        """Return the keys of all sources that the ledger knows something of."""
        with self._translated():
            return {row[0] for row in self._database.execute(_SOURCES, self._about)}

    def moved(self) -> set[Key]:
        """Return the items that are not listed, and whose content the table holds under the id of one that is."""
        with self._translated():
            return {(row[0], row[1]) for row in self._database.execute(_MOVED, self._about)}

    def __iter__(self) -> Iterator[Standing]:
        """Yield what is listed in the order of the listing, then what only the ledger knows.

        A state without an item and a failure of the same key come one after the other.
        """
        for query in (_LISTED, _ITEMS_LEFT, _STATES_LEFT, _FAILURES_LEFT):
            with self._translated():
                yield from map(_standing, self._database.execute(query, self._about))

    def of(self, key: Key) -> Standing:
        """Return how one item stands now."""
        named = {"source": key[0], "item_id": key[1], "document_id": self._document_id(*key)}
        with self._translated():
            return _standing(self._database.execute(_ONE, {**self._about, **named}).fetchone())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        if kind is None:
            self._attached.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise database_error(self._ledger.path, error) from error


def _said(one: SourceItem) -> str:
    # Names of files may hold halves of surrogate pairs, which only ASCII JSON can write.
    about = (one.version, one.path, one.uri, one.title, one.size_bytes, dict(one.metadata), one.handle)
    return json.dumps(about)


def _standing(row: tuple[object, ...]) -> Standing:
    source, item_id, said = row[:3]
    about_item = row[3 : 3 + len(ITEM_COLUMNS)]
    about_state = row[3 + len(ITEM_COLUMNS) : 3 + len(ITEM_COLUMNS) + len(STATE_COLUMNS)]
    about_failure = row[-len(FAILURE_COLUMNS) :]
    return Standing(
        (str(source), str(item_id)),
        None if said is None else SourceItem(str(item_id), *json.loads(str(said))),
        None if about_item[0] is None else item(about_item),
        None if about_state[0] is None else state(about_state),
        None if about_failure[0] is None else failure(about_failure),
    )
