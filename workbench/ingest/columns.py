"""The ledger's entries as rows of its tables, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

from workbench.ingest.entries import Failure, Item, State

ITEM_COLUMNS = tuple(one.name for one in fields(Item))
STATE_COLUMNS = tuple(one.name for one in fields(State))
FAILURE_COLUMNS = tuple(one.name for one in fields(Failure))
_RETRYABLE = FAILURE_COLUMNS.index("retryable")


def item(row: Sequence[Any]) -> Item:
    """Return the item of a row in the order of ``ITEM_COLUMNS``."""
    values = [*row[:-1], json.loads(row[-1])]
    return Item(*values)


def state(row: Sequence[Any]) -> State:
    """Return the state of a row in the order of ``STATE_COLUMNS``."""
    return State(*row)


def failure(row: Sequence[Any]) -> Failure:
    """Return the failure of a row in the order of ``FAILURE_COLUMNS``."""
    values = list(row)
    values[_RETRYABLE] = bool(values[_RETRYABLE])
    return Failure(*values)


def item_row(one: Item) -> tuple[Any, ...]:
    """Return an item in the order of ``ITEM_COLUMNS``."""
    values = (getattr(one, name) for name in ITEM_COLUMNS[:-1])
    return (*values, json.dumps(dict(one.about), ensure_ascii=False))


def failure_row(one: Failure) -> tuple[Any, ...]:
    """Return a failure in the order of ``FAILURE_COLUMNS``."""
    return tuple(int(value) if isinstance(value, bool) else value for value in astuple(one))
