"""What a plan has to do, item by item: on the disk, because a first sync may name a hundred thousand items."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workbench.database import scratch, temporary_folder
from workbench.files import database_error
from workbench.ingest.entries import Key


class Action(StrEnum):
    """What is to be done with one item."""

    ADD = "add"
    CHANGE = "change"
    REBUILD = "rebuild"
    """Its content is here; this table does not hold it as this config makes it. Nothing is fetched."""
    RETRY = "retry"
    KEEP = "keep"
    WAIT = "wait"
    """It failed, and is not due yet."""
    REMOVE = "remove"


IDLE = (Action.KEEP, Action.WAIT)
"""Nothing is done."""


@dataclass(frozen=True, slots=True)
class Step:
    """One item that needs work. ``fetch`` is False where its newest content is here already."""

    action: Action
    key: Key
    fetch: bool


class Steps:
    """Steps in the order in which they were added. They may be read in any thread, in one at a time."""

    def __init__(self) -> None:
        self._count = 0
        with _translated():
            self._database = scratch()
            self._database.execute(
                "CREATE TABLE steps (number INTEGER PRIMARY KEY, action TEXT, source TEXT, item_id TEXT, fetch INTEGER)"
            )
            # Never ended: nobody else sees the file, and a transaction a step would take longer.
            self._database.execute("BEGIN")

    def add(self, step: Step) -> None:
        """Put a step behind the others."""
        with _translated():
            self._database.execute(
                "INSERT INTO steps (action, source, item_id, fetch) VALUES (?, ?, ?, ?)",
                (step.action.value, *step.key, step.fetch),
            )
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Step]:
        query = "SELECT action, source, item_id, fetch FROM steps ORDER BY number"
        with _translated():
            for action, source, item_id, fetch in self._database.execute(query):
                yield Step(Action(action), (source, item_id), bool(fetch))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise database_error(Path(temporary_folder()), error) from error
