"""A build says which file it is at, by the name that people know it by."""

from __future__ import annotations

from pathlib import Path

from workbench.config import parsed
from workbench.workspace import Workspace

CONFIG = parsed(
    "version: 1\nname: Small\nchunker: {name: fixed_size, size_tokens: 9}\nembedder: {name: hashing}\n"
)


def test_a_build_names_the_file_and_not_the_title_of_what_it_is_at(tmp_path: Path) -> None:
    here = Workspace(tmp_path)
    here.add("r7.md", b"# The rules of the trams\n\nTrams stop at red.")
    notes: list[str] = []
    here.tables.build(CONFIG, on_step=lambda step: notes.append(step.note))
    assert "r7.md" in notes
    assert not any("rules" in note for note in notes)
