"""A pipeline over a shelf of three texts, in memory, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.shelf import SHELVES, Books, Clock, made_config, new_books
from workbench.sync import Pipeline
from workbench.workspace import Workspace


@pytest.fixture
def books() -> Iterator[Books]:
    made = new_books()
    yield made
    del SHELVES[made.name]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pipeline(tmp_path: Path, books: Books, clock: Clock) -> Pipeline:
    return Pipeline(Workspace(tmp_path), made_config(books), clock=clock)
