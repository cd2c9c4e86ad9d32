"""A store for tests that is one server for all: an SQLite file that every workspace reaches by its address.

It promises little: a document is written row by row, new rows first, then what they replace is deleted. A test can take
the server down, let it die within a write, and see what it was asked.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
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
from workbench.errors import InputError, ServiceError, SettingsError
from workbench.records import Chunk, Vectors
from workbench.stores._rows import check_batch, cosines, query_vector, valid_name

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tables (
    namespace TEXT, name TEXT, dimension INTEGER, about TEXT, version TEXT, PRIMARY KEY (namespace, name)
);
CREATE TABLE IF NOT EXISTS chunks (
    namespace TEXT, name TEXT, id TEXT, document_id TEXT, ordinal INTEGER, state_key TEXT,
    document_chunk_count INTEGER, chunk TEXT, metadata TEXT, vector BLOB, PRIMARY KEY (namespace, name, id)
);
"""


class Died(BaseException):
    """Stands for the end of the process in the middle of a write."""


@dataclass
class Server:
    """What a test can do to the server at one address, and what that was asked."""

    down: bool = False
    rows_to_live: int | None = None
    """So many rows are written or deleted, then it dies."""
    secret: str = ""
    asked: Counter[str] = field(default_factory=Counter)


SERVERS: dict[str, Server] = {}


class OnePlace(VectorStore):
    """One server that all workspaces reach."""

    label: ClassVar[str] = "One place"

    address: str
    api_key: str = ""
    wait_s: float = 1.0

    def place(self) -> str:
        return self.address

    def connection(self, folder: Path, namespace: str = "") -> StoreConnection:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", namespace):
            raise SettingsError(f"one_place was given the namespace {namespace!r}")
        return _Connection(self, namespace)


class _Connection(StoreConnection):
    def __init__(self, store: OnePlace, namespace: str) -> None:
        self._store, self.namespace = store, namespace

    @property
    def server(self) -> Server:
        return SERVERS.setdefault(self._store.address, Server())

    @contextmanager
    def ask(self, what: str) -> Iterator[sqlite3.Connection]:
        server = self.server
        server.asked[what] += 1
        if server.down:
            raise ServiceError(f"the server at {self._store.address} does not answer: start it")
        if server.secret:
            variable = re.fullmatch(r"\$\{env:(\w+)\}", self._store.api_key)
            if variable is None or os.environ.get(variable[1]) != server.secret:
                raise ServiceError(f"the server at {self._store.address} does not know this key")
        with closing(sqlite3.connect(self._store.address, isolation_level=None)) as database:
            database.executescript(_SCHEMA)
            yield database

    def create(self, info: TableInfo) -> Table:
        valid_name(info.name)
        if info.dimension < 1:
            raise SettingsError(f"the table {info.name} cannot hold vectors of {info.dimension} numbers")
        with self.ask("create") as database:
            database.execute(
                "INSERT OR IGNORE INTO tables VALUES (?, ?, ?, ?, ?)",
                (self.namespace, info.name, info.dimension, json.dumps(dict(info.about)), uuid.uuid4().hex),
            )
            found = self._infos(database, info.name)[0]
        if found.dimension != info.dimension:
            raise SettingsError(
                f"the table {info.name} holds vectors of {found.dimension} numbers, not of {info.dimension}"
            )
        return _OneTable(self, found)

    def table(self, name: str) -> Table:
        valid_name(name)
        with self.ask("table") as database:
            found = self._infos(database, name)
        if not found:
            raise InputError(f"there is no table named {name}: build it first", "not_built")
        return _OneTable(self, found[0])

    def tables(self) -> list[TableInfo]:
        with self.ask("tables") as database:
            return self._infos(database)

    def _infos(self, database: sqlite3.Connection, name: str | None = None) -> list[TableInfo]:
        found = database.execute(
            "SELECT name, dimension, about FROM tables WHERE namespace = ? AND name = coalesce(?, name) ORDER BY name",
            (self.namespace, name),
        )
        return [TableInfo(name, dimension, json.loads(about)) for name, dimension, about in found]

    def drop(self, name: str) -> None:
        valid_name(name)
        with self.ask("drop") as database:
            database.execute("DELETE FROM chunks WHERE namespace = ? AND name = ?", (self.namespace, name))
            database.execute("DELETE FROM tables WHERE namespace = ? AND name = ?", (self.namespace, name))


