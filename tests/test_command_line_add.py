"""What `add` takes in and how it tells of it: paths as they were given, links, letters that are kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from tests.closing_line import ClosingLine
from tests.documents import CUT_OFF, half, one_line_pages, tram_pdf, without_last_page
from workbench import pipeline
from workbench.__main__ import DONE, SOME_FAILED, main

pytestmark = pytest.mark.slow

WHOLE = "Trams stop at red. The end."
KEYS = {
    "path", "status", "document_id", "pages", "characters", "empty_pages", "message",
    "letters_kept", "letters_on_page", "short_pages",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("in/sub", "out", "in/.hidden"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("in/a.txt", "in/sub/b.txt", "out/c.txt", "in/.hidden/d.txt"):
        (tmp_path / name).write_text(f"In {name}.")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        status = main([*words, "--json", "--workspace", str(folder / "workspace")])
        printed = capsys.readouterr()
        return status, [json.loads(line) for line in printed.out.splitlines()], printed.err

    return call


def test_every_status_has_the_path_as_it_was_given(run: Any, folder: Path) -> None:
    Path("in/bad.pdf").write_bytes(b"no pdf")
    Path("in/empty.txt").write_bytes(b"")
    given = ["./in/a.txt", "in//sub/b.txt", str(folder / "in/bad.pdf"), "in/../in/empty.txt", "nowhere.txt"]
    for statuses in (
        ["added", "added", "unsupported", "damaged", "failed"],
        ["unchanged", "unchanged", "unsupported", "damaged", "failed"],
    ):
        status, rows, _ = run("add", *given)
        assert status == SOME_FAILED
        assert {row["path"]: row["status"] for row in rows} == dict(zip(given, statuses, strict=True))
    assert [row["message"] for row in rows if row["path"] == "nowhere.txt"] == ["there is no such file"]
    Path("in/a.txt").write_text("Another text.")
    assert [row["path"] for row in run("add", "./in/a.txt")[1]] == ["./in/a.txt"]


@pytest.mark.parametrize("given", ["in", "in/", "./in", ".//in"])
def test_a_file_in_a_folder_is_named_by_the_folder_as_given(run: Any, given: str) -> None:
    _, rows, _ = run("add", given)
    start = given.rstrip("/")
    assert sorted(row["path"] for row in rows) == [f"{start}/a.txt", f"{start}/sub/b.txt"]


def test_a_folder_does_not_lead_out_of_itself_and_each_link_that_would_is_named(run: Any) -> None:
    Path("in/file.txt").symlink_to(Path("out/c.txt").resolve())
    Path("in/sub/folder").symlink_to(Path("out").resolve())
    Path("in/up").symlink_to("..")
    status, rows, said = run("add", "in")
    assert status == DONE
    assert sorted(row["path"] for row in rows) == ["in/a.txt", "in/sub/b.txt"]
    assert said.splitlines() == [
        f"{link} is a link that leads out of in, so it is not read: to read it, give its own path, too"
        for link in ("in/file.txt", "in/sub/folder", "in/up")
    ]


def test_links_inside_a_folder_are_followed_once_and_end(run: Any) -> None:
    Path("in/again.txt").symlink_to("a.txt")
    Path("in/sub/loop").symlink_to("..")
    Path("in/itself.txt").symlink_to("itself.txt")
    Path("in/gone.txt").symlink_to("nothing.txt")
    Path("in/shown").symlink_to(".hidden")
    Path("in/.hidden/back").symlink_to("../sub")
    status, rows, said = run("add", "in")
    assert (status, said) == (DONE, "")
    assert sorted(row["path"] for row in rows) == ["in/a.txt", "in/shown/d.txt", "in/sub/b.txt"]
    assert {row["status"] for row in rows} == {"added"}


def test_a_link_that_is_named_is_read(run: Any) -> None:
    Path("link.txt").symlink_to("out/c.txt")
    Path("folder").symlink_to("out")
    _, rows, said = run("add", "link.txt", "folder")
    assert sorted(row["path"] for row in rows) == ["folder/c.txt", "link.txt"]
    assert sorted(row["status"] for row in rows) == ["added", "unchanged"]
    assert said == ""


def test_chunks_of_a_folder_do_not_lead_out_of_it_either(run: Any, folder: Path) -> None:
    Path("config.yaml").write_text("name: t\nchunker: {name: fixed_size}\nembedder: {name: hashing}\n")
    Path("in/file.txt").symlink_to(Path("out/c.txt").resolve())
    _, rows, said = run("chunks", "config.yaml", "in")
    assert {row["path"] for row in rows} == {"in/a.txt", "in/sub/b.txt"}
    assert said.startswith("in/file.txt is a link that leads out of in")


def test_paths_of_one_name_in_two_folders_are_two_documents(run: Any) -> None:
    Path("out/a.txt").write_text("Another a.")
    _, rows, _ = run("add", "in/a.txt", "out/a.txt")
    assert [row["status"] for row in rows] == ["added", "added"]
    assert len({row["document_id"] for row in rows}) == 2


def test_a_name_that_is_no_unicode_is_given_back_as_json_can_hold_it(run: Any) -> None:
    Path(os.fsdecode(b"in/caf\xe9.txt")).write_text("Coffee.")
    _, rows, _ = run("add", "in")
    assert sorted(row["path"] for row in rows) == ["in/a.txt", "in/caf\udce9.txt", "in/sub/b.txt"]


def test_letters_of_the_document_and_of_short_pages_are_told_whatever_the_status(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "parser_for", lambda name, parser: ClosingLine())
    Path("short.txt").write_text("Tram stop|s at red. The end.")
    about = {
        "letters_kept": 8,
        "letters_on_page": 20,
        "short_pages": [{"page": 1, "letters_kept": 8, "letters_on_page": 20}],
    }
    for status in ("added", "unchanged"):
        _, [row], _ = run("add", "short.txt")
        assert set(row) == KEYS
        assert row == row | about | {"status": status}
    _, [listed], _ = run("documents")
    assert set(listed) == {
        "document_id", "path", "name", "title", "pages", "characters", "empty_pages", "warnings", "added_at_utc",
        "letters_kept", "letters_on_page", "short_pages", "incomplete",
    }  # fmt: skip
    assert listed == listed | about | {"incomplete": ""}
    Path("short.txt").write_text(WHOLE)
    _, [row], _ = run("add", "short.txt")
    assert row == row | {"status": "replaced", "letters_kept": 20, "letters_on_page": 20, "short_pages": []}


def test_half_a_file_is_told_and_ends_with_a_failure_only_where_a_version_stays(run: Any) -> None:
    whole = one_line_pages("Trams stop at red.", "They go at white.")
    Path("x.pdf").write_bytes(without_last_page(whole))
    status, [row], _ = run("add", "x.pdf")
    assert (status, row["status"], row["letters_kept"]) == (DONE, "partly_read", 14)
    assert [one["incomplete"] for one in run("documents")[1]] == [CUT_OFF]
    Path("x.pdf").write_bytes(whole)
    assert run("add", "x.pdf")[0] == DONE
    Path("x.pdf").write_bytes(without_last_page(one_line_pages("Trams stop at blue.", "They go at white.")))
    status, [again], _ = run("add", "x.pdf")
    assert (status, again["status"], again["document_id"]) == (SOME_FAILED, "damaged", row["document_id"])
    assert again["message"].endswith(" stays: add the whole file again")
    assert [one["letters_kept"] for one in run("documents")[1]] == [27]


def test_odd_pdfs_under_odd_names_are_told_in_json_and_never_as_a_fault(run: Any) -> None:
    whole = tram_pdf("red")
    with pymupdf.open("pdf", whole) as made:
        locked = bytes(made.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="s", owner_pw="o"))
    files = {
        b"catalog.pdf": (
            whole.replace(b"/Type/Catalog/Pages 2 0 R", b"/Type/Catalog/Pages 99 0 R"),
            "damaged",
        ),
        b"locked half.pdf": (half(locked), "damaged"),
        b"locked.pdf": (locked, "needs_password"),
        b"uncounted.pdf": (whole.replace(b"/Count 10", b"/Count 0 "), "added"),
        b"new\nline.pdf": (whole + b" ", "added"),
        b"emoji\xf0\x9f\x9a\x8b.pdf": (whole + b"  ", "added"),
        b"no unicode\xff\xed\xa0\x80.pdf": (whole + b"   ", "added"),
        b"turned\xe2\x80\xae.pdf": (half(whole), "partly_read"),
    }
    Path("odd").mkdir()
    for name, (content, _) in files.items():
        (Path("odd") / os.fsdecode(name)).write_bytes(content)
    for again in (False, True):
        status, rows, _ = run("add", "odd")
        assert status == SOME_FAILED
        found = {os.fsencode(row["path"])[4:]: row for row in rows}
        for name, (_, expected) in files.items():
            is_in = expected in ("added", "partly_read")
            assert found[name]["status"] == ("unchanged" if again and is_in else expected), found[name][
                "message"
            ]
            assert "fault in this program" not in found[name]["message"]
    status, listed, _ = run("documents")
    assert (status, len(listed)) == (DONE, 5)
    assert [row["incomplete"] for row in listed if row["incomplete"]] == [CUT_OFF]
