"""``sweep`` is a contract: two tables of JSON lines, what it stands on beside them, and a run that can go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.__main__ import DONE, SOME_FAILED, WRONG_USAGE, main

pytestmark = pytest.mark.slow

TEXT = "The tram stops at red. It goes at white.\n\nThe depot opens at four. Tickets are sold until nine."
QUESTIONS = """question,expected text,document
When does the depot open?,The depot opens at four.,a.txt
How long are tickets sold?,Tickets are sold until nine.,a.txt
"""
SWEEP = """\
version: 1
name: small
base:
  chunker: {name: fixed_size}
  embedder: {name: hashing}
factors:
  size_tokens: [8, 12, 30]
  overlap_tokens: [0, 8]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "questions.csv").write_text(QUESTIONS)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    assert main(["add", str(tmp_path / "a.txt"), "--workspace", str(tmp_path / "workspace")]) == DONE
    return tmp_path


def swept(
    folder: Path, capsys: pytest.CaptureFixture[str], *more: str, questions: str = "questions.csv"
) -> tuple[int, str, str]:
    capsys.readouterr()
    words = ["sweep", str(folder / "sweep.yaml"), "--questions", str(folder / questions)]
    status = main([*words, "--workspace", str(folder / "workspace"), *more])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_place_is_one_object_with_exactly_the_promised_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, message = swept(folder, capsys, "--json")
    assert status == DONE
    found = rows(out)
    assert {tuple(row) for row in found} == {
        ("table", "rank", "config", "measure", "value", "low", "high", "tokens_shown", "chunks", "questions")
    }
    assert [row["rank"] for row in found] == [1, 2, 3, 4, 5]
    assert {row["table"] for row in found} == {"confirmed"}
    assert [row["value"] for row in found] == sorted((row["value"] for row in found), reverse=True)
    assert "5 configurations (1 impossible left out): 5 to confirm" in message
    assert "fixed_size 8 overlap 8: overlap_tokens (8) must be below size_tokens (8)" in message
    assert "tau-b" not in message
    assert "not distinguishable (n = 2)" in message


def test_a_second_run_says_the_same_and_measures_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = swept(folder, capsys)
    second = swept(folder, capsys)
    assert second[1] == first[1]
    assert "everything is measured already" in second[2]
    assert "confirmed fixed_size" not in second[2]


def test_a_budget_stops_it_says_what_was_left_out_and_runs_add_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sweep.yaml").write_text(SWEEP + "budget: {configurations: 2}\n")
    for count, left in ((2, 3), (4, 1)):
        status, out, message = swept(folder, capsys, "--json")
        assert (status, len(rows(out))) == (DONE, count)
        assert f"budget of 2 configurations is spent: {left} configuration" in message
    status, out, message = swept(folder, capsys, "--json")
    assert len(rows(out)) == 5
    assert "is spent" not in message


def test_one_that_fails_is_named_and_the_rest_is_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sweep.yaml").write_text(
        SWEEP.replace("[0, 8]", "[0]") + "  embedders: [hashing, {name: sentence_transformers, model: /no}]\n"
    )
    status, out, message = swept(folder, capsys, "--json")
    assert (status, len(rows(out))) == (SOME_FAILED, 3)
    assert message.count("could not be screened") == 3


@pytest.mark.parametrize("text", ["name: [", "version: 1\nname: a\n", SWEEP.replace("fixed_size", "fixed")])
def test_a_wrong_sweep_is_one_clear_line(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (folder / "sweep.yaml").write_text(text)
    status, out, message = swept(folder, capsys)
    assert (status, out) == (WRONG_USAGE, "")
    assert message.startswith("error: ")
    assert "Traceback" not in message


def test_questions_without_an_answer_are_refused_before_anything_is_built(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "odd.csv").write_text("question,expected text\nWhy?,Nothing of the kind stands here at all.\n")
    status, out, message = swept(folder, capsys, questions="odd.csv")
    assert (status, out) == (WRONG_USAGE, "")
    assert "no question with an answer" in message
    assert not (folder / "workspace" / "tables").exists()
