"""Verify finds whatever does not agree, and repair makes ledger and table agree without asking a source."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import lancedb
import pytest

from tests.sync.shelf import SENTENCES, Books, made_config, rows, synced, texts, with_config
from workbench.contracts import Table
from workbench.errors import BusyError
from workbench.ingest.entries import WRITING
from workbench.sections import Evaluate
from workbench.sync import Pipeline
from workbench.sync.publishing import GateRefused
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow


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


def set_one(pipeline: Pipeline, column: str, value: object) -> None:
    """Change one row of a document that has two."""
    raw(pipeline).update(where=f"id = '{some_chunk(pipeline)}'", values={column: value})


def mix_states(pipeline: Pipeline) -> None:
    first, last = table_of(pipeline).chunks([some_document(pipeline)])
    right = table_of(pipeline).states()[first.document_id]
    set_one(pipeline, "state_key", "of another model")
    # A row that is written goes to the end: the wrong one must be found wherever it stands.
    raw(pipeline).update(where=f"id = '{last.id}'", values={"state_key": right})


def swap_vectors(pipeline: Pipeline) -> None:
    table = table_of(pipeline)
    first, second, *_ = table.chunks()
    vector = table.vectors([second.id])[1][0].tolist()
    raw(pipeline).update(where=f"id = '{first.id}'", values={"vector": vector})


def in_ledger(pipeline: Pipeline, statement: str) -> None:
    with pipeline.ledger._database.writing() as database:
        database.execute(statement, (some_document(pipeline),))


def in_kept(pipeline: Pipeline, statement: str) -> None:
    with closing(sqlite3.connect(pipeline.place.root / "kept.db")) as database, database:
        database.execute(statement)


def lose_everything_of_one(pipeline: Pipeline) -> None:
    document = some_document(pipeline)
    in_ledger(pipeline, "DELETE FROM states WHERE document_id = ?")
    table_of(pipeline).drop_documents([document])


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
    "a row of another text": (lambda p: set_one(p, "text", "Something wholly else."), {"wrong_text"}),
    "a row of another range": (lambda p: set_one(p, "start", 1), {"wrong_text"}),
    "a row with another number": (lambda p: set_one(p, "ordinal", 77), {"wrong_place"}),
    "a row of another page": (lambda p: set_one(p, "page_end", 9), {"wrong_place"}),
    "one row of another model": (mix_states, {"outdated"}),
    "other metadata": (lambda p: set_column(p, "metadata", '\n["a", "b"]\n'), {"wrong_metadata"}),
    "the vector of another row": (swap_vectors, {"wrong_vector"}),
    "neither state nor rows": (lose_everything_of_one, {"missing"}),
    "a text gone": (lambda p: in_kept(p, "DELETE FROM parses WHERE rowid = 1"), {"missing_text"}),
    "a damaged text": (
        lambda p: in_kept(p, "UPDATE parses SET data = x'00' WHERE rowid = 1"),
        {"missing_text"},
    ),
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
    list(pipeline.repair())
    assert pipeline.verified().findings == ()
    assert (rows(pipeline), texts(pipeline), books.reads) == (before, SENTENCES, [])


@pytest.mark.parametrize(
    "damage",
    [
        "rows gone",
        "table gone",
        "a row gone",
        "a row twice",
        "a write that never ended",
        "neither state nor rows",
        "a text gone",
    ],
)
def test_what_changes_the_number_of_rows_or_texts_is_mended_by_the_next_sync_alone(
    pipeline: Pipeline, damage: str
) -> None:
    synced(pipeline)
    before = rows(pipeline)
    DAMAGE[damage][0](pipeline)
    synced(pipeline)
    assert rows(pipeline) == before
    assert pipeline.verified().agrees


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda p: in_kept(p, "DELETE FROM contents"), ""),
        (lambda p: in_kept(p, "DELETE FROM parses"), "missing_text"),
        (lambda p: in_ledger(p, "DELETE FROM items WHERE document_id = ?"), "no_item"),
    ],
    ids=["contents", "texts", "an_item"],
)
def test_what_is_not_kept_here_is_read_from_its_source_again(
    pipeline: Pipeline, books: Books, damage: Callable[[Pipeline], object], kind: str
) -> None:
    synced(pipeline)
    before = rows(pipeline)
    in_kept(pipeline, "DELETE FROM contents")
    damage(pipeline)
    if not kind:
        set_one(pipeline, "text", "Something wholly else.")
    found = pipeline.verified()
    assert {finding.kind for finding in found.findings} == {kind or "wrong_text"}
    books.reads.clear()
    list(pipeline.repair())
    assert books.reads
    assert pipeline.verified().findings == ()
    assert rows(pipeline) == before


def test_a_lost_text_is_no_dead_end_for_publishing(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "questions.csv"
    path.write_text("question,expected text,document\nWhere does the tram stop?,The tram stops at red.,red\n")
    gated = with_config(pipeline, evaluate=Evaluate(questions=str(path), metric="recall@1", minimum=0.9))
    synced(gated)
    in_kept(gated, "UPDATE parses SET data = x'00'")
    with pytest.raises(
        GateRefused, match=r"cannot be asked: the text of .* is not kept any more: sync, or verify"
    ):
        gated.publish()
    list(gated.repair())
    synced(gated)
    assert gated.publish()[1].passed


def test_nothing_is_compared_while_a_sync_is_writing(pipeline: Pipeline) -> None:
    synced(pipeline)
    course = pipeline.sync()
    next(course)
    with pytest.raises(BusyError, match="another sync of library is running"):
        pipeline.verified()
    course.close()  # type: ignore[attr-defined]
    assert pipeline.verified().agrees


def test_nobody_else_writes_between_taking_away_and_writing_anew(pipeline: Pipeline) -> None:
    synced(pipeline)
    set_one(pipeline, "ordinal", 77)
    course = pipeline.repair()
    next(course)
    with pytest.raises(BusyError):
        synced(pipeline)
    list(course)
    assert pipeline.verified().agrees
