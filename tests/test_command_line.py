"""The command line is a contract: other programs read its JSON lines and its exit status."""

from __future__ import annotations

import fcntl
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.__main__ import DONE, SOME_FAILED, WRONG_USAGE, main
from workbench.config import parsed

pytestmark = pytest.mark.slow

CONFIG = """\
version: 1
name: tiny
chunker: {name: nltk_sentences, size_tokens: 30, overlap_sentences: 0}
embedder: {name: hashing}
"""
TEXT = "The tram stops at red. It goes at white.\n\nThe depot opens at four. Tickets are sold until nine."
ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    (tmp_path / "in" / "b.md").write_text("# Fares\n\nA ticket costs two crowns. Dogs travel free.")
    return tmp_path


def run(
    capsys: pytest.CaptureFixture[str], folder: Path, *words: str
) -> tuple[int, list[dict[str, Any]], str]:
    status = main([*words, "--json", "--workspace", str(folder / "workspace")])
    printed = capsys.readouterr()
    return status, [json.loads(line) for line in printed.out.splitlines()], printed.err


def test_add_prints_one_object_a_file_with_exactly_the_promised_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, rows, _ = run(capsys, folder, "add", str(folder / "in"))
    assert status == DONE
    assert {r["status"] for r in rows} == {"added"}
    assert set(rows[0]) == {
        "path", "status", "document_id", "pages", "characters", "empty_pages", "message",
        "letters_kept", "letters_on_page", "short_pages",
    }  # fmt: skip
    status, rows, _ = run(capsys, folder, "add", str(folder / "in" / "a.txt"))
    assert (status, rows[0]["status"]) == (DONE, "unchanged")


def test_add_goes_on_after_a_bad_file_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "in" / "bad.pdf").write_bytes(b"no pdf")
    status, rows, _ = run(capsys, folder, "add", str(folder / "in"), str(folder / "nowhere.pdf"))
    assert status == SOME_FAILED
    assert sorted(r["status"] for r in rows) == ["added", "added", "failed", "unsupported"]


def test_an_empty_path_is_not_the_current_folder(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "in")
    for words in (("add", str(folder / "in"), ""), ("chunks", str(folder / "config.yaml"), "")):
        status, rows, message = run(capsys, folder, *words)
        assert (status, rows) == (WRONG_USAGE, [])
        assert message == "error: a path is empty: name a file or a folder, or . for this one\n"
    assert run(capsys, folder, "documents")[1] == []


def test_chunks_of_a_file_need_no_workspace_document(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder / "in" / "a.txt")
    status, rows, _ = run(capsys, folder, "chunks", str(folder / "config.yaml"), path)
    assert status == DONE
    assert set(rows[0]) == {
        "document_id", "path", "ordinal", "start", "end", "page_start", "page_end", "token_count", "text",
    }  # fmt: skip
    assert all(TEXT[r["start"] : r["end"]] == r["text"] for r in rows)
    assert {r["path"] for r in rows} == {path}


def test_the_whole_way_from_files_to_hits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(folder / "config.yaml")
    run(capsys, folder, "add", str(folder / "in"))
    status, built, _ = run(capsys, folder, "build", config)
    assert (status, built[0]["documents"], built[0]["failed"]) == (DONE, 2, [])
    assert built[0]["embedded"] == built[0]["chunks_written"] > 0
    status, again, _ = run(capsys, folder, "build", config)
    assert (again[0]["chunks_written"], again[0]["embedded"]) == (0, 0)
    status, hits, _ = run(capsys, folder, "search", config, "Dogs travel free", "--k", "2")
    assert status == DONE
    assert [h["rank"] for h in hits] == list(range(1, len(hits) + 1))
    assert set(hits[0]) == {
        "rank", "score", "parts", "document_id", "path", "start", "end", "page_start", "page_end", "text",
    }  # fmt: skip
    assert "Dogs" in hits[0]["text"]
    status, listed, _ = run(capsys, folder, "documents")
    assert {d["name"] for d in listed} == {"a.txt", "b.md"}


