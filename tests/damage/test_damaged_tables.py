"""Files of a table that are deleted or overwritten: every command says so in one sentence, and it heals completely."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.damage.conftest import SECOND, THIRD
from workbench.__main__ import DONE, SOME_FAILED, main
from workbench.config import parsed
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

QUESTION = "What does a ticket cost?"
QUESTIONS = "question,expected text,document\nWhat does a ticket cost?,A ticket costs two crowns.,fares.txt\n"
Run = Callable[..., tuple[int, list[dict[str, Any]], str]]
Harm = Callable[[Path], None]


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command; what any library writes to the process's own stderr is seen, too."""
    (folder / "questions.csv").write_text(QUESTIONS)

    def run(command: str, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        capfd.readouterr()
        given = [str(folder / word) if word.endswith((".yaml", ".csv")) else word for word in words]
        status = main([command, *given, "--json", "--workspace", str(folder / "w")])
        printed = capfd.readouterr()
        return status, [json.loads(line) for line in printed.out.splitlines()], printed.err

    return run


def answers(run: Run, config: str) -> list[tuple[str, float]]:
    """Return what a search finds; where the copied files lie now is known after the next sync."""
    status, rows, said = run("search", config, QUESTION)
    assert (status, said) == (DONE, "")
    return [(row["text"], row["score"]) for row in rows]


def remove(path: Path) -> None:
    path.unlink()


def overwrite(path: Path) -> None:
    size = path.stat().st_size
    path.write_bytes((b"\x9asomething else" * size)[:size])


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def twist(path: Path) -> None:
    """Change the middle of a file, which keeps its size and its ending."""
    data = bytearray(path.read_bytes())
    quarter = len(data) // 4
    data[quarter : 2 * quarter] = b"\xff" * quarter
    path.write_bytes(data)


HARMS = [remove, overwrite, cut_off, make_empty]


def newest(folder: Path, part: str) -> Path:
    """Return the newest data file or manifest of a Lance table."""
    names = {"data": "data/*.lance", "manifest": "_versions/*.manifest"}
    return max(folder.glob(names[part]), key=lambda path: path.stat().st_mtime_ns)


def table_of(folder: Path, run: Run, config: str) -> Path:
    """Return the folder of the table that a pipeline's config writes."""
    (name,) = (
        row["name"] for row in run("releases", config)[1] if row["kind"] == "table" and row["is_current"]
    )
    return folder / "w" / "pipelines" / "tables" / f"{name}.lance"


def plain_table(folder: Path) -> Path:
    (found,) = (folder / "w" / "tables").glob("*.lance")
    return found


def check_sentence(status: int, said: str) -> None:
    assert status == SOME_FAILED, said
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "is damaged" in line
    check_words(said)


def check_words(said: str) -> None:
    """No word of a library, no place in its source."""
    for foreign in (
        ".rs",
        "cargo",
        "rustc",
        "panicked",
        "lance error",
        "LanceError",
        "magic",
        "Traceback",
        "backtrace",
    ):
        assert foreign not in said, said


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_table_of_the_workspace_is_told_and_a_build_writes_it_anew(
    run: Run, folder: Path, harm: Harm
) -> None:
    before = answers(run, "plain.yaml")
    harm(newest(plain_table(folder), "data"))
    for line in (
        ("search", "plain.yaml", QUESTION),
        ("evaluate", "plain.yaml", "--questions", "questions.csv"),
    ):
        check_sentence(run(*line)[0], run(*line)[2])
    assert run("documents")[0] == DONE
    workspace = Workspace(folder / "w")
    (row,) = workspace.tables.rows()
    assert (row.missing_documents, "is damaged" in row.lack) == (2, True)
    status, [built], said = run("build", "plain.yaml")
    assert (status, built["embedded"], built["chunks_written"], said) == (DONE, 0, 2, "")
    assert answers(run, "plain.yaml") == before
    assert workspace.tables.rows()[0].lack == ""
    harm(newest(plain_table(folder), "data"))
    gone = workspace.documents()[0].id
    assert [one.document_id for one in workspace.delete([gone])] == [gone]
    assert run("build", "plain.yaml")[0] == DONE
    assert workspace.tables.due_deletions() == []


@pytest.mark.parametrize("harm", [*HARMS, twist])
@pytest.mark.parametrize("part", ["data", "manifest"])
def test_a_damaged_table_of_a_pipeline_is_told_by_every_command_and_repaired(
    run: Run, folder: Path, part: str, harm: Harm
) -> None:
    before = answers(run, THIRD)
    harm(newest(table_of(folder, run, THIRD), part))
    lost_version = part == "manifest" and harm is remove
    for line in (
        ("search", THIRD, QUESTION),
        ("sync", THIRD),
        ("verify", THIRD),
        ("releases", THIRD),
        ("log", THIRD),
    ):
        check_words(run(*line)[2])
    if not lost_version and harm is not twist:
        check_sentence(*run("sync", THIRD)[::2])
        check_sentence(*run("search", THIRD, QUESTION)[::2])
        assert {row["kind"] for row in run("verify", THIRD)[1]} == {"damaged_table"}
    status, _, said = run("verify", THIRD, "--repair")
    assert status == DONE, said
    check_words(said)
    assert run("verify", THIRD)[0] == DONE
    assert answers(run, THIRD) == before
    assert run("log", THIRD)[1][0]["status"] == "done"


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def leave_one_byte(path: Path) -> None:
    path.write_bytes(b"x")


@pytest.mark.parametrize("part, harm", [("data", make_folder), ("manifest", leave_one_byte)])
def test_a_folder_or_one_byte_in_the_place_of_a_file_is_damage_that_a_build_heals(
    run: Run, folder: Path, part: str, harm: Harm
) -> None:
    before = answers(run, "plain.yaml")
    harm(newest(plain_table(folder), part))
    check_sentence(*run("search", "plain.yaml", QUESTION)[::2])
    assert run("build", "plain.yaml")[0] == DONE
    assert answers(run, "plain.yaml") == before


def test_a_file_in_the_place_of_all_tables_is_told_and_moving_it_away_helps(run: Run, folder: Path) -> None:
    before = answers(run, "plain.yaml")
    tables = folder / "w" / "tables"
    shutil.rmtree(tables)
    tables.write_text("no folder")
    assert "is not built yet" in run("search", "plain.yaml", QUESTION)[2]
    assert f"{tables} must be a folder, and is none: move it away" in run("build", "plain.yaml")[2]
    tables.unlink()
    assert run("build", "plain.yaml")[0] == DONE
    assert answers(run, "plain.yaml") == before


def test_the_damaged_table_of_a_release_is_repaired_beside_that_of_the_config(run: Run, folder: Path) -> None:
    table = table_of(folder, run, SECOND)
    assert run("roll-back", THIRD)[0] == DONE
    before = answers(run, THIRD)
    remove(newest(table, "data"))
    check_sentence(*run("search", THIRD, QUESTION)[::2])
    status, events, _ = run("sync", THIRD)
    assert (status, "is damaged" in events[-1]["message"]) == (SOME_FAILED, True)
    assert [row["kind"] for row in run("verify", THIRD)[1]] == ["damaged_release"]
    assert run("verify", THIRD, "--repair")[0] == DONE
    assert answers(run, THIRD) == before


def test_nobody_goes_back_to_a_damaged_release(run: Run, folder: Path) -> None:
    table = table_of(folder, run, SECOND)
    remove(newest(table, "data"))
    before = answers(run, THIRD)
    check_sentence(*run("roll-back", THIRD)[::2])
    assert answers(run, THIRD) == before
    # The advice works: with the config of that release its table is written anew.
    assert run("verify", SECOND, "--repair")[0] == DONE
    assert run("roll-back", THIRD)[0] == DONE


def test_a_damaged_index_of_words_is_made_anew_by_the_question_that_needs_it(run: Run, folder: Path) -> None:
    text = (folder / "plain.yaml").read_text() + "retriever: {name: keyword, index: store}\n"
    (folder / "words.yaml").write_text(text)
    assert run("build", "words.yaml")[0] == DONE
    before = answers(run, "words.yaml")
    for path in plain_table(folder).glob("_indices/*/*.lance"):
        overwrite(path)
    assert answers(run, "words.yaml") == before
    for path in plain_table(folder).glob("_indices/*/*.lance"):
        path.unlink()
    assert run("build", "words.yaml")[0] == DONE
    assert answers(run, "words.yaml") == before


def test_a_build_of_a_damaged_table_writes_what_the_config_says_now(folder: Path) -> None:
    workspace, config = Workspace(folder / "w"), parsed((folder / "plain.yaml").read_text())
    for path in plain_table(folder).glob("_versions/*.manifest"):
        twist(path)
    result = workspace.tables.build(config)
    assert "was damaged and is written anew" in result.note
    assert (result.chunks, result.embedded) == (2, 0)