class _OneTable(Table):
    def __init__(self, connection: _Connection, info: TableInfo) -> None:
        self._connection, self.info = connection, info
        self._mine = (connection.namespace, info.name)

    @contextmanager
    def _ask(self, what: str) -> Iterator[sqlite3.Connection]:
        with self._connection.ask(what) as database:
            if not database.execute(
                "SELECT 1 FROM tables WHERE namespace = ? AND name = ?", self._mine
            ).fetchone():
                raise InputError(f"there is no table named {self.info.name}: build it first", "not_built")
            yield database

    def _write(self, database: sqlite3.Connection, statement: str, values: Sequence[object]) -> None:
        server = self._connection.server
        if server.rows_to_live is not None:
            if not server.rows_to_live:
                server.rows_to_live = None
                raise Died
            server.rows_to_live -= 1
        database.execute(statement, values)
        database.execute(
            "UPDATE tables SET version = ? WHERE namespace = ? AND name = ?", (uuid.uuid4().hex, *self._mine)
        )

    def replace_documents(self, batch: Sequence[DocumentRows]) -> None:
        check_batch(self.info, batch)
        with self._ask("replace_documents") as database:
            for rows in batch:
                old = database.execute(
                    "SELECT id FROM chunks WHERE namespace = ? AND name = ? AND document_id = ?",
                    (*self._mine, rows.document_id),
                ).fetchall()
                for chunk, vector in zip(rows.chunks, rows.vectors, strict=True):
                    self._write(
                        database,
                        "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (
                            *self._mine,
                            chunk.id,
                            rows.document_id,
                            chunk.ordinal,
                            rows.state_key,
                            len(rows.chunks),
                            json.dumps(asdict(chunk)),
                            json.dumps(dict(rows.metadata)),
                            vector.tobytes(),
                        ),
                    )
                for gone in sorted({one for (one,) in old} - {chunk.id for chunk in rows.chunks}):
                    self._delete(database, "id", gone)

    def drop_documents(self, document_ids: Sequence[str]) -> None:
        with self._ask("drop_documents") as database:
            for document_id in document_ids:
                self._delete(database, "document_id", document_id)

    def _delete(self, database: sqlite3.Connection, column: str, value: str) -> None:
        statement = f"DELETE FROM chunks WHERE namespace = ? AND name = ? AND {column} = ?"
        self._write(database, statement, (*self._mine, value))

    def _rows(self, what: str, columns: str) -> list[tuple]:  # type: ignore[type-arg]
        with self._ask(what) as database:
            return database.execute(
                f"SELECT {columns} FROM chunks WHERE namespace = ? AND name = ? ORDER BY document_id, ordinal",
                self._mine,
            ).fetchall()

    def states(self, document_ids: Sequence[str] | None = None) -> dict[str, str]:
        found: dict[str, str] = {}
        columns = "document_id, state_key, document_chunk_count"
        held = Counter(self._rows("states", columns))
        for (document_id, key, said), count in held.items():
            found[document_id] = "" if document_id in found or said != count else key
        return {one: key for one, key in found.items() if document_ids is None or one in document_ids}

    def row_count(self) -> int:
        return len(self._rows("row_count", "id"))

    def chunks(self, document_ids: Sequence[str] | None = None) -> list[Chunk]:
        found = [Chunk(**json.loads(text)) for (text,) in self._rows("chunks", "chunk")]
        return [one for one in found if document_ids is None or one.document_id in document_ids]

    def vectors(self, chunk_ids: Sequence[str] | None = None) -> tuple[list[str], Vectors]:
        every = self.rows()
        ids = [chunk.id for chunk in every.chunks]
        if chunk_ids is None:
            return ids, every.vectors
        known = [one for one in chunk_ids if one in ids]
        return known, every.vectors[[ids.index(one) for one in known]]

    def nearest(self, vector: Vectors, k: int, where: Filter | None = None) -> list[tuple[Chunk, float]]:
        asked, every = query_vector(self.info, vector), self.rows()
        scored = [
            (chunk, float(score))
            for chunk, score in zip(every.chunks, cosines(every.vectors, asked), strict=True)
            if where is None or where.allows(chunk, every.metadata.get(chunk.document_id, {}))
        ]
        scored.sort(key=lambda pair: (-pair[1], pair[0].document_id, pair[0].ordinal))
        return scored[: max(0, k)]

    def version(self) -> str:
        with self._ask("version") as database:
            found = database.execute(
                "SELECT version FROM tables WHERE namespace = ? AND name = ?", self._mine
            ).fetchone()
        return str(found[0])

    def rows(self) -> TableRows:
        version = self.version()
        found = self._rows("rows", "chunk, metadata, vector, document_id")
        vectors = [np.frombuffer(data, np.float32) for _, _, data, _ in found]
        return TableRows(
            version,
            [Chunk(**json.loads(text)) for text, *_ in found],
            np.stack(vectors) if vectors else np.zeros((0, self.info.dimension), np.float32),
            {document_id: json.loads(text) for _, text, _, document_id in found},
        )

    def size_bytes(self) -> int:
        return sum(len(text) + len(data) for text, data in self._rows("size_bytes", "chunk, vector"))
