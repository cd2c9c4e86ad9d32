"""Incomplete files: what could be read of a new one is taken, and an earlier version is never lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests import documents
from tests.closing_line import ClosingLine
from tests.documents import CUT_OFF, half, one_line_pages, tram_pdf, without_end, without_last_page
from workbench import pipeline
from workbench.config import Config, parsed
from workbench.parsers.plain_text import PlainText
from workbench.pipeline import document_id
from workbench.records import PageLetters
from workbench.workspace import Workspace
from workbench.workspace.documents import DocumentList, DocumentRow
from workbench.workspace.schema import MIGRATIONS

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[1] / "parsers/cases"
WHOLE = one_line_pages("Trams stop at red.", "They go at white.")
NEXT = one_line_pages("Trams stop at blue.", "They go at white.")
HALF, NEXT_HALF = without_last_page(WHOLE), without_last_page(NEXT)
OF_WHOLE, OF_NEXT = (f"Trams stop at {colour}.\n\nThey go at white." for colour in ("red", "blue"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def counted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose texts are read by a parser that counts letters as lost, which no PDF shows by itself."""
    monkeypatch.setattr(pipeline, "parser_for", lambda name, parser: ClosingLine())
    return workspace


def config() -> Config:
    return parsed("name: t\nchunker: {name: fixed_size}\nembedder: {name: hashing}\n")


def id_of(name: str) -> str:
    return document_id("file", f"upload:{name}")


def kept(workspace: Workspace) -> list[tuple[str, bytes]]:
    """Return every file below originals and parsed with its bytes."""
    found = [p for f in ("originals", "parsed") for p in (workspace.folder / f).glob("*")]
    return sorted((path.name, path.read_bytes()) for path in found)


def everything(workspace: Workspace) -> object:
    chunks = workspace.tables.table(config()).chunks()
    return workspace.documents(), kept(workspace), chunks, workspace.document(id_of("a.pdf")).text


def test_half_a_new_version_changes_nothing_and_says_what_to_do(workspace: Workspace) -> None:
    workspace.add("a.pdf", WHOLE)
    workspace.tables.build(config())
    before = everything(workspace)
    result = workspace.add("a.pdf", NEXT_HALF)
    day = workspace.row(id_of("a.pdf")).added_at_utc[:10]
    assert (result.status, result.document_id, result.is_in) == ("damaged", id_of("a.pdf"), False)
    assert result.message == (f"{CUT_OFF}, so the version from {day} stays: add the whole file again")
    assert everything(workspace) == before
    assert workspace.tables.lack(config()) == ""


def test_the_whole_file_replaces_what_stayed(workspace: Workspace) -> None:
    for content, status in ((WHOLE, "added"), (NEXT_HALF, "damaged"), (NEXT, "replaced")):
        assert workspace.add("a.pdf", content).status == status
    assert workspace.document(id_of("a.pdf")).text == OF_NEXT


def test_what_can_be_read_of_a_new_file_is_taken_with_its_reason(workspace: Workspace) -> None:
    result = workspace.add("a.pdf", HALF)
    assert (result.status, result.message) == (
        "partly_read",
        f"parsed; {CUT_OFF}, so only what could be read of it is here: add the whole file again; "
        "1 of 2 pages has nothing on it in this file: page 2.",
    )
    assert workspace.row(id_of("a.pdf")).incomplete == CUT_OFF
    again = workspace.add("a.pdf", HALF)
    assert (again.status, again.message) == ("unchanged", f"already here, although {CUT_OFF}")
    assert workspace.add("a.pdf", WHOLE).status == "replaced"
    assert workspace.row(id_of("a.pdf")).incomplete == ""


def test_the_reason_why_a_file_is_incomplete_is_told_once(tmp_path: Path) -> None:
    cut_off = Path(__file__).parents[1] / "parsers/cases/pdf_half_download.pdf"
    result = Workspace(tmp_path).add("a.pdf", cut_off)
    assert result.status == "partly_read"
    assert result.message.count("the file ends in the middle of one of its parts") == 1


def test_half_a_version_that_is_a_document_elsewhere_does_not_take_the_place_of_the_whole_one(
    workspace: Workspace,
) -> None:
    workspace.add("a.pdf", WHOLE)
    assert workspace.add("b.pdf", NEXT_HALF).status == "partly_read"
    workspace.tables.build(config())
    before = everything(workspace)
    assert workspace.add("a.pdf", NEXT_HALF).status == "damaged"
    assert everything(workspace) == before


def test_a_copy_of_another_document_keeps_its_text_when_half_a_version_comes(workspace: Workspace) -> None:
    workspace.add("a.pdf", WHOLE)
    workspace.add("b.pdf", WHOLE)
    result = workspace.add("b.pdf", NEXT_HALF)
    assert (result.status, result.document_id) == ("damaged", id_of("a.pdf"))
    workspace.add("a.pdf", NEXT)
    assert {row.name: workspace.document(row.id).text for row in workspace.documents()} == {
        "a.pdf": OF_NEXT,
        "b.pdf": OF_WHOLE,
    }


