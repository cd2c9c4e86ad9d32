"""Publish, roll back, clean, and ask what is published: a release is a pointer to a table and the config to ask it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

from workbench import pipeline
from workbench.config import Config, parsed, written
from workbench.contracts import Filter, StoreConnection, Tick, VectorStore, no_tick
from workbench.errors import (
    BusyError,
    ConfigError,
    DamagedTableError,
    InputError,
    ServiceError,
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


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning removed."""

    tables: tuple[TableOnDisk, ...]
    blobs: int

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


def tables(place: Place) -> list[TableOnDisk]:
    """Return every table of the pipeline with the space it takes, the published one first."""
    return [table for table, _ in _tables(place)]


def clean(place: Place) -> Cleaned:
    """Drop the tables that nobody can go back to, and the texts that only they needed.

    Kept are the published table, those of the newest ``release.keep`` releases, the config's own, and the one that
    was synced last: it may be somebody's next release. Releases whose table is gone are taken off the list.
    """
    with pipeline_lock(place.lock_path, place.name, 0):
        if place.ledger.releases.published(place.name) is None:
            _check_pointer(place)
        gone, unforgotten = [], []
        for table, connection in _beyond(place):
            try:
                forgotten = _forgotten(place, table)
            except BusyError:
                raise
            except ServiceError:
                # A full disk: the tables themselves make room.
                forgotten = not _is_published(place, table)
                if forgotten:
                    unforgotten.append(table)
            if forgotten:
                connection.drop(table.name)
                gone.append(table)
        # Where they made too little room the next clean takes their releases off the list.
        with suppress(ServiceError) if unforgotten else nullcontext():
            for table in unforgotten:
                _forgotten(place, table)
            for release in place.ledger.releases.all(place.name):
                config = _config_of(release)
                if config is not None and not place.beside(config).has_table(release.table_name):
                    place.ledger.releases.forget([release.id])
    blobs = 0
    with suppress(ServiceError) if gone else nullcontext():
        if place.ledger.is_whole:
            blobs = place.kept.clean(place.ledger.content_hashes, place.ledger.parse_keys)
    return Cleaned(tuple(gone), blobs)


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
    return [table for table, _ in _beyond(place)]


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


def _beyond(place: Place) -> list[tuple[TableOnDisk, StoreConnection]]:
    keep = (place.config.release or ReleaseSettings()).keep
    releases = place.ledger.releases.all(place.name)
    kept = {release.table_name for release in releases[:keep]}
    kept |= {run.table_name for run in place.ledger.runs.recent(place.name, 1)}
    return [
        (table, connection)
        for table, connection in _tables(place)
        if not (table.name in kept or table.is_published or table.is_current)
    ]


def _tables(place: Place) -> list[tuple[TableOnDisk, StoreConnection]]:
    releases = place.ledger.releases.all(place.name)
    published = place.ledger.releases.published(place.name)
    found = []
    for store in _stores(place, releases):
        connection = store.connection(place.root / "tables")
        for info in connection.tables():
            if info.about.get("pipeline") != place.name:
                continue
            try:
                table = connection.table(info.name)
                size, rows = table.size_bytes(), table.row_count()
            except InputError:
                continue  # dropped by somebody else since it was listed
            ids = tuple(release.id for release in releases if release.table_name == info.name)
            is_published = published is not None and published.table_name == info.name
            is_current = info.name == place.table_name
            found.append((TableOnDisk(info.name, size, rows, ids, is_published, is_current), connection))
    return sorted(found, key=lambda one: (not one[0].is_published, not one[0].is_current, one[0].name))


def _stores(place: Place, releases: Sequence[Release]) -> list[VectorStore]:
    stores = {place.config.store.name: place.config.store}
    for release in releases:
        config = _config_of(release)
        if config is not None:
            stores.setdefault(config.store.name, config.store)
    return list(stores.values())


def _config_of(release: Release) -> Config | None:
    try:
        return parsed(release.config, f"release {release.id}")
    except ConfigError:  # its plug-in was removed since
        return None
