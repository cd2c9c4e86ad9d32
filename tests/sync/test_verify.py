"""Verify finds whatever does not agree, and repair makes ledger and table agree without asking a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lancedb
import pytest

from tests.sync.shelf import SENTENCES, Books, made_config, rows, synced, texts
from workbench.contracts import Table
from workbench.ingest.entries import WRITING
from workbench.sync import Pipeline
from workbench.workspace import Workspace


@pytest.fixture
def pipeline(tmp_path: Path, books: Books) -> Pipeline:
    """A pipeline whose table lies on the disk, where a test can reach into it behind the store's back."""
    return Pipeline(Workspace(tmp_path), made_config(books, store="lancedb"))


def some_document(pipeline: Pipeline) -> str:
    return min(pipeline.ledger.states("library", pipeline.place.table_name))


def table_of(pipeline: Pipeline) -> Table:
    return pipeline.place.connection.table(pipeline.place.table_name)


def raw(pipeline: Pipeline) -> Any:
    """LanceDB's own table."""
    return lancedb.connect(str(pipeline.place.root / "tables")).open_table(pipeline.place.table_name)


def some_chunk(pipeline: Pipeline) -> str:
    return table_of(pipeline).chunks([some_document(pipeline)])[0].id


def set_vector(pipeline: Pipeline, value: float) -> None:
    where = f"id = '{some_chunk(pipeline)}'"
    raw(pipeline).update(where=where, values={"vector": [value] * pipeline.place.model.dimension})


def repeat_a_row(pipeline: Pipeline) -> None:
    table = raw(pipeline)
    table.add(table.search().where(f"id = '{some_chunk(pipeline)}'").to_arrow())


def set_column(pipeline: Pipeline, column: str, value: str) -> None:
    where = f"document_id = '{some_document(pipeline)}'"
    raw(pipeline).update(where=where, values={column: value})


def unfinished(pipeline: Pipeline) -> None:
    table = pipeline.place.table_name
    state = pipeline.ledger.states("library", table)[some_document(pipeline)]
    pipeline.ledger.intend(
        "library", table, [replace(state, status=WRITING)], [], "2026-01-01T00:00:00+00:00"
    )


DAMAGE: dict[str, tuple[Callable[[Pipeline], object], set[str]]] = {
    "rows gone": (lambda p: table_of(p).drop_documents([some_document(p)]), {"missing"}),
    "table gone": (lambda p: p.place.connection.drop(p.place.table_name), {"no_table"}),
    "a zero vector": (lambda p: set_vector(p, 0.0), {"zero_vector"}),
    "a vector that is too long": (lambda p: set_vector(p, 1.0), {"wrong_vector"}),
    "a row gone": (lambda p: raw(p).delete(f"id = '{some_chunk(p)}'"), {"wrong_count"}),
    "a row twice": (repeat_a_row, {"wrong_count", "duplicate"}),
    "rows of another model": (lambda p: set_column(p, "state_key", "of another model"), {"outdated"}),
    "rows nobody knows": (lambda p: set_column(p, "document_id", "stranger"), {"missing", "unknown"}),
    "a write that never ended": (unfinished, {"unfinished"}),
}


def test_what_a_sync_leaves_agrees(pipeline: Pipeline) -> None:
    assert pipeline.verified().agrees
    synced(pipeline)
    found = pipeline.verified()
    assert (found.agrees, found.documents, found.chunks) == (True, 3, 6)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda name: name.replace(" ", "_"))
def test_damage_is_found_and_repaired_without_asking_a_source(
    pipeline: Pipeline, books: Books, damage: str
) -> None:
    synced(pipeline)
    before = rows(pipeline)
    books.reads.clear()
    act, kinds = DAMAGE[damage]
    act(pipeline)
    found = pipeline.verified()
    assert {finding.kind for finding in found.findings} == kinds
    list(pipeline.repair(found))
    assert pipeline.verified().findings == ()
    assert (rows(pipeline), texts(pipeline), books.reads) == (before, SENTENCES, [])


@pytest.mark.parametrize(
    "damage", ["rows gone", "table gone", "a row gone", "a row twice", "a write that never ended"]
)
def test_what_changes_the_number_of_rows_is_mended_by_the_next_sync_alone(
    pipeline: Pipeline, damage: str
) -> None:
    synced(pipeline)
    before = rows(pipeline)
    DAMAGE[damage][0](pipeline)
    synced(pipeline)
    assert rows(pipeline) == before
    assert pipeline.verified().agrees
