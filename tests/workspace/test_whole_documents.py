"""A document stands in a table whole or is written again, whatever its store promises and whichever version made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lancedb
import pytest

from tests.stores.plugged_in import one_place, plugged_in
from workbench import plugins, sentences
from workbench.config import Config
from workbench.contracts import Table
from workbench.workspace import Workspace

CONFIG = Config(
    "tiny",
    plugins.build("chunkers", "nltk_sentences", {"size_tokens": 8}),
    plugins.build("embedders", "hashing"),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / "workspace")
    for number in range(3):
        found.add(f"{number}.txt", text(number).encode())
    return found


@pytest.fixture
def on_server(tmp_path: Path) -> Iterator[Config]:
    """The config with a server as its store, which writes row by row."""
    with plugged_in():
        store = plugins.build("stores", "one_place", {"address": str(tmp_path / "server.db")})
        yield replace(CONFIG, store=store)


def text(number: int) -> str:
    return f"Tram {number} leaves at nine. It reaches the depot at ten. Its driver is number {number}. It sleeps."


def held(table: Table) -> dict[str, list[float]]:
    """Return chunk id → vector."""
    ids, vectors = table.vectors()
    return dict(zip(ids, vectors.tolist(), strict=True))


@pytest.mark.parametrize("rows_to_live", [0, 1, 2, 5, 7])
def test_a_document_half_written_by_a_crash_is_found_and_written_again_by_the_next_build(
    workspace: Workspace, on_server: Config, rows_to_live: int
) -> None:
    server = one_place().SERVERS.setdefault(on_server.store.address, one_place().Server())  # type: ignore[attr-defined]
    server.rows_to_live = rows_to_live
    with pytest.raises(one_place().Died):
        workspace.tables.build(on_server)
    assert workspace.tables.table(on_server).row_count() == rows_to_live
    result = Workspace(workspace.folder).tables.build(on_server)
    table = workspace.tables.table(on_server)
    assert result.embedded == 0, "the vectors were kept before the store was asked"
    assert (len(set(table.states().values())), "" in table.states().values()) == (3, False)
    workspace.tables.build(CONFIG)
    assert held(table) == held(workspace.tables.table(CONFIG))
    assert workspace.tables.build(on_server).chunks == 0


@pytest.mark.parametrize("rows_to_live", [1, 4, 6])
def test_a_crash_while_documents_are_replaced_leaves_none_that_looks_whole(
    workspace: Workspace, on_server: Config, rows_to_live: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.tables.build(on_server)
    monkeypatch.setattr(sentences, "VERSION", 99)
    server = one_place().SERVERS[on_server.store.address]  # type: ignore[attr-defined]
    server.rows_to_live = rows_to_live
    with pytest.raises(one_place().Died):
        workspace.tables.build(on_server)
    table = workspace.tables.table(on_server)
    assert list(table.states().values()).count("") == (rows_to_live % 4 > 0)
    (row,) = [one for one in workspace.tables.rows() if one.rows]
    assert row.outdated_documents == 3 - rows_to_live // 4, "four rows make a document"
    result = workspace.tables.build(on_server)
    assert (result.embedded, workspace.tables.lack(on_server)) == (0, "")
    workspace.tables.build(CONFIG)
    assert held(table) == held(workspace.tables.table(CONFIG))


def test_a_row_that_is_there_twice_does_not_stay_twice(workspace: Workspace) -> None:
    workspace.tables.build(CONFIG)
    before = held(workspace.tables.table(CONFIG))
    table = raw(workspace)
    table.add(table.search().limit(1).to_arrow().select(table.schema.names))
    assert list(workspace.tables.table(CONFIG).states().values()).count("") == 1
    workspace.tables.build(CONFIG)
    assert workspace.tables.table(CONFIG).row_count() == len(before)
    assert held(workspace.tables.table(CONFIG)) == before


# ── tables of earlier versions ───────────────────────────────────────────────────────────────────────────────────


def raw(workspace: Workspace) -> Any:
    """LanceDB's own table."""
    return lancedb.connect(str(workspace.folder / "tables")).open_table(CONFIG.table_name)


def of_before(workspace: Workspace) -> Any:
    """Build the table as earlier versions of the program did: rows do not say how many their document has."""
    workspace.tables.build(CONFIG)
    table = raw(workspace)
    table.drop_columns(["document_chunk_count"])
    return table


def test_a_table_of_before_gets_its_counts_at_the_next_build_and_nothing_is_embedded_or_written_anew(
    workspace: Workspace,
) -> None:
    of_before(workspace)
    before = held(workspace.tables.table(CONFIG))
    assert not workspace.tables.table(CONFIG).has_document_counts()
    result = Workspace(workspace.folder).tables.build(CONFIG)
    table = workspace.tables.table(CONFIG)
    assert (result.embedded, result.chunks) == (0, 0)
    assert table.has_document_counts()
    assert "" not in table.states().values()
    assert held(table) == before
    counts = {row["document_id"]: row["document_chunk_count"] for row in raw(workspace).search().to_list()}
    assert counts == table.counts()


def test_a_document_of_a_table_of_before_that_lacks_a_row_is_written_again_from_the_cache(
    workspace: Workspace,
) -> None:
    table = of_before(workspace)
    whole = held(workspace.tables.table(CONFIG))
    lost = workspace.tables.table(CONFIG).chunks()[-1]
    table.delete(f"id = '{lost.id}'")
    assert "" not in workspace.tables.table(CONFIG).states().values(), "nothing in its rows tells it"
    result = workspace.tables.build(CONFIG)
    assert (result.embedded, result.chunks) == (0, workspace.tables.table(CONFIG).counts()[lost.document_id])
    assert held(workspace.tables.table(CONFIG)) == whole


def test_a_build_of_some_documents_counts_the_others_too(workspace: Workspace) -> None:
    of_before(workspace)
    workspace.tables.build(CONFIG, [workspace.documents()[0].id])
    assert "" not in workspace.tables.table(CONFIG).states().values()
    assert workspace.tables.listing().rows[0].missing_documents == 0


def test_a_table_of_before_is_listed_and_searched_and_that_writes_nothing(workspace: Workspace) -> None:
    table = of_before(workspace)
    before = sorted(path.name for path in (workspace.folder / "tables").rglob("*"))
    fresh = Workspace(workspace.folder)
    (row,) = fresh.tables.rows()
    assert (row.documents, row.missing_documents) == (3, 0)
    assert fresh.tables.search(CONFIG, "depot", 3).hits
    assert fresh.tables.table(CONFIG).counts() == dict.fromkeys([r.id for r in fresh.documents()], 4)
    assert sorted(path.name for path in (workspace.folder / "tables").rglob("*")) == before
    assert table.version == raw(workspace).version
