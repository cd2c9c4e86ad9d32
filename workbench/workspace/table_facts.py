"""What pages ask of a table again and again, read once for each version of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from workbench.config import Config, parsed
from workbench.contracts import StoreConnection, Table
from workbench.errors import ConfigError, DamagedTableError

_K = TypeVar("_K")
_V = TypeVar("_V")
MOST_TABLES = 256
MOST_CONFIGS = 256


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table at one version."""

    version: str
    states: dict[str, str]
    row_count: int
    size_bytes: int
    damage: str = ""
    """What is wrong with its files, as a sentence, "" for nothing; then its states are not known."""


class FactsCache:
    """Opened tables with their facts. The version is asked for each time: another process may have written."""

    def __init__(self) -> None:
        self._tables: OrderedDict[tuple[int, str], tuple[StoreConnection, Table, str]] = OrderedDict()
        self._facts: OrderedDict[tuple[int, str], TableFacts] = OrderedDict()
        self._configs: OrderedDict[str, Config] = OrderedDict()
        self._lock = threading.Lock()

    def table(self, connection: StoreConnection, name: str) -> tuple[Table, str]:
        """Return a table and its version, opened anew only where that has changed.

        Raises ``InputError`` when there is none.
        """
        key = (id(connection), name)
        with self._lock:
            held = self._tables.get(key)
        if held is not None:
            version = held[1].version()
            if version == held[2]:
                return held[1], version
        # The table may be another one of the same name by now.
        table = connection.table(name)
        version = table.version()
        with self._lock:
            # The connection is held too, so that its id is that of no other.
            self._tables[key] = connection, table, version
            _bound(self._tables, key, MOST_TABLES)
        return table, version

    def facts(self, connection: StoreConnection, name: str) -> TableFacts:
        """Return the facts of a table as it is now; raises ``InputError`` when there is none."""
        table, version = self.table(connection, name)
        key = (id(connection), name)
        with self._lock:
            found = self._facts.get(key)
        if found is not None and found.version == version:
            return found
        # Read behind the version: what is written meanwhile gets another one, and is read the next time.
        try:
            if what := table.damage():
                raise DamagedTableError(name, what)
            found = TableFacts(version, table.states(), table.row_count(), table.size_bytes())
        except DamagedTableError as error:
            # Not kept: files can be put back without a new version.
            return TableFacts(version, {}, table.row_count(), table.size_bytes(), str(error))
        with self._lock:
            self._facts[key] = found
            _bound(self._facts, key, MOST_TABLES)
        return found

    def lacks(self, connection: StoreConnection, name: str, document_ids: Iterable[str]) -> bool:
        """Return whether a table is known to hold none of these documents; nothing is read to find out."""
        with self._lock:
            found = self._facts.get((id(connection), name))
        if found is None or not found.states.keys().isdisjoint(document_ids):
            return False
        return self.table(connection, name)[1] == found.version

    def forget(self, name: str) -> None:
        """Read the tables of this name anew the next time: a clean-up changes their size and not their version."""
        with self._lock:
            for key in [key for key in self._facts if key[1] == name]:
                del self._facts[key]

    def config(self, text: str, origin: str) -> Config | None:
        """Return the config that a table was built with, None for a text that is none (any more)."""
        with self._lock:
            if text in self._configs:
                return self._configs[text]
        try:
            found = parsed(text, origin)
        except ConfigError:
            return None
        with self._lock:
            self._configs[text] = found
            _bound(self._configs, text, MOST_CONFIGS)
        return found


def _bound(held: OrderedDict[_K, _V], newest: _K, most: int) -> None:
    held.move_to_end(newest)
    while len(held) > most:
        held.popitem(last=False)
