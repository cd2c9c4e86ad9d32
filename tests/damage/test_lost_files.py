"""Databases that are deleted, empty or overwritten: nothing a user made is lost by it, and every advice works."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.damage.conftest import FIRST, SECOND, THIRD
from workbench import database
from workbench.__main__ import DONE, SOME_FAILED, WRONG_USAGE, main
from workbench.config import parsed
from workbench.workspace import Workspace
from workbench.workspace.table_builds import WouldEmptyError

pytestmark = pytest.mark.slow

QUESTION, ANSWER = "What does a ticket cost?", "A ticket costs two crowns."


def delete(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(b"\x8anothing that SQLite wrote" * 500)


LOSSES = [delete, make_empty, overwrite]
Loss = Callable[[Path], None]
Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(command: str, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        capsys.readouterr()
        given = [str(folder / word) if word.endswith(".yaml") else word for word in words]
        status = main([command, *given, "--json", "--workspace", str(folder / "w")])
        printed = capsys.readouterr()
        return status, [json.loads(line) for line in printed.out.splitlines()], printed.err

    return run


def hits(run: Run, config: str) -> list[str]:
    status, rows, said = run("search", config, QUESTION)
    assert status == DONE, said
    return [row["text"] for row in rows]


# ── workspace.db ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lose", LOSSES)
def test_a_lost_list_of_documents_is_found_again_from_the_kept_files(
    run: Run, folder: Path, lose: Loss
) -> None:
    _, before, _ = run("documents")
    found = hits(run, "plain.yaml")
    lose(folder / "w" / "workspace.db")
    status, documents, said = run("documents")
    assert (status, documents) == (DONE, before)
    assert "the list of documents was lost: 2 documents were found again from the files kept here" in said
    assert ("kept as workspace.db.damaged-1" in said) == (lose is overwrite)
    status, [built], said = run("build", "plain.yaml")
    assert (status, built["embedded"], said) == (DONE, 0, "")
    assert hits(run, "plain.yaml") == found


def test_documents_of_an_earlier_version_are_found_again_without_their_names(run: Run, folder: Path) -> None:
    found = hits(run, "plain.yaml")
    shutil.rmtree(folder / "w" / "names")
    delete(folder / "w" / "workspace.db")
    _, documents, said = run("documents")
    assert "2 of them without the names they had" in said
    assert sorted((row["pages"], row["characters"]) for row in documents) == [(1, 40), (1, 44)]
    status, [built], _ = run("build", "plain.yaml")
    assert (status, built["chunks_written"], built["embedded"]) == (DONE, 2, 0)
    assert hits(run, "plain.yaml") == found


def test_a_list_from_before_migrations_were_numbered_is_not_taken_for_lost(folder: Path) -> None:
    path = folder / "w" / "workspace.db"
    before = Workspace(folder / "w").documents()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for table in ("copies", "states"):
            database.execute(f"DROP TABLE {table}")
        for column in ("letters_kept", "letters_on_page", "short_pages", "incomplete"):
            database.execute("DROP INDEX IF EXISTS documents_by_uri")
            database.execute(f"ALTER TABLE documents DROP COLUMN {column}")
        database.execute("PRAGMA user_version = 0")
    here = Workspace(folder / "w")
    assert ([row.id for row in here.documents()], here.notices) == ([row.id for row in before], [])


def test_names_are_kept_of_documents_that_an_earlier_version_added(folder: Path) -> None:
    shutil.rmtree(folder / "w" / "names")
    workspace = Workspace(folder / "w")
    before = workspace.documents()
    (folder / "w" / "prune.lock").unlink(missing_ok=True)
    workspace.disk.prune()
    delete(folder / "w" / "workspace.db")
    assert Workspace(folder / "w").documents() == before


def test_copies_are_found_again_and_what_was_deleted_or_replaced_is_not(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name, text in {
        "a.txt": b"Red.",
        "b.txt": b"Blue.",
        "copy of b.txt": b"Blue.",
        "c.txt": b"Green.",
    }.items():
        workspace.add(name, text)
    workspace.add("a.txt", b"Red at last.")
    workspace.delete([row.id for row in workspace.documents() if row.name == "c.txt"])
    before = workspace.documents()
    delete(tmp_path / "workspace.db")
    again = Workspace(tmp_path)
    assert again.documents() == before
    # Nothing is kept of what was deleted or replaced.
    assert len(list((tmp_path / "names").iterdir())) == len(before) + 1
    # The copy is known: once its document has another content it becomes a document of its own.
    assert "copy of b.txt" in again.add("b.txt", b"Blue at last.").message


def test_a_list_put_back_from_a_backup_takes_in_what_was_added_since(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.add("red.txt", b"The tram stops at red.")
    workspace.add("blue.txt", b"It goes at blue.")
    shutil.copy(tmp_path / "workspace.db", tmp_path / "backup")
    workspace.add("blue.txt", b"It goes at white.")
    workspace.add("fares.txt", b"A ticket costs two crowns.")
    workspace.add("copy of fares.txt", b"A ticket costs two crowns.")
    workspace.add("gone.txt", b"Dogs travel free.")
    workspace.delete([row.id for row in workspace.documents() if row.name == "gone.txt"])
    before = workspace.documents()
    shutil.copy(tmp_path / "backup", tmp_path / "workspace.db")
    again = Workspace(tmp_path)
    assert again.documents() == before
    assert again.notices == [
        "the list of documents is older than the files kept here: 2 documents were found again from them"
    ]
    assert [again.document(row.id).text for row in again.documents()] == [
        "It goes at white.",
        "A ticket costs two crowns.",
        "The tram stops at red.",
    ]
    assert (
        "already here as fares.txt" in again.add("copy of fares.txt", b"A ticket costs two crowns.").message
    )
    assert (Workspace(tmp_path).documents(), Workspace(tmp_path).notices) == (before, [])


def test_a_document_that_could_not_be_listed_is_not_taken_for_one_that_the_list_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    monkeypatch.setattr(database, "PATIENCE_S", 0.01)
    with closing(sqlite3.connect(tmp_path / "workspace.db", isolation_level=None)) as reader:
        # Whoever reads lets others begin to write, and keeps them from ending it.
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM documents").fetchall()
        assert workspace.add("red.txt", b"The tram stops at red.").status == "failed"
    again = Workspace(tmp_path)
    assert (again.documents(), again.notices) == ([], [])
    assert again.add("red.txt", b"The tram stops at red.").status == "added"


def test_a_build_without_documents_empties_no_table_unless_that_is_confirmed(run: Run, folder: Path) -> None:
    workspace = Workspace(folder / "w")
    found = hits(run, "plain.yaml")
    for row in workspace.documents():
        workspace.document_list.remove(row.id)
    status, rows, said = run("build", "plain.yaml")
    assert (status, rows) == (WRONG_USAGE, [])
    assert "a build would empty the table of plain (2 chunks)" in said
    with pytest.raises(WouldEmptyError):
        workspace.tables.build(parsed((folder / "plain.yaml").read_text()))
    assert hits(run, "plain.yaml") == found
    status, [built], _ = run("build", "plain.yaml", "--yes")
    assert (status, built["documents"]) == (DONE, 0)
    assert hits(run, "plain.yaml") == []
    # The other advice: with documents it builds by itself.
    assert main(["add", str(folder / "in"), "--workspace", str(folder / "w")]) == DONE
    assert run("build", "plain.yaml")[0] == DONE
    assert hits(run, "plain.yaml") == found


def test_a_document_whose_file_was_lost_is_named_and_adding_it_again_helps(run: Run, folder: Path) -> None:
    for kept in ("originals", "parsed"):
        shutil.rmtree(folder / "w" / kept)
    status, _, said = run("build", "plain.yaml")
    assert (status, "fares.txt: its file is not kept here any more: add it again, or delete it" in said) == (
        SOME_FAILED,
        True,
    )
    assert run("add", str(folder / "in"))[0] == DONE
    assert (run("build", "plain.yaml")[0], hits(run, "plain.yaml")[0]) == (
        DONE,
        ANSWER + " Dogs travel free.",
    )


def test_a_table_from_a_backup_says_that_it_holds_what_was_deleted_since(run: Run, folder: Path) -> None:
    shutil.copytree(folder / "w" / "tables", folder / "backup")
    assert run("delete", "red.txt")[0] == DONE
    shutil.rmtree(folder / "w" / "tables")
    shutil.copytree(folder / "backup", folder / "w" / "tables")
    said = run("search", "plain.yaml", QUESTION)[2]
    assert "its table holds 1 document that is not here any more: build it again" in said
    assert [row.gone_documents for row in Workspace(folder / "w").tables.rows()] == [1]
    assert run("build", "plain.yaml")[0] == DONE
    status, rows, said = run("search", "plain.yaml", QUESTION)
    assert (status, len(rows), said) == (DONE, 1, "")


# ── ledger.db ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lose", LOSSES)
def test_releases_of_a_lost_ledger_are_found_again_and_the_published_one_answers(
    run: Run, folder: Path, lose: Loss
) -> None:
    assert run("roll-back", THIRD)[0] == DONE
    before = [row for row in run("releases", THIRD)[1] if row["kind"] == "release"]
    found = hits(run, THIRD)
    lose(folder / "w" / "pipelines" / "ledger.db")
    status, rows, said = run("releases", THIRD)
    assert (status, [row for row in rows if row["kind"] == "release"]) == (DONE, before)
    assert "the ledger was lost: 3 releases were found again" in said
    assert hits(run, THIRD) == found
    status, events, said = run("sync", THIRD)
    assert (status, events[-1]["figures"]["embedded"], events[-1]["figures"]["removed"]) == (DONE, 0, 0)
    assert run("verify", THIRD)[0] == DONE
    assert run("roll-back", THIRD)[0] == DONE


def test_a_table_that_was_never_published_does_not_answer_for_a_lost_release(run: Run, folder: Path) -> None:
    text = (folder / THIRD).read_text()
    (folder / "candidate.yaml").write_text(text.replace("size_tokens: 8", "size_tokens: 64"))
    assert run("sync", "candidate.yaml")[0] == DONE
    found = hits(run, "candidate.yaml")
    assert ANSWER in found  # cut small, as the published config cuts
    delete(folder / "w" / "pipelines" / "ledger.db")
    assert hits(run, "candidate.yaml") == found


def test_without_a_copy_releases_are_found_again_from_the_tables_and_none_passes_for_published(
    run: Run, folder: Path
) -> None:
    delete(folder / "w" / "pipelines" / "ledger.db")
    shutil.rmtree(folder / "w" / "pipelines" / "releases")
    status, rows, said = run("releases", THIRD)
    releases = [row for row in rows if row["kind"] == "release"]
    assert (status, len(releases), any(row["published"] for row in releases)) == (DONE, 3, False)
    assert "3 releases of notices found again from the tables" in said
    assert "without notes and figures" in said
    for line in (("search", THIRD, QUESTION), ("releases", THIRD, "--clean")):
        status, rows, said = run(*line)
        assert (status, rows) == (WRONG_USAGE, [])
        assert "sync and publish one of its configs" in said
    # The advice works, and loses nothing.
    assert run("sync", SECOND)[0] == DONE
    assert run("publish", SECOND)[0] == DONE
    assert hits(run, SECOND)[0] == ANSWER
    assert run("sync", FIRST)[1][-1]["figures"]["embedded"] == 0


def test_a_ledger_put_back_from_a_backup_loses_no_later_release(run: Run, folder: Path) -> None:
    ledger = folder / "w" / "pipelines" / "ledger.db"
    shutil.copy(ledger, folder / "backup")
    (folder / "fourth.yaml").write_text(
        (folder / THIRD).read_text().replace("size_tokens: 8", "size_tokens: 64")
    )
    assert run("sync", "fourth.yaml")[0] == DONE
    assert run("publish", "fourth.yaml")[0] == DONE
    before, found = run("releases", THIRD)[1], hits(run, THIRD)
    delete(ledger)
    shutil.copy(folder / "backup", ledger)
    status, rows, said = run("releases", THIRD)
    assert (status, [row["id"] for row in rows if row["kind"] == "release"]) == (DONE, [4, 3, 2, 1])
    assert "1 release was found again from that; the next sync looks again" in said
    assert [row for row in rows if row["kind"] == "release"] == [
        row for row in before if row["kind"] == "release"
    ]
    assert hits(run, THIRD) == found
    # Once is enough, and what was cleaned does not come back.
    assert run("roll-back", THIRD)[0] == DONE
    copy = next((folder / "w" / "pipelines" / "releases").iterdir())
    of_before = copy.read_bytes()
    assert run("releases", THIRD, "--clean")[0] == DONE
    cleaned = [row for row in run("releases", THIRD)[1] if row["kind"] == "release"]
    copy.write_bytes(of_before)
    status, rows, said = run("releases", THIRD)
    assert ([row for row in rows if row["kind"] == "release"], said) == (cleaned, "")
    assert [row["id"] for row in cleaned] == [4, 3]


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("name", ["vectors/vectors.db", "pipelines/kept.db"])
def test_lost_caches_cost_no_document_and_no_answer(run: Run, folder: Path, lose: Loss, name: str) -> None:
    found = hits(run, "plain.yaml"), hits(run, THIRD)
    lose(folder / "w" / name)
    assert (hits(run, "plain.yaml"), hits(run, THIRD)) == found
    assert run("build", "plain.yaml")[0] == DONE
    assert run("sync", THIRD)[0] == DONE
    assert run("verify", THIRD)[0] == DONE
    assert (hits(run, "plain.yaml"), hits(run, THIRD)) == found


# ── damaged inside ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name, command",
    [
        ("workspace.db", ("documents",)),
        ("pipelines/ledger.db", ("releases", THIRD)),
        ("pipelines/kept.db", ("sync", THIRD)),
        ("vectors/vectors.db", ("build", "fresh.yaml")),
    ],
)
def test_a_database_damaged_inside_is_named_and_moving_it_away_helps(
    run: Run, folder: Path, name: str, command: tuple[str, ...]
) -> None:
    path = folder / "w" / name
    before = run(*command) if command[0] != "build" else None
    (folder / "fresh.yaml").write_text((folder / "plain.yaml").read_text().replace("tokens: 40", "tokens: 9"))
    data = bytearray(path.read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    path.write_bytes(data)
    status, _, said = run(*command)
    assert (status, f"{path} is damaged: move it away and try again; " in said) == (SOME_FAILED, True), said
    path.rename(path.with_name("away"))
    again = run(*command)
    if command[0] in ("documents", "releases") and before is not None:
        assert again[:2] == before[:2]
    assert (again[0], hits(run, "plain.yaml")[0], hits(run, THIRD)[0]) == (
        DONE,
        "A ticket costs two crowns. Dogs travel free.",
        ANSWER,
    )
