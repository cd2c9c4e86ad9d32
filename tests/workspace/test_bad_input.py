"""What bad input and a bad day get: a message that names what to do, the rest done, nothing lost."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import documents
from tests.workspace.falling_parser import FallingParser
from tests.workspace.test_tables import config
from workbench import pipeline
from workbench.__main__ import SOME_FAILED, main
from workbench.errors import ServiceError
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
GOOD = b"Trams stop at red. They go at white."


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.mark.parametrize(
    ("name", "data", "status", "words"),
    [
        ("empty.pdf", documents.empty_file(), "damaged", "empty"),
        ("locked.pdf", documents.password_pdf(), "needs_password", "password"),
        ("nothing.pdf", documents.zero_page_pdf(), "damaged", "page"),
        ("scan.pdf", documents.scanned_pdf(), "no_text", "OCR"),
        ("web.pdf", documents.html_named_pdf(), "unsupported", "PDF"),
        ("drawing.pdf", documents.svg_named_pdf(), "unsupported", "PDF"),
        ("blank.txt", b" \n\t ", "no_text", "text"),
        ("program.exe", b"MZ", "unsupported", ".pdf"),
    ],
)
def test_a_bad_file_gets_a_status_and_a_sentence(
    workspace: Workspace, name: str, data: bytes, status: str, words: str
) -> None:
    result = workspace.add(name, data)
    assert result.status == status
    assert words in result.message
    assert workspace.documents() == []
    assert workspace.add("good.txt", GOOD).status == "added"


def test_what_opens_freely_or_in_part_is_read(workspace: Workspace) -> None:
    assert workspace.add("free.pdf", documents.empty_password_pdf()).status == "added"
    assert workspace.add("huge page.pdf", documents.absurd_page_size_pdf()).status == "added"
    part = workspace.add("part.pdf", documents.page_that_fails_alone_pdf(pages=5, failing=3))
    assert part.status == "partly_read"
    assert "4 of 5" in part.message
    (row,) = (r for r in workspace.documents() if r.name == "part.pdf")
    assert row.failed_pages == (3,)


def test_a_bomb_is_stopped_and_the_rest_of_the_batch_is_done(workspace: Workspace) -> None:
    bomb = documents.unfolding_stream_pdf(size_bytes=2**30)
    batch = [("bomb.pdf", bomb, None), ("good.txt", GOOD, None), ("good.pdf", documents.plain_pdf(), None)]
    results = {result.path: result for _, result in workspace.add_many(batch)}
    assert results["bomb.pdf"].status in ("too_large", "timed_out", "damaged", "no_text")
    assert len(results["bomb.pdf"].message) > 20
    assert (results["good.txt"].status, results["good.pdf"].status) == ("added", "added")


def test_a_bug_in_a_parser_is_told_of_its_file_and_the_rest_of_the_batch_is_done(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(pipeline, "parser_for", lambda name, parser: FallingParser())
    batch = [(f"{number}.txt", f"Tram {number}.".encode(), None) for number in range(6)]
    results = {r.path: r for _, r in workspace.add_many([("odd.txt", GOOD, None), *batch])}
    odd = results.pop("odd.txt")
    assert (odd.status, odd.document_id) == ("failed", None)
    assert odd.message.startswith(
        "odd.txt could not be read because of a fault in this program (ZeroDivisionError)"
    )
    assert {r.status for r in results.values()} == {"added"}
    assert "a line of no height" in caplog.text
    for name in ("odd.txt", "z.txt"):
        (tmp_path / name).write_text(f"In {name}.")
    words = [
        "add",
        str(tmp_path / "odd.txt"),
        str(tmp_path / "z.txt"),
        "--workspace",
        str(tmp_path / "second"),
    ]
    assert main(words) == SOME_FAILED
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in sorted(said)] == ["added", "failed"]


def test_every_bomb_of_a_batch_ends_by_a_limit_and_the_rest_is_done(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "parse_timeout_s", lambda size_bytes: 4.0)
    monkeypatch.setattr(pipeline, "PARSE_MEMORY_BYTES", 256 * 2**20)
    batch = [
        ("forms.pdf", documents.exponential_forms_pdf(), None),
        ("crowded.pdf", documents.crowded_page_pdf(64_000_000), None),
        ("nested.pdf", documents.form_nested_in_itself_pdf(), None),
        ("good.txt", GOOD, None),
    ]
    results = {result.path: result for _, result in workspace.add_many(batch)}
    assert {results[name].status for name in ("nested.pdf", "good.txt")} == {"added"}
    for name in ("forms.pdf", "crowded.pdf"):
        assert results[name].status in ("too_large", "timed_out")
        assert len(results[name].message) > 20
    assert {row.name for row in workspace.documents()} == {"nested.pdf", "good.txt"}


@pytest.mark.parametrize("name", documents.NASTY_FILE_NAMES.values(), ids=documents.NASTY_FILE_NAMES)
def test_no_name_leads_out_of_the_workspace_or_turns_text_around(workspace: Workspace, name: str) -> None:
    result = workspace.add(name, documents.plain_pdf())
    assert [path for path in workspace.folder.parent.iterdir() if path != workspace.folder] == []
    for row in workspace.documents():
        assert result.status == "added"
        assert not set("/\\\u202e\x00\n") & set(row.name)
        assert len(row.name) <= 180


ADD_AND_BUILD = """
import sys
from pathlib import Path
from tests.workspace.falling_parser import FallingParser
from tests.workspace.test_tables import config
from workbench.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
for _, result in workspace.add_many((f"{i}.txt", f"Tram {i} is late.".encode(), None) for i in range(30)):
    assert result.is_in, result
print(workspace.tables.build(config()).failed)
"""


def test_two_processes_that_add_and_build_at_once_end_with_each_document_once(workspace: Workspace) -> None:
    command = [sys.executable, "-c", ADD_AND_BUILD, str(workspace.folder)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in both] == ["()\n", "()\n"]
    assert [process.returncode for process in both] == [0, 0]
    chunks = workspace.tables.table(config()).chunks()
    assert sorted(chunk.text for chunk in chunks) == sorted(f"Tram {i} is late." for i in range(30))
    assert len({chunk.id for chunk in chunks}) == 30


def test_a_full_disk_is_one_sentence_and_leaves_no_document(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = workspace.add("a.txt", GOOD)
    assert result.status == "failed"
    assert "is full" in result.message
    monkeypatch.undo()
    assert workspace.documents() == []
    assert list(workspace.folder.rglob("*.partial")) == []
    assert workspace.add("a.txt", GOOD).status == "added"


def test_a_place_where_nobody_can_write_is_refused_at_the_start() -> None:
    with pytest.raises(ServiceError, match="cannot be"):
        Workspace(Path("/proc/workbench"))


ADD_FOREVER = """
import sys
from pathlib import Path
from workbench.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
print("open", flush=True)
for index, result in workspace.add_many((f"{i}.txt", f"Tram {i} is late.".encode(), None) for i in range(400)):
    print(result.document_id, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 3, 8])
def test_a_process_killed_while_adding_leaves_whole_documents_only(workspace: Workspace, lines: int) -> None:
    command = [sys.executable, "-c", ADD_FOREVER, str(workspace.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(lines)][1:]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    after = Workspace(workspace.folder)
    rows = {row.id: row for row in after.documents()}
    assert set(told) <= set(rows)
    for row in rows.values():
        assert after.document(row.id).text == f"Tram {row.name.removesuffix('.txt')} is late."
    assert after.add("0.txt", b"Tram 0 is late.").is_in