def test_a_search_is_narrowed_by_document_pages_and_metadata(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(folder / "config.yaml")
    run(capsys, folder, "add", str(folder / "in"))
    run(capsys, folder, "build", config)
    for name in ("a.txt", "b.md"):
        _, hits, _ = run(capsys, folder, "search", config, "Dogs travel free", "--document", name)
        assert hits
        assert {Path(hit["path"]).name for hit in hits} == {name}
    for narrowed in (["--pages", "2-9"], ["--metadata", "author=Nobody = none"]):
        status, hits, message = run(capsys, folder, "search", config, "Dogs", *narrowed)
        assert (status, hits) == (DONE, [])
        assert "the filter leaves none" in message
    status, hits, message = run(capsys, folder, "search", config, "Dogs", "--document", "c.txt")
    assert (status, hits) == (WRONG_USAGE, [])
    assert message == "error: there is no document c.txt: `documents` lists what is there\n"


@pytest.mark.parametrize("words", [("--pages", "5-3"), ("--pages", "x"), ("--metadata", "author")])
def test_a_filter_that_makes_no_sense_is_refused(
    folder: Path, words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["search", str(folder / "config.yaml"), "Dogs", *words])
    assert raised.value.code == WRONG_USAGE
    assert words[1] in capsys.readouterr().err


def test_chunks_of_the_workspace_and_of_the_files_are_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(folder / "config.yaml")
    run(capsys, folder, "add", str(folder / "in"))
    _, stored, _ = run(capsys, folder, "chunks", config)
    _, direct, _ = run(capsys, folder, "chunks", config, str(folder / "in"))
    assert stored == direct


def test_searching_an_unbuilt_table_says_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, rows, message = run(capsys, folder, "search", str(folder / "config.yaml"), "x")
    assert (status, rows) == (WRONG_USAGE, [])
    assert message == "error: the table of tiny is not built yet: build it first\n"


def test_a_wrong_config_is_one_line_without_a_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.yaml").write_text("name: x\nchunker: {name: fixed}\n")
    status, _, message = run(capsys, folder, "build", str(folder / "config.yaml"))
    assert status == WRONG_USAGE
    assert message.count("\n") == 1
    assert "line 2, chunker.name" in message
    assert "embedder is missing" in message


@pytest.mark.parametrize(
    "question", ["O'Brien", "x' OR 1=1 --", "🚋🚋", "a" * 10_000, '"; DROP TABLE x', "\u202e\x00"]
)
def test_a_strange_question_is_only_a_question(
    folder: Path, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    config = str(folder / "config.yaml")
    run(capsys, folder, "add", str(folder / "in"))
    run(capsys, folder, "build", config)
    status, hits, _ = run(capsys, folder, "search", config, question)
    assert status == DONE
    assert len(hits) == 2


@pytest.mark.parametrize("question", ["", "   ", "a" * 100_000])
def test_an_empty_or_endless_question_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    config = str(folder / "config.yaml")
    run(capsys, folder, "build", config)
    status, _, message = run(capsys, folder, "search", config, question)
    assert (status, message.startswith("error: ")) == (WRONG_USAGE, True)


def test_usage_errors_end_with_status_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["fly"], ["search", "c.yaml", "q", "--k", "0"], ["search", "c.yaml", "q", "--k", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == WRONG_USAGE


def test_an_interrupt_while_it_loads_ends_with_130_and_one_line() -> None:
    words = [sys.executable, "-X", "importtime", "-m", "workbench", "documents"]
    with subprocess.Popen(
        words,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores interrupts, and its children would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stderr is not None
        # In a pipe this small the program cannot run far ahead of who reads it.
        fcntl.fcntl(process.stderr.fileno(), fcntl.F_SETPIPE_SZ, 4_096)
        for line in process.stderr:
            if "numpy" in line:
                break
        process.send_signal(signal.SIGINT)
        said = [line for line in process.stderr if not line.startswith("import time:")]
    assert (process.returncode, said) == (130, ["interrupted before anything was begun\n"])


def test_an_interrupt_ends_with_130_and_nothing_half_written(folder: Path) -> None:
    for number in range(200):
        (folder / "in" / f"{number}.txt").write_text(f"{TEXT} {number}")
    command = [
        sys.executable,
        "-m",
        "workbench",
        "--workspace",
        str(folder / "w"),
        "--json",
        "add",
        str(folder / "in"),
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores interrupts, and its children would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # at least one document is in
        os.kill(process.pid, signal.SIGINT)
        _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in message
    listed = subprocess.run(
        [sys.executable, "-m", "workbench", "--workspace", str(folder / "w"), "--json", "documents"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert len(listed) >= 1
    assert list((folder / "w").rglob("*.partial")) == []


def test_a_terminal_of_one_alphabet_gets_every_result(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "A ride costs 2 € – “cheap”, 漢字.\tAnd é."
    (folder / "in" / "a.txt").write_text(text, encoding="utf-8")
    words = ["chunks", str(folder / "config.yaml"), str(folder / "in" / "a.txt")]
    told = []
    for more in (["--json"], []):
        stdout = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main([*words, *more, "--workspace", str(folder / "workspace")]) == DONE
        stdout.flush()
        told.append(stdout.buffer.getvalue())  # type: ignore[attr-defined]
    assert "".join(json.loads(line)["text"] for line in told[0].splitlines()) == text
    assert b"\\u20ac \\u2013" in told[1]
    assert b"\tAnd \xe9." in told[1]


def test_a_workspace_whose_name_is_no_text_is_refused_before_anything_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = folder / os.fsdecode(b"w\xff")
    assert main(["documents", "--workspace", str(place)]) == WRONG_USAGE
    assert "has a name that is not UTF-8" in capsys.readouterr().err
    assert not place.exists()


def test_weights_are_written_whatever_the_questions_are_called(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, folder, "add", str(folder / "in"))
    run(capsys, folder, "build", str(folder / "config.yaml"))
    questions = folder / os.fsdecode(b"q\xff\x07.csv")
    questions.write_text(
        "question,expected text\nWhere does it stop?,The tram stops at red.\nFares?,Dogs travel free.\n"
    )
    tuned = folder / "tuned.yaml"
    words = ("tune", str(folder / "config.yaml"), "--folds", "2", "--questions", str(questions))
    status, _, _ = run(capsys, folder, *words, "--output", str(tuned))
    assert status == DONE
    assert "questions of q.csv" in parsed(tuned.read_text()).comment
    status, _, message = run(capsys, folder, *words, "--output", str(folder / "in"))
    assert status == SOME_FAILED
    assert f"error: {folder / 'in'} cannot be used" in message
