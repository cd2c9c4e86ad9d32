"""Every store that this workspace has tables in: opened by its settings, listed, and deleted from, up or down."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import plugins
from workbench.config import parsed
from workbench.contracts import StoreConnection, Table, TableInfo, VectorStore
from workbench.counts import counted
from workbench.errors import (
    Cancelled,
    ConfigError,
    DamagedTableError,
    InputError,
    ServiceError,
    SettingsError,
    WorkbenchError,
)
from workbench.ingest.ledger import Ledger
from workbench.workspace.identity import workspace_id
from workbench.workspace.store_catalog import (
    Area,
    DueDeletion,
    KnownStore,
    KnownTable,
    StoreCatalog,
    known_store,
    store_key,
)
from workbench.workspace.table_facts import FactsCache

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that answered, with the tables that it has of this workspace."""

    key: str
    store: VectorStore
    connection: StoreConnection
    tables: tuple[TableInfo, ...]


@dataclass(frozen=True, slots=True)
class StoreListing:
    """What the stores of one area hold, and a sentence on each that could not be reached."""

    stores: tuple[OpenStore, ...]
    unreachable: tuple[str, ...]


class Stores:
    """The stores of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.catalog = StoreCatalog(workspace.document_list)
        self.facts = FactsCache()
        self._connections: dict[tuple[Area, VectorStore], StoreConnection] = {}
        self._lock = threading.Lock()

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────

    def folder(self, area: Area) -> Path:
        """Return where stores that live in files keep the tables of an area."""
        folder = self._workspace.folder
        return (folder if area == Area.DOCUMENTS else folder / "pipelines") / "tables"

    def namespace(self, store: VectorStore, area: Area) -> str:
        """Return what keeps this workspace's tables apart on a server, "" where the folder does that."""
        if not store.place():
            return ""
        own = workspace_id(self._workspace.folder)
        return own if area == Area.DOCUMENTS else f"{own}_pipelines"

    def connection(self, store: VectorStore, area: Area) -> StoreConnection:
        """Return the tables that a store has of this workspace."""
        with self._lock:
            found = self._connections.get((area, store))
        if found is None:
            found = store.connection(self.folder(area), self.namespace(store, area))
            with self._lock:
                found = self._connections.setdefault((area, store), found)
        return found

    def use(self, store: VectorStore, area: Area) -> None:
        """Keep a store with its settings, before the first table is written there.

        What is still due there is deleted now. Raises ``SettingsError`` for a secret that is written out.
        """
        known = known_store(store, area)
        if not self.catalog.stores(area):
            self._refill(area)
        self.catalog.note_store(known)
        self.retry_deletions(area, store)

    def note_table(self, store: VectorStore, area: Area, info: TableInfo) -> None:
        """Keep a table's facts as they are after a write; trouble is none of the writer's."""
        with suppress(WorkbenchError):
            self.facts.forget(info.name)
            facts = self.facts.facts(self.connection(store, area), info.name)
            table = KnownTable(info.name, info.about, facts.version, facts.row_count, len(facts.states))
            self.catalog.note_table(area, store_key(store), table)

    # ── listing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def known_stores(self, area: Area, beside: Sequence[VectorStore] = ()) -> list[KnownStore]:
        """Return the stores of the catalog, the default one, and those ``beside``; each place once."""
        found = {known.key: known for known in self.catalog.stores(area) or self._refill(area)}
        # Tables of before there was a catalog lie in the default store.
        for store in (*beside, plugins.build("stores", "lancedb")):
            if store_key(store) not in found:
                known = known_store(store, area)
                found[known.key] = known
        return list(found.values())

    def listing(self, area: Area, beside: Sequence[VectorStore] = ()) -> StoreListing:
        """Return the tables of every store; one that is down is named, and keeps no other from being listed."""
        stores, unreachable = [], []
        remembered = self.catalog.tables(area)
        for known in self.known_stores(area, beside):
            before = remembered.get(known.key, [])
            try:
                found = self._opened(known)
            except Cancelled:
                raise
            except WorkbenchError as error:
                unreachable.append(_unreachable(known, len(before), error))
                continue
            stores.append(found)
            self._remember(known, before, found)
        return StoreListing(tuple(stores), tuple(unreachable))

    def _opened(self, known: KnownStore) -> OpenStore:
        store = known.store()
        connection = self.connection(store, known.area)
        return OpenStore(known.key, store, connection, tuple(connection.tables()))

    def _remember(self, known: KnownStore, before: Sequence[KnownTable], found: OpenStore) -> None:
        """Bring the catalog to what a store just listed; a full disk is no reason not to list."""
        old = {one.name: one for one in before}
        same = {info.name for info in found.tables} == old.keys()
        if same and all(dict(old[info.name].about) == dict(info.about) for info in found.tables):
            return
        tables = [
            KnownTable(info.name, info.about, one.version, one.row_count, one.document_count)
            if (one := old.get(info.name)) is not None
            else KnownTable(info.name, info.about, "", 0, 0)
            for info in found.tables
        ]
        with suppress(ServiceError):
            self.catalog.note_store(known)
            self.catalog.note_tables(known.area, known.key, tables)

    # ── deleting ─────────────────────────────────────────────────────────────────────────────────────────────────

    def delete_documents(self, names: Mapping[str, str], area: Area) -> list[DueDeletion]:
        """Remove the rows of documents, id → name, from every table of every store.

        Where a store cannot be reached the deletion is due: it is returned, and done at the next build, sync, delete
        or open of that store.
        """
        due = self.catalog.due(area)
        for known in self.known_stores(area):
            before = {one.document_id: one.document_name for one in due if one.store_key == known.key}
            trouble = self._delete(known, {**before, **names}, retried=before.keys() - names.keys())
            if trouble is not None:
                # Kept before the caller forgets the document: else nobody would know what stands there.
                try:
                    self.catalog.note_store(known)
                    self.catalog.note_due(area, known.key, {**before, **names}, str(trouble))
                except ServiceError:
                    # A disk that takes nothing: what cannot be kept is told at once, and the document stays listed.
                    raise trouble from None
            elif before:
                self.catalog.forget_due(area, known.key, before)
        return [one for one in self.catalog.due(area) if one.document_id in names]

    def retry_deletions(self, area: Area, store: VectorStore | None = None) -> list[DueDeletion]:
        """Do what is due, in one store or in all; return what still is. Never raises because a store is down."""
        due = self.catalog.due(area)
        wanted = {one.store_key for one in due}
        if store is not None:
            wanted &= {store_key(store)}
        if not wanted:
            return due
        for known in self.known_stores(area, () if store is None else (store,)):
            if known.key not in wanted:
                continue
            names = {one.document_id: one.document_name for one in due if one.store_key == known.key}
            trouble = self._delete(known, names, retried=names.keys())
            with suppress(ServiceError):
                if trouble is None:
                    self.catalog.forget_due(area, known.key, names)
                else:
                    self.catalog.note_due(area, known.key, names, str(trouble))
        return self.catalog.due(area)

    def _delete(
        self, known: KnownStore, names: Mapping[str, str], retried: Set[str]
    ) -> WorkbenchError | None:
        """Delete in every table of a store that can be written; return what kept one of them from it.

        Of those that are ``retried``, rows stay that a build wrote since the document came back.
        """
        trouble: WorkbenchError | None = None
        try:
            found = self._opened(known)
        except Cancelled:
            raise
        except WorkbenchError as error:
            return error
        for info in found.tables:
            try:
                if not self.facts.lacks(found.connection, info.name, names):
                    table = found.connection.table(info.name)
                    if damage := table.damage():
                        # Its rows may be unreadable now and readable again when somebody puts a file back.
                        raise DamagedTableError(info.name, damage)
                    table.drop_documents(sorted(names.keys() - self._up_to_date(table, retried)))
            except Cancelled:
                raise
            except InputError:
                continue  # dropped by somebody else since it was listed
            except WorkbenchError as error:
                trouble = error
        return trouble

    def _up_to_date(self, table: Table, document_ids: Set[str]) -> Set[str]:
        """Return which of these documents are listed, and in a table as their contents are now."""
        if not document_ids:
            return set()
        query = (
            "SELECT states.document_id, states.state FROM states JOIN documents ON documents.id = states.document_id"
            " WHERE states.table_name = ? AND states.parse_key LIKE documents.content_hash || '-%'"
        )
        with self._workspace.document_list.connection() as db:
            known = {
                one: state for one, state in db.execute(query, (table.info.name,)) if one in document_ids
            }
        return {one for one, state in table.states(sorted(known)).items() if state == known[one]}

    # ── a catalog that was lost ──────────────────────────────────────────────────────────────────────────────────

    def _refill(self, area: Area) -> list[KnownStore]:
        """Find the stores again where the catalog names none: the default one, those of saved configs and of releases."""
        found = []
        for store in (plugins.build("stores", "lancedb"), *self._named_stores(area)):
            with suppress(SettingsError):
                found.append(known_store(store, area))
        # A full disk is no reason not to list.
        with suppress(ServiceError):
            for known in found:
                self.catalog.note_store(known)
        return found

    def _named_stores(self, area: Area) -> Iterator[VectorStore]:
        workspace = self._workspace
        if area == Area.DOCUMENTS:
            yield from (config.store for config in workspace.configs())
            return
        texts: list[str] = []
        for path in sorted((workspace.folder / "pipelines" / "configs").glob("*.yaml")):
            with suppress(OSError, UnicodeDecodeError):
                texts.append(path.read_text(encoding="utf-8"))
        ledger_file = workspace.folder / "pipelines" / "ledger.db"
        if ledger_file.exists():
            ledger = Ledger(ledger_file)
            texts += [one.config for name in ledger.pipelines() for one in ledger.releases.all(name)]
        for text in texts:
            with suppress(ConfigError):
                yield parsed(text).store


def _unreachable(known: KnownStore, table_count: int, error: WorkbenchError) -> str:
    held = f" with {counted(table_count, 'table')}" if table_count else ""
    return f"the store {known.title}{held} cannot be reached: {error}"


def describe_due(due: Sequence[DueDeletion]) -> list[str]:
    """Return a sentence for each store in which deletions are due."""
    by_store: dict[str, list[DueDeletion]] = {}
    for one in due:
        by_store.setdefault(one.store_key, []).append(one)
    return [
        f"{counted(len(some), 'document')} may still have rows that are to be deleted in the store"
        f" {some[0].store_title}: {_names(some)}. {some[0].reason}. The next build, sync, deletion or search that reaches the"
        " store deletes them"
        for some in by_store.values()
    ]


def _names(due: Sequence[DueDeletion], most: int = 3) -> str:
    shown = ", ".join(one.document_name for one in due[:most])
    return f"{shown} and {len(due) - most:,} more" if len(due) > most else shown
