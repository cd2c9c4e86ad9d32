"""Chunks longer than the model reads are told on the command line, by build, plan and sync."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.source_places import settle
from workbench.__main__ import main
from workbench.config import parsed
from workbench.embedders.hashing import Hashing
from workbench.workspace.model_window import describe_size_limit

pytestmark = pytest.mark.slow

CONFIG = """\
name: long
parser: {name: plain_text}
chunker: {name: fixed_size, size_tokens: 30}
embedder: {name: hashing, max_tokens: 16}
sources: [{name: pdf_folder, path: in}]
"""
TEXT = "The tram stops at red and goes at white. " * 6  # 60 tokens, in chunks of 30
WHAT_TO_DO = "What lies beyond cannot be found by meaning: choose a smaller size, or a model that reads more."
COUNTED = (
    f"long: 2 of 3 chunks (67%) are longer than the 16 tokens that the model reads at once. {WHAT_TO_DO}"
)
BY_SIZE = f"long: chunks may have up to 30 tokens, and the model reads 16 at once. {WHAT_TO_DO}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "long.txt").write_text(TEXT)
    (tmp_path / "in" / "short.txt").write_text("Dogs travel free.")
    for path in (tmp_path / "in").iterdir():
        settle(path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], folder: Path) -> Any:
    def call(*words: str) -> tuple[int, list[dict[str, Any]], list[str]]:
        status = main([*words, "--json", "--workspace", str(folder / "workspace")])
        printed = capsys.readouterr()
        rows = [json.loads(line) for line in printed.out.splitlines()]
        return status, rows, [line for line in printed.err.splitlines() if "tokens" in line]

    return call


def test_a_build_counts_the_chunks_that_are_not_read_to_their_end_also_when_nothing_is_new(
    run: Any, folder: Path
) -> None:
    run("add", str(folder / "in"))
    fine = folder / "fine.yaml"
    fine.write_text(CONFIG.replace("30", "10").replace("long", "fine"))
    for _ in range(2):
        status, rows, said = run("build", str(folder / "config.yaml"), str(fine))
        assert (status, len(rows), said) == (0, 2, [COUNTED])


def test_a_plan_compares_the_size_with_the_window_and_embeds_nothing(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a plan embeds nothing")

    path = str(folder / "config.yaml")
    with monkeypatch.context() as patch:
        patch.setattr("workbench.contracts.embedder.EmbeddingModel.vectors", refuse)
        assert run("plan", path)[2] == [BY_SIZE]
    assert run("sync", path)[2] == [COUNTED]
    # Now its chunks are known.
    assert run("plan", path)[2] == [COUNTED]
    assert run("sync", path)[2] == [COUNTED]


def test_nothing_is_said_where_every_chunk_is_read_to_its_end(run: Any, folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_text(CONFIG.replace("30", "16"))
    for command in ("plan", "sync", "plan"):
        assert run(command, str(path))[2] == []


def test_a_large_size_is_no_matter_where_the_chunks_are_known_to_be_short(run: Any, folder: Path) -> None:
    (folder / "in" / "long.txt").unlink()
    path = str(folder / "config.yaml")
    assert run("plan", path)[2] == [BY_SIZE]
    for command in ("sync", "plan"):
        assert run(command, path)[2] == []


def test_sizes_in_characters_are_not_compared_with_tokens(tmp_path: Path) -> None:
    chunker = "{name: fixed_size, unit: characters, size_characters: 4000}"
    config = parsed(CONFIG.replace("{name: fixed_size, size_tokens: 30}", chunker))
    assert isinstance(config.embedder, Hashing)
    assert describe_size_limit(config, config.embedder.embedding_model(tmp_path)) == ""