def test_a_whole_version_that_arrives_while_half_a_file_is_read_stays(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = DocumentList.put_unless_here

    def added_and_put(here: DocumentList, row: DocumentRow) -> object:
        monkeypatch.setattr(DocumentList, "put_unless_here", put)
        Workspace(workspace.folder).add("a.pdf", WHOLE)
        return put(here, row)

    monkeypatch.setattr(DocumentList, "put_unless_here", added_and_put)
    assert workspace.add("a.pdf", HALF).status == "damaged"
    assert [workspace.document(row.id).text for row in workspace.documents()] == [OF_WHOLE]
    assert len(kept(workspace)) == 2


def test_pages_that_fail_in_a_whole_file_replace_as_before(workspace: Workspace) -> None:
    whole = documents.plain_pdf(pages=5)
    assert workspace.add("a.pdf", whole).status == "added"
    assert workspace.add("a.pdf", documents.page_that_fails_alone_pdf()).status == "partly_read"
    assert workspace.row(id_of("a.pdf")).failed_pages == (3,)


def test_a_pdf_whose_upload_broke_off_takes_no_document_away(workspace: Workspace) -> None:
    first, second = tram_pdf("red"), tram_pdf("blue")
    statuses = [
        workspace.add("a.pdf", content).status
        for content in (first, half(second), half(second), second, half(first), first)
    ]
    assert statuses == ["added", "damaged", "damaged", "replaced", "damaged", "replaced"]
    assert "Tram 9 stops at red." in workspace.document(id_of("a.pdf")).text


@pytest.mark.parametrize("mark", [b"%%EOF", b"startxref", b"trailer", b"xref\n"])
def test_a_whole_pdf_without_its_end_is_updated_as_often_as_it_changes(
    workspace: Workspace, mark: bytes
) -> None:
    versions = [without_end(tram_pdf(colour), mark) for colour in ("red", "blue", "white")]
    results = [workspace.add("a.pdf", content) for content in versions]
    assert [result.status for result in results] == ["added", "replaced", "replaced"]
    assert "Tram 9 stops at white." in workspace.document(id_of("a.pdf")).text


@pytest.mark.parametrize("name", ["pdf_half_download", "pdf_truncated_table"])
def test_half_a_download_replaces_nothing_and_gives_way_to_the_whole_file(
    workspace: Workspace, name: str
) -> None:
    whole, cut = ((CASES / f"{one}.pdf").read_bytes() for one in ("pdf_whole", name))
    statuses = [workspace.add("a.pdf", content).status for content in (cut, cut, whole, cut, whole)]
    assert statuses == ["partly_read", "unchanged", "replaced", "damaged", "unchanged"]
    assert workspace.document(id_of("a.pdf")).text.startswith("Chapter 0 names signal0.")


def test_letters_are_counted_for_the_document_and_kept_with_it(counted: Workspace) -> None:
    result = counted.add("a.txt", b"Tram stop|s at red. The end.")
    about = (8, 8 + 12, (PageLetters(1, 8, 20),))
    assert (result.letters_kept, result.letters_on_page, result.short_pages) == about
    row = Workspace(counted.folder).row(id_of("a.txt"))
    assert (row.letters_kept, row.letters_on_page, row.short_pages) == about
    again = counted.add("a.txt", b"Tram stop|s at red. The end.")
    assert (again.status, again.letters_kept, again.letters_on_page, again.short_pages) == (
        "unchanged",
        *about,
    )


def test_a_workspace_of_the_version_before_opens_and_counts_nothing(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "workspace.db")) as db:
        db.executescript("".join(MIGRATIONS[:2]) + "PRAGMA user_version = 2")
        db.execute(
            "INSERT INTO documents VALUES"
            " ('d', 'a.txt', 'upload:a.txt', 'c', 's', '.txt', 9, 'A', 1, 9, '[]', '[3]', '[\"w\"]', '2026-01-02')"
        )
        db.commit()
    row = Workspace(tmp_path).row("d")
    assert (row.failed_pages, row.warnings, row.added_at_utc) == ((3,), ("w",), "2026-01-02")
    assert (row.letters_kept, row.letters_on_page, row.short_pages, row.incomplete) == (0, 0, (), "")


def test_a_document_of_the_version_before_is_counted_once_it_is_read_anew(
    counted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "parser_for", lambda name, parser: PlainText())
        counted.add("a.txt", b"Trams stop at red. They")
    before = counted.row(id_of("a.txt"))
    assert (before.letters_on_page, before.incomplete) == (0, "")
    counted.document(id_of("a.txt"))
    found = counted.row(id_of("a.txt"))
    assert found == replace(before, letters_kept=18, letters_on_page=18, incomplete="the file was cut off")
    assert counted.tables.build(config()).chunks == 1
    assert counted.tables.lack(config()) == ""


def test_what_a_later_parser_finds_in_an_earlier_content_is_not_noted_of_the_new_one(
    workspace: Workspace,
) -> None:
    workspace.add("a.pdf", HALF)
    before, found = workspace.row(id_of("a.pdf")), workspace.parsed(id_of("a.pdf"))
    workspace.add("a.pdf", WHOLE)
    after = workspace.row(id_of("a.pdf"))
    workspace.document_list.note_reading(replace(before, letters_kept=0), found)
    assert workspace.row(id_of("a.pdf")) == after
