"""What ``workspace.db`` knows of stores: their settings, the tables in them, and deletions that are still due there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from workbench import plugins
from workbench.contracts import VectorStore
from workbench.records import digest
from workbench.workspace.documents import DocumentList, now_utc


class Area(StrEnum):
    """Whose tables: those of the browser's documents, or those of pipelines. They never share a place."""

    DOCUMENTS = "documents"
    PIPELINES = "pipelines"


@dataclass(frozen=True, slots=True)
class KnownStore:
    """A store that tables were written to, with the settings of its last use."""

    area: Area
    key: str
    title: str
    plugin: str
    settings: str
    """As JSON; a secret stands there as ``${env:NAME}``."""

    def store(self) -> VectorStore:
        """Return the plug-in; raises ``SettingsError`` when it is not to be had any more."""
        built: VectorStore = plugins.build("stores", self.plugin, json.loads(self.settings))
        return built


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table as it was when it was last looked at."""

    name: str
    about: Mapping[str, str]
    version: str
    row_count: int
    document_count: int


@dataclass(frozen=True, slots=True)
class DueDeletion:
    """A deleted document whose rows may still stand in a store that could not be reached."""

    store_key: str
    store_title: str
    document_id: str
    document_name: str
    reason: str
    since_utc: str


def store_key(store: VectorStore) -> str:
    """Return what tells a store from others of this workspace: its plug-in and its place."""
    return digest([store.name, store.place()])[:16]


def known_store(store: VectorStore, area: Area) -> KnownStore:
    """Return a store as the catalog keeps it: its settings hold references, no secrets."""
    settings = store.model_dump(mode="json")
    return KnownStore(area, store_key(store), store.title, store.name, json.dumps(settings, sort_keys=True))


class StoreCatalog:
    """The catalog's rows. What is lost here is found again by listing the stores that configs name."""

    def __init__(self, documents: DocumentList) -> None:
        self._documents = documents

    # ── stores ───────────────────────────────────────────────────────────────────────────────────────────────────

    def stores(self, area: Area) -> list[KnownStore]:
        """Return every store that was ever used, in the order of their titles."""
        with self._documents.connection() as db:
            found = db.execute(
                "SELECT area, key, title, plugin, settings FROM stores WHERE area = ? ORDER BY title, key",
                (area,),
            ).fetchall()
        return [KnownStore(Area(area), *rest) for area, *rest in found]

    def note_store(self, known: KnownStore) -> None:
        """Keep a store with its settings of now; nothing is written where they are known."""
        with self._documents.connection() as db:
            before = db.execute(
                "SELECT title, settings FROM stores WHERE area = ? AND key = ?", (known.area, known.key)
            ).fetchone()
        # A row is never equal to a tuple.
        if before is not None and tuple(before) == (known.title, known.settings):
            return
        with self._documents.connection(write=True) as db:
            db.execute(
                "INSERT OR REPLACE INTO stores VALUES (?, ?, ?, ?, ?, ?)",
                (known.area, known.key, known.plugin, known.title, known.settings, now_utc()),
            )

    # ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────

    def tables(self, area: Area) -> dict[str, list[KnownTable]]:
        """Return store key → its tables, as they were when they were last looked at."""
        with self._documents.connection() as db:
            rows = db.execute(
                "SELECT store_key, name, about, version, row_count, document_count FROM store_tables"
                " WHERE area = ? ORDER BY store_key, name",
                (area,),
            ).fetchall()
        found: dict[str, list[KnownTable]] = {}
        for key, name, about, *rest in rows:
            found.setdefault(key, []).append(KnownTable(name, json.loads(about), *rest))
        return found

    def note_tables(self, area: Area, key: str, tables: Iterable[KnownTable]) -> None:
        """Keep what tables a store has, all of them."""
        with self._documents.connection(write=True) as db:
            db.execute("DELETE FROM store_tables WHERE area = ? AND store_key = ?", (area, key))
            db.executemany(
                "INSERT INTO store_tables VALUES (?, ?, ?, ?, ?, ?, ?)",
                [_values(area, key, one) for one in tables],
            )

    def note_table(self, area: Area, key: str, table: KnownTable) -> None:
        """Keep one table."""
        with self._documents.connection(write=True) as db:
            db.execute(
                "INSERT OR REPLACE INTO store_tables VALUES (?, ?, ?, ?, ?, ?, ?)", _values(area, key, table)
            )

    # ── deletions that are due ───────────────────────────────────────────────────────────────────────────────────

    def due(self, area: Area) -> list[DueDeletion]:
        """Return every deletion that is due, the oldest first."""
        with self._documents.connection() as db:
            found = db.execute(
                "SELECT store_key, coalesce(title, store_key), document_id, document_name, reason, since_utc"
                " FROM due_deletions LEFT JOIN stores ON stores.area = due_deletions.area AND key = store_key"
                " WHERE due_deletions.area = ? ORDER BY since_utc, document_name, document_id",
                (area,),
            ).fetchall()
        return [DueDeletion(*values) for values in found]

    def note_due(self, area: Area, key: str, names: Mapping[str, str], reason: str) -> None:
        """Keep that documents, id → name, are still to be deleted in a store, and why they could not be."""
        with self._documents.connection(write=True) as db:
            db.executemany(
                "INSERT INTO due_deletions VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET reason = excluded.reason",
                [(area, key, one, name, reason, now_utc()) for one, name in names.items()],
            )

    def forget_due(self, area: Area, key: str, document_ids: Iterable[str]) -> None:
        """Note that documents are deleted in a store."""
        with self._documents.connection(write=True) as db:
            db.executemany(
                "DELETE FROM due_deletions WHERE area = ? AND store_key = ? AND document_id = ?",
                [(area, key, one) for one in document_ids],
            )


def _values(area: Area, key: str, table: KnownTable) -> tuple[object, ...]:
    about = json.dumps(dict(table.about), sort_keys=True)
    return area, key, table.name, about, table.version, table.row_count, table.document_count
