"""Publish, roll back, clean, and ask what is published: a release is a pointer to a table and the config to ask it."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass

from workbench import pipeline
from workbench.config import Config, parsed, written
from workbench.contracts import Filter, StoreConnection, Tick, no_tick
from workbench.errors import (
    BusyError,
    ConfigError,
    DamagedTableError,
    InputError,
    MissingPackageError,
    ServiceError,
    SettingsError,
    WorkbenchError,
)
from workbench.ingest.entries import Release
from workbench.ingest.lock import pipeline_lock
from workbench.records import Hit
from workbench.sections import Release as ReleaseSettings
from workbench.sync.found_again import UNKNOWN_POINTER
from workbench.sync.gate import GateResult, gate
from workbench.sync.place import Place
from workbench.sync.texts import Texts
from workbench.workspace.store_catalog import Area
from workbench.workspace.tables import with_top_k


class GateRefused(WorkbenchError):
    """The gate stays shut; ``result`` has the figures."""

    def __init__(self, name: str, result: GateResult) -> None:
        self.result = result
        super().__init__(f"{name} is not published: {'; '.join(result.reasons)}. To publish anyway: --force")


@dataclass(frozen=True, slots=True)
class TableOnDisk:
    """A table of a pipeline, and what it is to it."""

    name: str
    size_bytes: int
    rows: int
    release_ids: tuple[int, ...]
    """Releases that point to it, newest first."""
    is_published: bool
    is_current: bool
    """Whether it is the one that this config writes."""
    store: str = ""
    """The store that it is in, as messages name it."""


@dataclass(frozen=True, slots=True)
class TablesOnDisk:
    """The tables of a pipeline in every store, the published one first, and what has to be said of the others."""

    tables: tuple[TableOnDisk, ...]
    unreachable: tuple[str, ...]
    """A sentence on each store or table that cannot be reached."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning removed."""

    tables: tuple[TableOnDisk, ...]
    blobs: int
    unreachable: tuple[str, ...] = ()
    """A sentence on each store that could not be reached: what should leave it is dropped by a later cleaning."""

    @property
    def size_bytes(self) -> int:
        """The space the removed tables took."""
        return sum(table.size_bytes for table in self.tables)


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, and the release that gave them; None where nothing is published and the config's own table was asked."""

    hits: tuple[Hit, ...]
    release: Release | None
    uris: dict[str, str]
    """Document id → where the document lives."""


def publish(place: Place, force: bool = False, tick: Tick = no_tick) -> tuple[Release, GateResult]:
    """Point the pipeline at the config's table, if the gate opens or with ``force``.

    Raises ``GateRefused`` with the figures. Nothing is copied: asking switches from one table to the other at once.
    """
    # No sync may change the table between what the gate measured and what is published.
    with pipeline_lock(place.lock_path, place.name, 0):
        releases = place.ledger.releases
        result = gate(place, releases.published(place.name), tick)
        if not result.passed and not force:
            raise GateRefused(place.name, result)
        budget = place.config.budget
        release = releases.publish(
            place.name,
            place.table_name,
            written(place.query_side),
            place.model.title,
            result.as_dict(),
            not result.passed,
            place.now_utc(),
            # A budget of minutes alone says nothing of a price, and is written down with a price of 0.
            (budget.price_per_million_tokens or None) if budget is not None else None,
        )
    return release, result


def roll_back(place: Place) -> Release:
    """Point the pipeline at the release before the published one.

    Raises ``InputError`` when there is none, or when nobody could ask it any more: then all stays as it is.
    """
    releases = place.ledger.releases
    target = releases.earlier(place.name)
    config = parsed(target.config, f"release {target.id}")
    there = place.beside(config)
    if not there.has_table(target.table_name):
        raise InputError(
            f"release {target.id} cannot be gone back to: its table {target.table_name} is not there any more;"
            " releases --clean takes such releases off the list",
            "no_earlier_release",
        )
    if damage := there.connection.table(target.table_name).damage():
        raise DamagedTableError(target.table_name, damage)
    releases.roll_back(place.name, target, place.now_utc())
    return target


def tables(place: Place) -> TablesOnDisk:
    """Return every table of the pipeline with the space it takes, from every store that can be reached."""
    found, unreachable = _tables(place)
    return TablesOnDisk(tuple(table for table, _ in found), tuple(unreachable))


