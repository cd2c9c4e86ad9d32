"""A workspace with a built table and a pipeline of three releases, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.source_places import settle
from tests.damage.hostile import open_to_writers
from workbench.__main__ import DONE, main

CONFIG = """\
name: notices
parser: {name: plain_text}
chunker: {name: nltk_sentences, size_tokens: 8, overlap_sentences: 0}
embedder: {name: hashing, dimension: 64}
sources:
- {name: pdf_folder, path: in}
release: {keep: 1}
"""
PLAIN = """\
name: plain
chunker: {name: nltk_sentences, size_tokens: 40}
embedder: {name: hashing, dimension: 64}
"""
FIRST, SECOND, THIRD = "first.yaml", "second.yaml", "third.yaml"
NOTES = {
    "red.txt": "The tram stops at red. It goes at white.",
    "fares.txt": "A ticket costs two crowns. Dogs travel free.",
}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damage") / "made"
    (folder / "in").mkdir(parents=True)
    for name, text in NOTES.items():
        (folder / "in" / name).write_text(text)
        settle(folder / "in" / name)
    (folder / "plain.yaml").write_text(PLAIN)
    workspace = str(folder / "w")
    assert main(["add", *(str(folder / "in" / name) for name in NOTES), "--workspace", workspace]) == DONE
    assert main(["build", str(folder / "plain.yaml"), "--workspace", workspace]) == DONE
    for name, dimension in ((FIRST, 64), (SECOND, 96), (THIRD, 128)):
        (folder / name).write_text(CONFIG.replace("dimension: 64", f"dimension: {dimension}"))
        for command in ("sync", "publish"):
            assert main([command, str(folder / name), "--workspace", workspace]) == DONE
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    """Configs, notices under ``in`` and the workspace ``w``."""
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    yield copy
    open_to_writers(copy)
