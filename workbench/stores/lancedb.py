"""One Lance table per configuration, in a folder: nothing to start, nothing to administer."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from workbench.contracts import StoreConnection, Table, TableInfo, VectorStore
from workbench.errors import DamagedTableError, InputError, SettingsError
from workbench.stores._lancedb_place import Place
from workbench.stores._lancedb_rows import has_metadata, schema_of
from workbench.stores._lancedb_table import LanceTable
from workbench.stores._rows import valid_name


class LanceDB(VectorStore):
    """LanceDB tables as files under the workspace; several programs may read while one writes."""

    label: ClassVar[str] = "LanceDB (files in the workspace)"
    full_text: ClassVar[bool] = True

    index_above: int = Field(
        50_000,
        ge=1_000,
        le=100_000_000,
        description="rows above which an index is built; below, search is exact",
    )
    least_recall: float = Field(
        0.99, ge=0.5, le=1, description="share of the exact 10 nearest that the index must find when measured"
    )
    cache_mb: int = Field(
        512,
        ge=0,
        le=65_536,
        description="memory for vectors of searched tables, in MiB",
        json_schema_extra={"identity": False},
    )
    wait_s: float = Field(
        30.0,
        ge=0,
        le=3_600,
        description="seconds to wait for another writer of the same table",
        json_schema_extra={"identity": False},
    )

    def place(self) -> str:
        """Return "": the folder is the place."""
        return ""

    def connection(self, folder: Path, namespace: str = "") -> StoreConnection:
        """Return the tables under ``folder``, which is made at the first write; no two workspaces share a folder."""
        return _Connection(self, folder.absolute())


class _Connection(StoreConnection):
    def __init__(self, store: LanceDB, folder: Path) -> None:
        self._store = store
        self._place = Place(store, folder)

    def create(self, info: TableInfo) -> Table:
        valid_name(info.name)
        if info.dimension < 1:
            raise SettingsError(f"the table {info.name} cannot hold vectors of {info.dimension} numbers")
        place = self._place
        with place.writing(info.name) as database:
            try:
                opened = place.opened(info.name)
                if not has_metadata(opened):  # a table of the first kind
                    opened.add_columns({"metadata": "''"})
            except ValueError:
                # Not there, or a folder without a version: a process was killed while making it.
                opened = database.create_table(info.name, schema=schema_of(info), exist_ok=True)
            found = place.info(info.name, opened)
        if found.dimension != info.dimension:
            raise SettingsError(
                f"the table {info.name} holds vectors of {found.dimension} numbers, not of {info.dimension}: "
                "delete it first, or use another name"
            )
        return LanceTable(place, found)

    def table(self, name: str) -> Table:
        return LanceTable(self._place, self._place.opened_info(valid_name(name)))

    def tables(self) -> list[TableInfo]:
        found = []
        for path in sorted(self._place.folder.glob("*.lance")):
            try:
                found.append(self.table(path.stem).info)
            except (InputError, SettingsError, DamagedTableError):
                # Being made or dropped right now, left half made by a killed process, not ours, or not to be read.
                continue
        return sorted(found, key=lambda info: info.name)

    def drop(self, name: str) -> None:
        place = self._place
        path = place.path(valid_name(name), ".lance")
        if not path.exists():
            return
        with place.writing(name):
            # Renamed first: readers see the whole table or none, and a kill in between leaves no half table.
            doomed = place.path(name, f".{uuid.uuid4().hex[:8]}.dropped")
            path.rename(doomed)
            shutil.rmtree(doomed)
            place.path(name, ".index.json").unlink(missing_ok=True)
            place.path(name, ".lock").unlink(missing_ok=True)