def clean(place: Place) -> Cleaned:
    """Drop the tables that nobody can go back to, and the texts that only they needed.

    Kept are the published table, those of the newest ``release.keep`` releases, the config's own, and the one that
    was synced last: it may be somebody's next release. Releases whose table is gone are taken off the list.
    """
    with pipeline_lock(place.lock_path, place.name, 0):
        if place.ledger.releases.published(place.name) is None:
            _check_pointer(place)
        gone, unforgotten = [], []
        beyond, unreachable = _beyond(place)
        for table, connection in beyond:
            try:
                forgotten = _forgotten(place, table)
            except BusyError:
                raise
            except ServiceError:
                # A full disk: the tables themselves make room.
                forgotten = not _is_published(place, table)
                if forgotten:
                    unforgotten.append(table)
            if not forgotten:
                continue
            try:
                connection.drop(table.name)
            except ServiceError as error:
                # No release points to it any more: the next cleaning lists it again, and drops it.
                unreachable.append(f"the table {table.name} could not be dropped: {error}")
                continue
            gone.append(table)
        # Where they made too little room the next clean takes their releases off the list.
        with suppress(ServiceError) if unforgotten else nullcontext():
            for table in unforgotten:
                _forgotten(place, table)
            for release in place.ledger.releases.all(place.name):
                config = _config_of(release)
                if config is not None and _is_gone(place.beside(config), release.table_name):
                    place.ledger.releases.forget([release.id])
    blobs = 0
    with suppress(ServiceError) if gone else nullcontext():
        if place.ledger.is_whole:
            blobs = place.kept.clean(place.ledger.content_hashes, place.ledger.parse_keys)
    return Cleaned(tuple(gone), blobs, tuple(unreachable))


def _is_gone(there: Place, table_name: str) -> bool:
    """Return whether a table is known not to be there; nobody knows of a store that is down."""
    try:
        return not there.has_table(table_name)
    except (ServiceError, SettingsError, MissingPackageError):
        return False


def _check_pointer(place: Place) -> None:
    """Raise ``InputError`` where a lost ledger knew what is published: no other table may pass for it."""
    if place.ledger.releases.all(place.name) or not (
        place.ledger.knows(place.name) or not place.has_table(place.table_name)
    ):
        raise InputError(UNKNOWN_POINTER.format(name=place.name), "not_published")


def _forgotten(place: Place, table: TableOnDisk) -> bool:
    """Take a table out of the ledger; False where it has been published in the meantime."""
    if not place.ledger.releases.forget(list(table.release_ids)):
        return False
    place.ledger.forget_table(place.name, table.name)
    return True


def _is_published(place: Place, table: TableOnDisk) -> bool:
    published = place.ledger.releases.published(place.name)
    return published is not None and published.table_name == table.name


def cleanable(place: Place) -> list[TableOnDisk]:
    """Return the tables that ``clean`` would drop now."""
    return [table for table, _ in _beyond(place)[0]]


def answer(place: Place, question: str, k: int | None = None, where: Filter | None = None) -> Answer:
    """Return the hits of what is published, with the model and the settings it was published with."""
    release = place.ledger.releases.published(place.name)
    config, table_name = place.config, place.table_name
    if release is None:
        _check_pointer(place)
    if release is not None:
        config, table_name = parsed(release.config, f"release {release.id}"), release.table_name
    there = place.beside(config)
    try:
        table = there.connection.table(table_name)
    except InputError as error:
        raise InputError(f"{place.name} has no table yet: sync first", "not_built") from error
    asked = config if k is None else with_top_k(config, k)
    texts = Texts(place, table_name)
    hits = pipeline.hits(
        question,
        asked,
        table,
        there.model,
        where,
        cache=place.workspace.vector_cache,
        document=texts.document,
    )
    uris = {hit.chunk.document_id: texts.uri(hit.chunk.document_id) for hit in hits}
    return Answer(tuple(hits), release, uris)


def _beyond(place: Place) -> tuple[list[tuple[TableOnDisk, StoreConnection]], list[str]]:
    keep = (place.config.release or ReleaseSettings()).keep
    releases = place.ledger.releases.all(place.name)
    kept = {release.table_name for release in releases[:keep]}
    kept |= {run.table_name for run in place.ledger.runs.recent(place.name, 1)}
    found, unreachable = _tables(place)
    beyond = [
        (table, connection)
        for table, connection in found
        if not (table.name in kept or table.is_published or table.is_current)
    ]
    return beyond, unreachable


def _tables(place: Place) -> tuple[list[tuple[TableOnDisk, StoreConnection]], list[str]]:
    """Return the tables of the pipeline in every store, and a sentence on each that cannot be reached."""
    releases = place.ledger.releases.all(place.name)
    published = place.ledger.releases.published(place.name)
    configs = [config for config in map(_config_of, releases) if config is not None]
    stores = place.workspace.stores
    listing = stores.listing(Area.PIPELINES, [place.config.store, *(config.store for config in configs)])
    found, unreachable = [], list(listing.unreachable)
    for store in listing.stores:
        for info in store.tables:
            if info.about.get("pipeline") != place.name:
                continue
            try:
                facts = stores.facts.facts(store.connection, info.name)
            except InputError:
                continue  # dropped by somebody else since it was listed
            except ServiceError as error:
                unreachable.append(f"the table {info.name} in {store.store.title} cannot be read: {error}")
                continue
            ids = tuple(release.id for release in releases if release.table_name == info.name)
            is_published = published is not None and published.table_name == info.name
            is_current = info.name == place.table_name
            table = TableOnDisk(
                info.name, facts.size_bytes, facts.row_count, ids, is_published, is_current, store.store.title
            )
            found.append((table, store.connection))
    found.sort(key=lambda one: (not one[0].is_published, not one[0].is_current, one[0].name))
    return found, unreachable


def _config_of(release: Release) -> Config | None:
    try:
        return parsed(release.config, f"release {release.id}")
    except ConfigError:  # its plug-in was removed since
        return None
