"""YAML and tables that are broken or hostile: a sentence on every page and on the command line, never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.__main__ import WRONG_USAGE, main
from workbench.config import MAX_PROBLEMS, parsed, read_config_file, written
from workbench.errors import ConfigError
from workbench.evaluation.formats import imported
from workbench.sweep import grid_yaml
from workbench.workspace import Workspace

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
CONFIG = """\
version: {version}
name: tiny
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: {embedder}}}
budget: {{minutes: {minutes}}}
sources: [{{name: csv_file, path: a.csv, id_column: id, text_columns: [{column}]}}]
"""
PLAIN = {"version": "1", "size": "9", "embedder": "hashing", "minutes": "5", "column": "text"}
NUMBERS = {
    "decimal": "9" * 5_000,
    "negative": "-" + "9" * 5_000,
    "hexadecimal": "0x" + "f" * 9_000,
    "octal": "0" + "7" * 9_000,
    "binary": "0b" + "1" * 20_000,
    "base 60": "1" + ":59" * 3_000,
    "base 60 with a point": "1" + ":59" * 3_000 + ".5",
    "with marks": "9_" * 3_000 + "9",
    "with a point": "9" * 5_000 + ".5",
    "with an exponent": "1e" + "9" * 500,
    "tagged": "!!int " + "9" * 5_000,
}
LETTERS = "abcdefghi"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in pairwise(LETTERS)
)


def config(**given: str) -> str:
    return CONFIG.format(**{**PLAIN, **given})


@pytest.mark.parametrize("place", ["version", "size", "embedder", "minutes"])
@pytest.mark.parametrize("kind", NUMBERS)
def test_a_number_of_thousands_of_digits_is_refused_with_its_line(kind: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(config(**{place: NUMBERS[kind]}), "x.yaml")
    said = str(caught.value)
    assert said.startswith("x.yaml: line ")
    assert len(said) < 700
    assert "sys.set_int" not in said
    assert "ScalarNode" not in said


@pytest.mark.parametrize("kind", NUMBERS)
def test_where_a_text_is_taken_a_number_without_end_is_one(kind: str) -> None:
    found = parsed(config(column=NUMBERS[kind]))
    assert parsed(written(found)) == found


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_sweep_says_so_too(kind: str) -> None:
    grid = f"version: 1\nname: a\nbase: {{chunker: {{name: fixed_size}}}}\nfinalists: {NUMBERS[kind]}\n"
    grid += f"factors: {{size_tokens: [{NUMBERS[kind]}, 9]}}\nbudget: {{configurations: {NUMBERS[kind]}}}\n"
    with pytest.raises(ConfigError) as caught:
        grid_yaml.parsed(grid, "x.yaml")
    assert "sys.set_int" not in str(caught.value)
    assert len(str(caught.value)) < 3_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "aliases"),
        ("a: &a {x: 1}\nb: {<<: *a}\n", "aliases"),
        ("&a [*a]\n", "aliases"),
        ("[" * 50_000, "nested far too deep"),
        ("{a: " * 50_000, "nested far too deep"),
        ("- " * 50_000, "nested far too deep"),
        ("!!python/object/apply:os.system ['id']\n", "a config is a list of keys"),
        ("name: a\0b\n", r"the character U\+0000 at position 8 is not allowed"),
        ("name: \ud800\n", r"the character U\+D800 at position 7 is not allowed"),
    ],
)
def test_yaml_that_unfolds_or_runs_or_hides_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        parsed(text, "x.yaml")
    assert "\n" not in str(caught.value)


def test_of_very_many_problems_the_first_are_told_and_the_others_counted() -> None:
    many = "".join(f"k{number}: 1\n" for number in range(5_000)) + "k" * 900 + ": 1\n"
    with pytest.raises(ConfigError) as caught:
        parsed(many, "x.yaml")
    assert len(caught.value.problems) == MAX_PROBLEMS + 1
    assert caught.value.problems[-1] == f"and {5_001 + 3 - MAX_PROBLEMS:,} more problems"
    assert len(str(caught.value)) < 10_000
    with pytest.raises(ConfigError) as caught:
        parsed("chunker: {name: fixed_size, " + "k" * 900 + ": 1}\n", "x.yaml")
    assert max(map(len, caught.value.problems)) < 510


# ── files in the folder of pipelines ─────────────────────────────────────────────────────────────────────────────


def huge(path: Path) -> None:
    with path.open("wb") as file:
        # A hole: it takes no room on the disk.
        file.truncate(100_000_000)


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (lambda path: path.mkdir(), "this is a folder, not a file"),
    "bytes": (lambda path: path.write_bytes(bytes(range(256)) * 9), "not a text file in UTF-8"),
    "100 MB": (huge, "too large for a config"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "No such file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "symbolic links"),
    "a pipe nobody writes to": (lambda path: os.mkfifo(path), "a pipe or a device"),
    "a device without end": (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
    "a bomb": (lambda path: path.write_text(BOMB), "aliases"),
    "a number": (lambda path: path.write_text(config(size=NUMBERS["hexadecimal"])), "size_tokens"),
    "nothing": (lambda path: path.touch(), "a config is a list of keys"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_config_is_told_in_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.yaml"
    make, told = FILES[kind]
    make(path)
    with pytest.raises(ConfigError, match=told) as caught:
        parsed(read_config_file(path, path.name), path.name)
    assert str(caught.value).startswith("x.yaml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind != "a pipe nobody writes to"])
@pytest.mark.parametrize("command", ["build", "plan", "log", "sweep", "search"])
def test_the_command_line_says_so_and_ends_with_2(
    tmp_path: Path, kind: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.yaml"
    FILES[kind][0](path)
    words = {
        "sweep": [str(path), "--questions", str(path)],
        "search": [str(path), "a question"],
    }.get(command, [str(path)])
    assert main(["--workspace", str(tmp_path / "w"), command, *words]) == WRONG_USAGE
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}: ")
    assert said.count("\n") == 1


def test_a_config_may_come_through_a_pipe_that_was_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read, write = os.pipe()
    os.write(write, config(size="0").encode())
    os.close(write)
    assert main(["--workspace", str(tmp_path), "build", f"/dev/fd/{read}"]) == WRONG_USAGE
    os.close(read)
    assert "size_tokens (0)" in capsys.readouterr().err


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with every such file where configs, pipelines and grids lie."""
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    here = Workspace(tmp_path)
    for place in ("pipelines/configs", "configs", "sweeps"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        for number, (make, _) in enumerate(FILES.values()):
            make(tmp_path / place / f"{number}.yaml")
    return here


@pytest.mark.slow
@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    "name", ["sources", "runs", "releases", "export", "tables", "chunks", "sweep", "search", "documents"]
)
def test_every_page_lives_beside_such_files(name: str) -> None:
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    app.switch_page(f"../../pages/{name}.py").run()
    assert not app.exception
    assert not any("bug" in error.value for error in app.error)
    if name == "sources":
        told = next(one.value for one in app.warning if "no pipelines" in one.value)
        for number in range(len(FILES)):
            assert rf"**{number}\.yaml**" in told
        assert len(told) < 5_000


# ── tables of questions ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_first_cell_beyond_what_python_reads_by_itself_is_read(delimiter: str) -> None:
    long = "x" * 200_000
    read = imported(f"{long}{delimiter}question\n1{delimiter}Is it late?\n".encode(), "q.csv", [], "q")
    assert read.problems or [one.text for one in read.question_set.questions] == ["Is it late?"]


@pytest.mark.slow
def test_the_command_line_refuses_such_a_table_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yaml").write_text(
        "version: 1\nname: x\nchunker: {name: fixed_size}\nembedder: {name: hashing}\n"
    )
    for text in ("x" * 200_000 + "\nIs it late?\n", '"' + "x" * 200_000 + "\n", "y" * 140_000):
        (tmp_path / "q.csv").write_text(text)
        words = ["evaluate", str(tmp_path / "x.yaml"), "--questions", str(tmp_path / "q.csv")]
        assert main(["--workspace", str(tmp_path / "w"), *words]) == WRONG_USAGE
        said = capsys.readouterr().err
        assert "error: " in said
        assert "Traceback" not in said
        assert len(said) < 3_000
