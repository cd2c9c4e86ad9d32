"""A pipeline's tables may lie on several servers: all are listed, and one that is down keeps no other from work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stores.plugged_in import one_place, plugged_in
from tests.sync.shelf import Books, fresh, rows, synced, with_config
from workbench import plugins
from workbench.errors import ServiceError
from workbench.sections import Release
from workbench.sync import Pipeline
from workbench.workspace import Workspace
from workbench.workspace.store_catalog import Area


@pytest.fixture(autouse=True)
def _plugged() -> Iterator[None]:
    with plugged_in():
        yield


def on(pipeline: Pipeline, path: Path) -> Pipeline:
    """Return the pipeline with its table on a server."""
    store = plugins.build("stores", "one_place", {"address": str(path)})
    return with_config(pipeline, store=store, release=Release(keep=1))


def server(pipeline: Pipeline) -> Any:
    return one_place().SERVERS[pipeline.place.config.store.place()]


@pytest.fixture
def first(pipeline: Pipeline, tmp_path: Path) -> Pipeline:
    """The pipeline with a published table on one server."""
    made = on(pipeline, tmp_path / "first.db")
    synced(made)
    made.publish()
    return made


@pytest.fixture
def second(first: Pipeline, tmp_path: Path) -> Pipeline:
    """The same with a synced candidate on another server."""
    made = on(first, tmp_path / "second.db")
    synced(made)
    return made


def test_the_tables_of_two_servers_are_two_tables_and_both_are_listed(
    first: Pipeline, second: Pipeline
) -> None:
    found = second.tables()
    assert [(table.name, table.store) for table in found] == [
        (one.place.table_name, one.place.config.store.title) for one in (first, second)
    ]
    assert [(table.is_published, table.is_current, table.rows) for table in found] == [
        (True, False, 6),
        (False, True, 6),
    ]


def test_a_server_that_only_the_catalog_knows_is_listed_and_cleaned(
    first: Pipeline, second: Pipeline, tmp_path: Path
) -> None:
    third = on(first, tmp_path / "third.db")
    synced(third)
    third.publish()
    workspace = Workspace(first.place.workspace.folder)
    here = Pipeline(workspace, third.place.config, clock=third.place.clock)
    assert len(here.tables()) == 3, "no release names the second server"
    assert {table.name for table in here.clean().tables} == {first.place.table_name, second.place.table_name}
    assert [table.name for table in here.tables()] == [third.place.table_name]


def test_what_a_pipeline_does_goes_on_while_the_server_of_its_release_is_down(
    first: Pipeline, second: Pipeline, books: Books, tmp_path: Path
) -> None:
    server(first).down = True
    listing = second.table_listing()
    assert [table.name for table in listing.tables] == [second.place.table_name]
    assert listing.unreachable[0].startswith("the store one_place (")
    assert "first.db does not answer: start it" in listing.unreachable[0]
    del books.texts["depot"]
    books.texts["new"] = b"A new line."
    finished = synced(second)
    assert (finished.status, finished.figures.removed, finished.figures.added) == ("some_failed", 1, 1)
    assert "what is published is not all up to date: the server at" in finished.message
    assert second.clean().unreachable
    assert [release.id for release in second.ledger.releases.all("library")] == [1], (
        "nobody knows its table gone"
    )
    with pytest.raises(ServiceError, match="does not answer"):
        second.answer("tram?")
    second.publish()
    assert second.answer("tram?").hits
    with pytest.raises(ServiceError, match="does not answer"):
        second.roll_back()
    server(first).down = False
    second.roll_back()
    assert synced(second).status == "done"
    assert rows(first) == fresh(first, tmp_path / "published")


def test_pipelines_and_documents_of_one_workspace_do_not_meet_on_a_server(
    first: Pipeline, tmp_path: Path
) -> None:
    workspace = first.place.workspace
    workspace.add("a.txt", b"Ferries sail at noon.")
    workspace.tables.build(first.place.config)
    assert len(workspace.tables.rows()) == len(first.tables()) == 1
    workspace.delete([workspace.documents()[0].id])
    assert [table.rows for table in first.tables()] == [6]


def test_a_sync_does_what_is_due_for_deleted_documents_of_the_workspace(
    pipeline: Pipeline, first: Pipeline, tmp_path: Path
) -> None:
    workspace = first.place.workspace
    workspace.add("a.txt", b"Ferries sail at noon.")
    workspace.tables.build(first.place.config)
    server(first).down = True
    assert workspace.delete([workspace.documents()[0].id])
    synced(pipeline)
    assert len(workspace.tables.due_deletions()) == 1
    server(first).down = False
    synced(pipeline)
    assert workspace.tables.due_deletions() == []
    assert [row.rows for row in workspace.tables.rows()] == [0]


def test_a_lost_catalog_is_found_again_by_the_releases(first: Pipeline, pipeline: Pipeline) -> None:
    folder = first.place.workspace.folder
    (folder / "workspace.db").unlink()
    here = Pipeline(Workspace(folder), pipeline.place.config, clock=pipeline.place.clock)
    assert first.place.table_name in {table.name for table in here.tables()}
    assert [known.plugin for known in here.place.workspace.stores.known_stores(Area.PIPELINES)].count(
        "one_place"
    ) == 1
