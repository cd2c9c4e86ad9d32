"""Tables in this process, searched exactly: the reference that every other store is compared with."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from workbench.contracts import (
    DocumentRows,
    Filter,
    StoreConnection,
    Table,
    TableInfo,
    TableRows,
    VectorStore,
)
from workbench.errors import InputError, SettingsError
from workbench.records import Chunk, Vectors
from workbench.stores._rows import check_batch, cosines, query_vector, valid_name


@dataclass(frozen=True)
class _State:
    """What a table held between two writes."""

    rows: dict[str, DocumentRows]
    version: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass
class _Kept:
    """One table's rows by document id. ``state`` is replaced as a whole, so a reader sees one state."""

    info: TableInfo
    state: _State = field(default_factory=lambda: _State({}))


@dataclass
class _Place:
    """The tables of one folder, and the lock that every write holds."""

    tables: dict[str, _Kept] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_PLACES: dict[str, _Place] = {}


class Memory(VectorStore):
    """Keep tables in memory until the program ends; connections to one folder share them."""

    label: ClassVar[str] = "Memory (nothing is kept)"

    def place(self) -> str:
        """Return "": the tables are those of the folder."""
        return ""

    def connection(self, folder: Path, namespace: str = "") -> StoreConnection:
        """Return the tables that this process keeps for ``folder``; no file is read or written."""
        return _Connection(_PLACES.setdefault(str(folder.absolute()), _Place()))


class _Connection(StoreConnection):
    def __init__(self, place: _Place) -> None:
        self._place = place

    def create(self, info: TableInfo) -> Table:
        valid_name(info.name)
        if info.dimension < 1:
            raise SettingsError(f"the table {info.name} cannot hold vectors of {info.dimension} numbers")
        with self._place.lock:
            kept = self._place.tables.setdefault(info.name, _Kept(replace(info, about=dict(info.about))))
        if kept.info.dimension != info.dimension:
            raise SettingsError(
                f"the table {info.name} holds vectors of {kept.info.dimension} numbers, not of {info.dimension}: "
                "delete it first, or use another name"
            )
        return _MemoryTable(self._place, kept.info)

    def table(self, name: str) -> Table:
        return _MemoryTable(self._place, _kept(self._place, valid_name(name)).info)

    def tables(self) -> list[TableInfo]:
        return [self._place.tables[name].info for name in sorted(self._place.tables)]

    def drop(self, name: str) -> None:
        valid_name(name)
        with self._place.lock:
            self._place.tables.pop(name, None)


def _kept(place: _Place, name: str) -> _Kept:
    kept = place.tables.get(name)
    if kept is None:
        raise InputError(f"there is no table named {name}: build it first", "not_built")
    return kept


class _MemoryTable(Table):
    def __init__(self, place: _Place, info: TableInfo) -> None:
        self._place = place
        self.info = info

    def _state(self) -> _State:
        return _kept(self._place, self.info.name).state

    def _rows(self) -> dict[str, DocumentRows]:
        return self._state().rows

    def replace_documents(self, batch: Sequence[DocumentRows]) -> None:
        check_batch(self.info, batch)
        with self._place.lock:
            kept = _kept(self._place, self.info.name)
            rows = {**kept.state.rows, **{new.document_id: _copied(new) for new in batch}}
            kept.state = _State(
                {document_id: rows[document_id] for document_id in sorted(rows) if rows[document_id].chunks}
            )

    def drop_documents(self, document_ids: Sequence[str]) -> None:
        gone = set(document_ids)
        with self._place.lock:
            kept = _kept(self._place, self.info.name)
            kept.state = _State({key: rows for key, rows in kept.state.rows.items() if key not in gone})

    def states(self, document_ids: Sequence[str] | None = None) -> dict[str, str]:
        return {one: rows.state_key for one, rows in _named(self._rows(), document_ids).items()}

    def counts(self, document_ids: Sequence[str] | None = None) -> dict[str, int]:
        return {one: len(rows.chunks) for one, rows in _named(self._rows(), document_ids).items()}

    def row_count(self) -> int:
        return sum(len(rows.chunks) for rows in self._rows().values())

    def chunks(self, document_ids: Sequence[str] | None = None) -> list[Chunk]:
        return [chunk for rows in _named(self._rows(), document_ids).values() for chunk in rows.chunks]

    def vectors(self, chunk_ids: Sequence[str] | None = None) -> tuple[list[str], Vectors]:
        found = self.rows()
        ids, every = [chunk.id for chunk in found.chunks], found.vectors
        if chunk_ids is None:
            return ids, every
        position = {chunk_id: i for i, chunk_id in enumerate(ids)}
        known = [chunk_id for chunk_id in chunk_ids if chunk_id in position]
        return known, every[[position[chunk_id] for chunk_id in known]]

    def nearest(self, vector: Vectors, k: int, where: Filter | None = None) -> list[tuple[Chunk, float]]:
        asked = query_vector(self.info, vector)
        scored = [
            (chunk, float(score))
            for rows in self._rows().values()
            for chunk, score in zip(rows.chunks, cosines(rows.vectors, asked), strict=True)
            if where is None or where.allows(chunk, rows.metadata)
        ]
        scored.sort(key=lambda pair: (-pair[1], pair[0].document_id, pair[0].ordinal))
        return scored[: max(0, k)]

    def version(self) -> str:
        return self._state().version

    def rows(self) -> TableRows:
        state = self._state()
        documents = state.rows.values()
        nothing = np.zeros((0, self.info.dimension), np.float32)
        return TableRows(
            state.version,
            [chunk for document in documents for chunk in document.chunks],
            np.concatenate([nothing, *(document.vectors for document in documents)]),
            {document.document_id: document.metadata for document in documents},
        )

    def size_bytes(self) -> int:
        return sum(
            rows.vectors.nbytes + sum(len(chunk.text.encode()) for chunk in rows.chunks)
            for rows in self._rows().values()
        )


def _named(rows: dict[str, DocumentRows], document_ids: Sequence[str] | None) -> dict[str, DocumentRows]:
    if document_ids is None:
        return rows
    wanted = set(document_ids)
    return {document_id: found for document_id, found in rows.items() if document_id in wanted}


def _copied(rows: DocumentRows) -> DocumentRows:
    return replace(rows, chunks=tuple(rows.chunks), vectors=rows.vectors.copy(), metadata=dict(rows.metadata))
