"""The README says what is true: its commands run, its blocks work, its plug-in table is the folders'."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import types
from pathlib import Path

import pytest

from workbench import plugins
from workbench.__main__ import DONE, SOME_FAILED, main
from workbench.analysis import TextAnalysis
from workbench.config import parsed
from workbench.plugins import FAMILIES
from workbench.records import Document, Page

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<family>\w+) \| (?P<text>.+) \|$", re.MULTILINE)


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)[number]


def test_the_two_commands_come_first() -> None:
    lines = [line for line in README.splitlines() if line.strip()]
    assert lines[0].startswith("# ")
    assert [line.split("#")[0].strip() for line in lines[1:3]] == ["make run", "make test"]


def test_the_plugin_table_is_what_the_folders_hold() -> None:
    listed = {(m["family"], m["name"]) for m in ROW.finditer(README)}
    assert listed == {(family, name) for family in FAMILIES for name in plugins.names(family)}


def test_the_plugin_table_says_what_the_docstrings_say() -> None:
    for found in ROW.finditer(README):
        document = plugins.plugin_class(found["family"], found["name"]).__doc__ or ""
        assert found["text"] == document.splitlines()[0].rstrip("."), found["name"]


def test_the_config_can_be_read() -> None:
    assert parsed(block("yaml")).name == "handbook-250"


def test_the_example_chunker_works(words: types.SimpleNamespace) -> None:
    name = "workbench.chunkers.paragraphs"
    module = types.ModuleType(name)
    sys.modules[name] = module
    try:
        exec(compile(block("python"), "README.md", "exec"), module.__dict__)
        text = "One.\n\nTwo.\n \nThree."
        document = Document("d", text, (Page(1, 0, len(text)),), "", "")
        found = module.Paragraphs().chunks(document, TextAnalysis(text, words))
    finally:
        del sys.modules[name]
    assert [chunk.text for chunk in found] == ["One.", "Two.", "Three."]


@pytest.fixture
def words() -> object:
    return plugins.build("embedders", "hashing").embedding_model(Path()).tokenizer


def test_the_sections_of_a_pipeline_can_be_read() -> None:
    found = parsed(block("yaml") + block("yaml", 1))
    assert (found.sources[0].place(), found.release.keep) == ("documents", 3)  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1], ids=["workspace", "pipeline"])
def test_the_commands_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    for line in block("console", number).splitlines():
        words = shlex.split(line)
        assert words[:3] == ["python", "-m", "workbench"]
        assert main([*words[3:], "--workspace", str(tmp_path)]) == DONE
    assert "1." in capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_way_of_a_pipeline_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    said: dict[str, str] = {}
    for line in block("console", 2).splitlines():
        words = shlex.split(line, comments=True)
        if words[:3] == ["python", "-m", "workbench"]:
            expected = SOME_FAILED if "# exit status 1" in line else DONE
            assert main([*words[3:], "--workspace", "workspace"]) == expected, line
            said[line] = capsys.readouterr().out
        else:
            subprocess.run(line, shell=True, check=True)
    (refused,) = (text for line, text in said.items() if "# exit status 1" in line)
    assert "is not published: recall@5 is 0." in refused
    assert "below the minimum of 0.6" in refused
    assert "forced although" in next(text for line, text in said.items() if line.endswith("--force"))
    assert "cleaned every Monday" in list(said.values())[-1]


@pytest.mark.parametrize("picture", re.findall(r"\]\((docs/pictures/[\w./-]+)\)", README))
def test_every_picture_is_there(picture: str) -> None:
    assert (ROOT / picture).is_file()
