"""What a store that writes row by row leaves when it dies is mended by the next sync; so are tables of before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lancedb
import pytest

from tests.stores.plugged_in import one_place, plugged_in
from tests.sync.shelf import Books, fresh, made_config, rows, synced, with_config
from workbench import plugins
from workbench.sync import Pipeline
from workbench.workspace import Workspace


@pytest.fixture
def on_server(pipeline: Pipeline, tmp_path: Path) -> Iterator[Pipeline]:
    with plugged_in():
        address = {"address": str(tmp_path / "server.db")}
        yield with_config(pipeline, store=plugins.build("stores", "one_place", address))


@pytest.mark.parametrize("rows_to_live", range(9))
def test_a_sync_that_died_between_any_two_rows_is_mended_by_the_next(
    on_server: Pipeline, books: Books, tmp_path: Path, rows_to_live: int
) -> None:
    synced(on_server)
    books.texts["red"] = b"The tram stops at blue. It goes at white. It is late. It is empty."
    books.texts["new"] = b"A new line. It is open."
    del books.texts["depot"]
    server = one_place().SERVERS[on_server.place.config.store.address]  # type: ignore[attr-defined]
    server.rows_to_live = rows_to_live
    try:
        synced(on_server)
    except one_place().Died:
        pass
    server.rows_to_live = None
    assert synced(on_server).status == "done"
    assert rows(on_server) == fresh(on_server, tmp_path / "other")
    assert on_server.verified().findings == ()


def test_the_table_of_a_pipeline_of_before_gets_its_counts_and_what_is_not_whole_is_written_again(
    tmp_path: Path, books: Books
) -> None:
    pipeline = Pipeline(Workspace(tmp_path), made_config(books, store="lancedb"))
    synced(pipeline)
    before = rows(pipeline)
    table = lancedb.connect(str(tmp_path / "pipelines" / "tables")).open_table(pipeline.place.table_name)
    table.drop_columns(["document_chunk_count"])
    lost = pipeline.place.connection.table(pipeline.place.table_name).chunks()[0]
    table.delete(f"id = '{lost.id}'")
    finished = synced(pipeline)
    assert finished.status == "done"
    opened = pipeline.place.connection.table(pipeline.place.table_name)
    assert opened.has_document_counts()
    assert "" not in opened.states().values()
    assert rows(pipeline) == before
    assert finished.figures.embedded == 0
    assert pipeline.verified().agrees
