"""A table that fails when a test says so: before it has written, or after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workbench.contracts import StoreConnection, Table, TableInfo
from workbench.sync import Pipeline


class Killed(BaseException):
    """Stands for the end of the process: no part of the program may take it for an error it knows."""


@dataclass
class Fuse:
    """Lets ``safe`` touches of the store pass, then fails. Every write is touched twice: before and after."""

    safe: int | None = None
    error: BaseException = field(default_factory=Killed)

    def touch(self) -> None:
        """Raise once the safe touches are used up."""
        if self.safe is None:
            return
        self.safe -= 1
        if self.safe < 0:
            self.safe = None
            raise self.error


def _fragile(table: Table, fuse: Fuse) -> Table:
    """Return the table with writes that touch the fuse; all else is the table's own."""

    def between(write: Callable[[Any], None]) -> Callable[[Any], None]:
        def wrapped(argument: Any) -> None:
            fuse.touch()
            write(argument)
            fuse.touch()

        return wrapped

    table.replace_documents = between(table.replace_documents)  # type: ignore[method-assign]
    table.drop_documents = between(table.drop_documents)  # type: ignore[method-assign]
    return table


class FragileConnection(StoreConnection):
    """A connection whose tables fail when the fuse says so."""

    def __init__(self, inner: StoreConnection, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    def create(self, info: TableInfo) -> Table:
        return _fragile(self._inner.create(info), self._fuse)

    def table(self, name: str) -> Table:
        return _fragile(self._inner.table(name), self._fuse)

    def tables(self) -> list[TableInfo]:
        return self._inner.tables()

    def drop(self, name: str) -> None:
        self._inner.drop(name)


def with_fuse(pipeline: Pipeline, fuse: Fuse) -> Pipeline:
    """Return the pipeline with a store that fails when the fuse says so."""
    place = pipeline.place
    made = Pipeline(place.workspace, place.config, place.folder, place.clock)
    made.place.__dict__["connection"] = FragileConnection(place.connection, fuse)
    return made
