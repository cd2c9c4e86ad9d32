"""What answers questions works where nothing can be written: on a disk that takes no byte, and on a read-only one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.damage.conftest import THIRD
from tests.damage.hostile import close_to_writers, commands, keep_to_rights, write_no_byte
from tests.small_disk import SmallDisk, small_disk
from workbench.__main__ import DONE, SOME_FAILED

pytestmark = pytest.mark.slow

QUESTION = "What does a ticket cost?"
ANSWER = "A ticket costs two crowns."


def readers(folder: Path) -> list[list[str | Path]]:
    return [
        ["search", folder / THIRD, QUESTION, "--json"],
        ["search", folder / "plain.yaml", QUESTION, "--json"],
        ["documents", "--json"],
        ["log", folder / THIRD, "--json"],
        ["releases", folder / THIRD, "--json"],
        ["plan", folder / THIRD, "--json"],
        ["verify", folder / THIRD],
    ]


def check_answers(found: list[tuple[int, str, str]]) -> None:
    assert [status for status, *_ in found] == [DONE] * len(found), found
    assert [message for *_, message in found] == [""] * len(found)
    (hit, *_), (plain, *_), documents, runs, releases, (plan,), _ = (
        [json.loads(line) for line in out.splitlines() if line.startswith("{")] for _, out, _ in found
    )
    assert (hit["text"], ANSWER in plain["text"]) == (ANSWER, True)
    assert Path(hit["path"]).name == "fares.txt"
    assert {row["name"] for row in documents} == {"red.txt", "fares.txt"}
    assert [row["status"] for row in runs] == ["done"] * 3
    assert [row["id"] for row in releases if row["kind"] == "release"] == [3, 2, 1]
    # A copied file is another one to its source.
    assert (plan["change"], plan["add"], plan["remove"]) == (2, 0, 0)


def test_what_answers_questions_works_on_a_disk_that_takes_no_byte(folder: Path) -> None:
    check_answers(commands(folder / "w", readers(folder), limits=write_no_byte))


def test_what_answers_questions_works_in_a_workspace_that_may_only_be_read(folder: Path) -> None:
    close_to_writers(folder)
    *found, (status, _, refused) = commands(
        folder / "w", [*readers(folder), ["sync", folder / THIRD]], limits=keep_to_rights
    )
    check_answers(found)
    assert (status, "give this user the right to write there" in refused) == (SOME_FAILED, True)


def test_without_caches_and_without_the_right_to_write_questions_are_answered(folder: Path) -> None:
    for path in [*(folder / "w" / "vectors").iterdir(), *(folder / "w" / "pipelines").glob("kept.db*")]:
        path.unlink()
    close_to_writers(folder)
    lines = readers(folder)[:3]
    assert [status for status, *_ in commands(folder / "w", lines, limits=keep_to_rights)] == [DONE] * 3


def test_a_workspace_that_nothing_was_ever_done_in_may_be_read_only(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    close_to_writers(tmp_path / "empty")
    assert commands(tmp_path / "empty", [["documents"]], limits=keep_to_rights) == [(DONE, "", "")]


KILLED = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA wal_autocheckpoint = 0")
database.execute("UPDATE runs SET message = 'written last' WHERE id = 3")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("lost", ["-shm", ""])
def test_what_waits_beside_a_file_that_may_only_be_read_is_not_missed(folder: Path, lost: str) -> None:
    path = folder / "w" / "pipelines" / "ledger.db"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert path.with_name("ledger.db-wal").stat().st_size > 0
    if lost:
        path.with_name(path.name + lost).unlink()
    close_to_writers(folder)
    (status, out, _), search = commands(
        folder / "w",
        [["log", folder / THIRD, "--json"], ["search", folder / THIRD, QUESTION, "--json"]],
        limits=keep_to_rights,
    )
    assert (status, search[0]) == (DONE, DONE)
    assert json.loads(out.splitlines()[0])["message"] == "written last"


# ── a disk that is really full ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 8 * 2**20) as found:
        yield found


def on_disk(disk: SmallDisk, *line: str | Path) -> subprocess.CompletedProcess[str]:
    return disk.run(sys.executable, "-m", "workbench", *line, "--workspace", disk.folder / "w")


def test_on_a_full_disk_one_goes_back_and_cleans_and_then_there_is_room(
    disk: SmallDisk, folder: Path
) -> None:
    assert disk.run("cp", "-a", f"{folder}/.", disk.folder).returncode == 0
    disk.fill()
    config = disk.folder / THIRD
    answered = on_disk(disk, "search", config, QUESTION, "--json")
    assert json.loads(answered.stdout.splitlines()[0])["text"] == ANSWER
    back = on_disk(disk, "roll-back", config)
    assert (back.returncode, "(release 2 of" in back.stdout) == (DONE, True), back.stderr
    cleaned = on_disk(disk, "releases", config, "--clean")
    assert (cleaned.returncode, "dropped 1 table" in cleaned.stderr) == (DONE, True), cleaned.stderr
    assert on_disk(disk, "search", config, QUESTION).returncode == DONE


def test_cleaning_makes_room_where_nothing_was_set_aside(disk: SmallDisk, folder: Path) -> None:
    assert disk.run("cp", "-a", f"{folder}/.", disk.folder).returncode == 0
    assert disk.run("rm", disk.folder / "w" / "pipelines" / "ledger.reserve").returncode == 0
    disk.fill()
    cleaned = on_disk(disk, "releases", disk.folder / THIRD, "--clean")
    assert (cleaned.returncode, "dropped 2 tables" in cleaned.stderr) == (DONE, True), cleaned.stderr
    answered = on_disk(disk, "search", disk.folder / THIRD, QUESTION, "--json")
    assert json.loads(answered.stdout.splitlines()[0])["text"] == ANSWER
    assert on_disk(disk, "verify", disk.folder / THIRD).returncode == DONE
    disk.free()
    assert "release 1 " not in on_disk(disk, "releases", disk.folder / THIRD, "--clean").stdout
