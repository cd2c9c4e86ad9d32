"""Every store is listed and deleted from, up or down, and two workspaces on one server never meet."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.stores.plugged_in import one_place, plugged_in
from workbench import database, plugins
from workbench.__main__ import DONE, SOME_FAILED, main
from workbench.config import Config, written
from workbench.errors import ServiceError, SettingsError
from workbench.workspace import Workspace
from workbench.workspace.identity import workspace_id
from workbench.workspace.store_catalog import Area

HERE = Config(
    "here",
    plugins.build("chunkers", "nltk_sentences", {"size_tokens": 8}),
    plugins.build("embedders", "hashing"),
)


@pytest.fixture(autouse=True)
def _plugged() -> Iterator[None]:
    with plugged_in():
        yield


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return filled(tmp_path / "workspace")


def filled(folder: Path) -> Workspace:
    found = Workspace(folder)
    for number in range(3):
        found.add(f"{number}.txt", f"Tram {number} leaves at nine. It reaches the depot at ten.".encode())
    return found


@pytest.fixture
def there(tmp_path: Path) -> Config:
    """The same config with its table on a server."""
    return on_server(tmp_path / "server.db")


def on_server(path: Path, name: str = "there", **settings: Any) -> Config:
    store = plugins.build("stores", "one_place", {"address": str(path), **settings})
    return replace(HERE, name=name, store=store)


def server(config: Config) -> Any:
    servers = one_place().SERVERS
    return servers.setdefault(config.store.address, one_place().Server())  # type: ignore[attr-defined]


def documents_on(config: Config) -> set[str]:
    """Return the documents whose rows stand on a server, in whatever namespace."""
    with closing(sqlite3.connect(config.store.address)) as database:  # type: ignore[attr-defined]
        return {row[0] for row in database.execute("SELECT DISTINCT document_id FROM chunks")}


# ── the catalog ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_tables_of_every_store_that_was_ever_used_are_listed(workspace: Workspace, there: Config) -> None:
    workspace.tables.build(HERE)
    workspace.tables.build(there)
    for here in (workspace, Workspace(workspace.folder)):
        found = {row.store_title: row for row in here.tables.rows()}
        assert set(found) == {"", f"one_place ({there.store.place()})"}
        assert {(row.documents, row.rows) for row in found.values()} == {(3, 6)}
        for row in found.values():
            assert row.config is not None
            assert len(here.tables.search(row.config, "depot", 2).hits) == 2


def test_two_servers_are_two_stores_and_one_server_with_other_settings_is_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    for config in (
        on_server(tmp_path / "one.db"),
        on_server(tmp_path / "two.db"),
        on_server(tmp_path / "one.db", wait_s=7.0),
    ):
        workspace.tables.build(config)
    assert len(workspace.tables.rows()) == 2
    (first, _) = [s for s in workspace.stores.catalog.stores(Area.DOCUMENTS) if s.plugin == "one_place"]
    assert json.loads(first.settings)["wait_s"] == 7.0, "the settings are those of the last use"


def test_a_table_is_dropped_from_its_own_store_only(workspace: Workspace, there: Config) -> None:
    workspace.tables.build(HERE)
    workspace.tables.build(there)
    (row,) = [row for row in workspace.tables.rows() if row.store_title]
    workspace.tables.drop(row.name, row.store_key)
    assert [row.store_title for row in workspace.tables.rows()] == [""]
    assert documents_on(there) == set()


@pytest.mark.parametrize("how", ["rows", "file"])
def test_a_lost_catalog_is_found_again_by_listing_the_stores_that_saved_configs_name(
    workspace: Workspace, there: Config, how: str
) -> None:
    workspace.tables.build(there)
    workspace.save_config(there)
    if how == "file":
        (workspace.folder / "workspace.db").unlink()
    else:
        with workspace.document_list.connection(write=True) as db:
            db.execute("DELETE FROM stores")
            db.execute("DELETE FROM store_tables")
    fresh = Workspace(workspace.folder)
    (row,) = fresh.tables.rows()
    assert (row.config_name, row.documents) == ("there", 3)
    assert [table.name for table in fresh.stores.catalog.tables(Area.DOCUMENTS)[row.store_key]] == [row.name]


def test_a_workspace_of_before_there_was_a_catalog_is_opened_as_ever(workspace: Workspace) -> None:
    workspace.tables.build(HERE)
    with workspace.document_list.connection(write=True) as db:
        for table in ("stores", "store_tables", "due_deletions"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 3")
    fresh = Workspace(workspace.folder)
    assert [row.documents for row in fresh.tables.rows()] == [3]
    assert not (workspace.folder / "workspace.id").exists(), "no server was ever used"


def test_the_catalog_tells_what_a_table_was_at_its_last_build(workspace: Workspace, there: Config) -> None:
    workspace.tables.build(there)
    ((table,),) = workspace.stores.catalog.tables(Area.DOCUMENTS).values()
    assert (table.row_count, table.document_count) == (6, 3)
    assert table.version == workspace.tables.table(there).version()
    assert table.about["config"] == written(there)


def test_a_secret_is_kept_as_a_reference_and_is_refused_as_text(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONE_PLACE_KEY", "sesame opens")
    config = on_server(tmp_path / "server.db", api_key="${env:ONE_PLACE_KEY}")
    server(config).secret = "sesame opens"
    workspace.tables.build(config)
    assert Workspace(workspace.folder).tables.rows()[0].documents == 3
    with pytest.raises(SettingsError, match=r"api_key: write a secret as \$\{env:NAME\}") as refused:
        workspace.tables.build(on_server(tmp_path / "other.db", api_key="sesame opens"))
    assert "sesame" not in str(refused.value)
    data = b"".join(path.read_bytes() for path in workspace.folder.rglob("*") if path.is_file())
    assert b"${env:ONE_PLACE_KEY}" in data
    assert b"sesame" not in data


# ── a store that is down ─────────────────────────────────────────────────────────────────────────────────────────


def test_while_a_store_is_down_the_others_are_listed_and_searched_and_a_sentence_names_it(
    workspace: Workspace, there: Config
) -> None:
    workspace.tables.build(HERE)
    workspace.tables.build(there)
    server(there).down = True
    for here in (workspace, Workspace(workspace.folder)):
        listing = here.tables.listing()
        assert [row.store_title for row in listing.rows] == [""]
        assert list(listing.unreachable) == [
            f"the store one_place ({there.store.place()}) with 1 table cannot be reached: the server at "
            f"{there.store.place()} does not answer: start it"
        ]
        assert here.tables.search(HERE, "depot", 2).hits
    server(there).down = False
    assert len(workspace.tables.listing().rows) == 2


def test_a_store_whose_plug_in_is_gone_is_named_and_hides_no_other(
    workspace: Workspace, there: Config
) -> None:
    workspace.tables.build(HERE)
    workspace.tables.build(there)
    with workspace.document_list.connection(write=True) as db:
        db.execute("UPDATE stores SET plugin = 'gone_place' WHERE plugin = 'one_place'")
    listing = Workspace(workspace.folder).tables.listing()
    assert [row.documents for row in listing.rows] == [3]
    assert "there is no store named 'gone_place'" in listing.unreachable[0]


def opens(here: Workspace, there: Config) -> None:
    here.tables.search(there, "depot", 2)


def lists(here: Workspace, there: Config) -> None:
    here.tables.listing()


def builds(here: Workspace, there: Config) -> None:
    here.tables.build(there)


def deletes(here: Workspace, there: Config) -> None:
    here.delete([here.documents()[0].id])


@pytest.mark.parametrize("again", [opens, lists, builds, deletes])
def test_a_deletion_in_a_store_that_is_down_is_due_and_shown_and_done_when_it_is_up(
    workspace: Workspace, there: Config, again: Any
) -> None:
    workspace.tables.build(HERE)
    workspace.tables.build(there)
    gone = workspace.documents()[1]
    server(there).down = True
    (due,) = workspace.delete([gone.id])
    assert (due.document_name, due.store_title) == (gone.name, f"one_place ({there.store.place()})")
    assert gone.id not in {row.id for row in workspace.documents()}
    assert gone.id not in workspace.tables.table(HERE).states(), "the other store does not wait"
    assert gone.id in documents_on(there)
    for here in (workspace, Workspace(workspace.folder)):
        (sentence,) = here.tables.due_deletions()
        assert sentence.startswith(
            "1 document may still have rows that are to be deleted in the store one_place ("
        )
        assert f"): {gone.name}. the server at" in sentence
        assert here.tables.listing().due == (sentence,)
    server(there).down = False
    again(Workspace(workspace.folder), there)
    assert gone.id not in documents_on(there)
    assert workspace.tables.due_deletions() == []


def test_a_document_that_came_back_before_its_deletion_was_done_is_in_the_table_after_the_next_build(
    workspace: Workspace, there: Config
) -> None:
    workspace.tables.build(there)
    gone = workspace.documents()[1]
    server(there).down = True
    workspace.delete([gone.id])
    workspace.add(gone.name, b"Ferries sail at noon.")
    server(there).down = False
    workspace.tables.build(there)
    hits = workspace.tables.search(there, "ferries", 9).hits
    assert "Ferries sail at noon." in {hit.chunk.text for hit in hits}
    assert not any("Tram 1" in hit.chunk.text for hit in hits)
    assert workspace.tables.due_deletions() == []
    assert workspace.tables.lack(there) == ""


def test_a_document_that_came_back_stays_in_its_table_while_another_table_keeps_its_deletion_due(
    workspace: Workspace,
) -> None:
    long = replace(HERE, name="long", chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 30}))
    for config in (HERE, long):
        workspace.tables.build(config)
    for file in (workspace.folder / "tables" / f"{long.table_name}.lance").glob("data/*"):
        file.unlink()
    gone = workspace.documents()[1]
    content = workspace.original(gone)
    workspace.delete([gone.id])
    assert len(workspace.tables.due_deletions()) == 1
    workspace.add(gone.name, content)
    workspace.tables.build(HERE)
    for here in (workspace, Workspace(workspace.folder)):
        assert here.tables.lack(HERE) == ""
        assert here.tables.search(HERE, "tram 1", 1).hits[0].chunk.document_id == gone.id
    # What was built before the document got another content still goes.
    workspace.add(gone.name, b"Ferries sail at noon.")
    assert not any("Tram 1" in hit.chunk.text for hit in workspace.tables.search(HERE, "tram 1", 9).hits)
    workspace.tables.build(long)
    workspace.tables.build(HERE)
    assert (workspace.tables.due_deletions(), workspace.tables.lack(HERE)) == ([], "")


def test_a_store_that_is_known_is_noted_without_writing(
    workspace: Workspace, there: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.stores.use(there.store, Area.DOCUMENTS)
    monkeypatch.setattr(database, "PATIENCE_S", 0.01)
    with closing(sqlite3.connect(workspace.folder / "workspace.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        workspace.stores.use(there.store, Area.DOCUMENTS)


def test_a_new_version_of_a_document_says_that_its_old_rows_are_still_to_be_deleted(
    workspace: Workspace, there: Config
) -> None:
    workspace.tables.build(there)
    server(there).down = True
    result = workspace.add("1.txt", b"Ferries sail at noon.")
    assert result.status == "replaced"
    assert "1 document may still have rows that are to be deleted in the store one_place" in result.message


def test_a_build_says_that_its_store_is_down_and_one_in_another_store_goes_on(
    workspace: Workspace, there: Config
) -> None:
    workspace.tables.build(there)
    server(there).down = True
    with pytest.raises(ServiceError, match="does not answer: start it"):
        workspace.tables.build(there)
    assert workspace.tables.build(HERE).documents == 3


def test_deleting_a_document_that_no_table_holds_reads_no_table(workspace: Workspace, there: Config) -> None:
    workspace.tables.build(there)
    late = workspace.add("late.txt", b"Ferries sail at noon.").document_id
    assert late is not None
    workspace.tables.rows()
    asked = server(there).asked
    asked.clear()
    workspace.delete(["unknown"])
    assert not asked
    workspace.delete([late])
    assert set(asked) <= {"tables", "version"}


# ── two workspaces on one server ─────────────────────────────────────────────────────────────────────────────────


def test_two_workspaces_on_one_server_never_meet(tmp_path: Path, there: Config) -> None:
    one, two = filled(tmp_path / "one"), filled(tmp_path / "two")
    two.add("only.txt", b"Ferries sail at noon.")
    one.tables.build(there)
    assert two.tables.rows() == []
    two.tables.build(there)
    assert [(row.documents, row.rows) for row in one.tables.rows()] == [(3, 6)]
    assert [(row.documents, row.rows) for row in two.tables.rows()] == [(4, 7)]
    two.delete([row.id for row in two.documents()])
    assert [row.documents for row in one.tables.rows()] == [3]
    (table,) = two.tables.rows()
    two.tables.drop(table.name, table.store_key)
    assert one.tables.search(there, "depot", 2).hits


def test_the_id_of_a_workspace_is_made_once_and_survives_a_move_and_a_lost_list(
    workspace: Workspace, there: Config, tmp_path: Path
) -> None:
    workspace.tables.build(there)
    first = (workspace.folder / "workspace.id").read_text()
    (workspace.folder / "workspace.db").unlink()
    moved = workspace.folder.rename(tmp_path / "moved")
    here = Workspace(moved)
    here.tables.build(there)
    assert (moved / "workspace.id").read_text() == first


def test_threads_that_need_an_id_at_once_get_the_same(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(workspace_id(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["workspace.id"]


def test_a_damaged_id_is_told_and_hides_no_table_of_other_stores(workspace: Workspace, there: Config) -> None:
    workspace.tables.build(HERE)
    workspace.tables.build(there)
    (workspace.folder / "workspace.id").write_text("nonsense")
    listing = Workspace(workspace.folder).tables.listing()
    assert [row.store_title for row in listing.rows] == [""]
    assert "put the file back as it was" in listing.unreachable[0]


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_delete_names_what_was_deleted_and_what_is_due(
    workspace: Workspace, there: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tables.build(there)
    first, second, third = workspace.documents()
    command = ["--json", "--workspace", str(workspace.folder), "delete"]
    assert main([*command, first.id]) == DONE
    (found,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == {"document_id": first.id, "path": first.uri, "status": "deleted", "due": []}
    server(there).down = True
    assert main([*command, second.name, "nobody.txt"]) == SOME_FAILED
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [(line["path"], line["status"], line["due"]) for line in lines] == [
        (second.uri, "deleted", [f"one_place ({there.store.place()})"]),
        ("nobody.txt", "unknown", []),
    ]
    assert "does not answer: start it" in said.err
    server(there).down = False
    assert main([*command, third.id[:8]]) == DONE
    assert documents_on(there) == set()


def test_the_command_build_goes_on_with_the_next_config_while_a_store_is_down(
    workspace: Workspace, there: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = []
    for config in (there, HERE):
        paths.append(tmp_path / f"{config.name}.yaml")
        paths[-1].write_text(written(config))
    server(there).down = True
    assert main(["--json", "--workspace", str(workspace.folder), "build", *map(str, paths)]) == SOME_FAILED
    said = capsys.readouterr()
    assert [json.loads(line)["config"] for line in said.out.splitlines()] == ["here"]
    assert "there is not built: the server at" in said.err
