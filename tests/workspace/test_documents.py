"""Files in, documents out: statuses, identity, what is kept and what is forgotten."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests import documents
from workbench.config import parsed
from workbench.errors import InputError, ServiceError
from workbench.workspace import Workspace
from workbench.workspace.documents import DocumentList, DocumentRow

pytestmark = pytest.mark.slow

TEXT = "Trams stop at red. They go at white.\n\nThe depot opens at four."


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_a_text_file_is_added_and_read_back_to_the_letter(workspace: Workspace) -> None:
    result = workspace.add("a.txt", TEXT.encode())
    assert (result.status, result.pages, result.characters) == ("added", 1, len(TEXT))
    assert result.document_id is not None
    assert workspace.document(result.document_id).text == TEXT
    assert Workspace(workspace.folder).document(result.document_id).text == TEXT


def test_the_same_content_is_not_added_twice_under_any_name(workspace: Workspace) -> None:
    first = workspace.add("a.txt", TEXT.encode())
    again = workspace.add("a.txt", TEXT.encode())
    copy = workspace.add("b.txt", TEXT.encode())
    assert (again.status, again.message) == ("unchanged", "already here")
    assert (copy.status, copy.message) == ("unchanged", "same content already here as a.txt")
    assert {first.document_id, again.document_id, copy.document_id} == {first.document_id}
    assert len(workspace.documents()) == 1


def test_other_content_under_the_same_name_is_a_new_version(workspace: Workspace) -> None:
    first = workspace.add("a.txt", TEXT.encode())
    second = workspace.add("a.txt", b"Another text altogether.")
    assert (second.status, second.message) == ("replaced", "new version of a.txt")
    assert second.document_id == first.document_id
    assert [workspace.document(row.id).text for row in workspace.documents()] == ["Another text altogether."]


def test_a_bad_file_never_spoils_a_batch(workspace: Workspace) -> None:
    batch = {
        "good.txt": TEXT.encode(),
        "empty.pdf": b"",
        "page.pdf": b"<html><body>not a PDF</body></html>",
        "what.xyz": b"?",
        "also good.md": b"# Title\n\nWords.",
    }
    results = {r.path: r for _, r in workspace.add_many((name, data, None) for name, data in batch.items())}
    assert {name: r.status for name, r in results.items()} == {
        "good.txt": "added",
        "empty.pdf": "damaged",
        "page.pdf": "unsupported",
        "what.xyz": "unsupported",
        "also good.md": "added",
    }
    assert all(len(r.message) > 10 for r in results.values() if not r.is_in)
    assert {row.name for row in workspace.documents()} == {"good.txt", "also good.md"}


def test_the_same_file_twice_in_one_batch_is_one_document(workspace: Workspace) -> None:
    results = [r for _, r in workspace.add_many([(f"{i}.txt", TEXT.encode(), None) for i in range(4)])]
    assert sorted(r.status for r in results) == ["added", "unchanged", "unchanged", "unchanged"]
    assert len(workspace.documents()) == 1


def test_names_are_kept_only_as_something_to_show(workspace: Workspace) -> None:
    for number, name in enumerate(["../../x.txt", "a\x00b.txt", "\u202etxt.exe.txt", "n" * 300 + ".txt"]):
        assert workspace.add(name, f"{TEXT} {number}".encode()).status == "added"
    assert [row for row in workspace.documents() if "/" in row.name or "\u202e" in row.name] == []
    outside = [p for p in workspace.folder.parent.iterdir() if p != workspace.folder]
    assert outside == []


def test_deleting_forgets_the_document_and_its_file(workspace: Workspace) -> None:
    result = workspace.add("a.txt", TEXT.encode())
    assert result.document_id is not None
    workspace.delete([result.document_id, "unknown"])
    assert workspace.documents() == []
    assert list((workspace.folder / "originals").iterdir()) == []
    with pytest.raises(InputError):
        workspace.document(result.document_id)


def test_a_locked_pdf_asks_and_the_password_is_not_kept(workspace: Workspace) -> None:
    locked = documents.password_pdf("sesame-7f3a")
    assert workspace.add("locked.pdf", locked).status == "needs_password"
    wrong = workspace.add("locked.pdf", locked, password="not this one")
    assert wrong.status == "needs_password"
    right = workspace.add("locked.pdf", locked, password="sesame-7f3a")
    assert right.status == "added"
    assert workspace.add("locked.pdf", locked).status == "unchanged"
    kept = b"".join(p.read_bytes() for p in workspace.folder.rglob("*") if p.is_file())
    assert b"sesame-7f3a" not in kept
    assert right.document_id is not None
    assert workspace.page_image(right.document_id, 1)[:4] == b"RIFF"


def test_cancelling_keeps_what_is_done(workspace: Workspace) -> None:
    stop = threading.Event()
    done = []
    for _, result in workspace.add_many(
        [(f"{i}.txt", f"{TEXT} {i}".encode(), None) for i in range(12)], stop.is_set
    ):
        done.append(result)
        stop.set()
    assert 1 <= len(done) < 12
    assert len(workspace.documents()) == sum(r.is_in for r in done) >= 1


def test_two_sessions_adding_the_same_files_agree(workspace: Workspace) -> None:
    files = [(f"{i}.txt", f"{TEXT} {i}".encode(), None) for i in range(6)]
    other = Workspace(workspace.folder)
    results: list[str] = []

    def run(into: Workspace) -> None:
        results.extend(r.status for _, r in into.add_many(files))

    threads = [threading.Thread(target=run, args=[w]) for w in (workspace, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(results) <= {"added", "unchanged", "replaced"}
    assert len(workspace.documents()) == len(other.documents()) == 6


@pytest.mark.skipif(os.name != "posix", reason="permissions differ elsewhere")
def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServiceError, match="cannot be used"):
        Workspace(tmp_path / "file" / "workspace")


def test_a_damaged_parse_is_made_again(workspace: Workspace) -> None:
    result = workspace.add("a.txt", TEXT.encode())
    for path in (workspace.folder / "parsed").iterdir():
        path.write_bytes(b"PK\x03\x04 half")
    assert result.document_id is not None
    assert Workspace(workspace.folder).document(result.document_id).text == TEXT


def test_a_file_that_became_a_copy_of_another_leaves_no_old_text(workspace: Workspace) -> None:
    workspace.add("b.txt", b"Text of b.")
    workspace.add("c.txt", b"Old text of c.")
    result = workspace.add("c.txt", b"Text of b.")
    assert result.status == "unchanged"
    assert [workspace.document(row.id).text for row in workspace.documents()] == ["Text of b."]


def test_texts_that_change_places_between_files_are_all_kept(workspace: Workspace) -> None:
    files = {name: f"Text {name}".encode() for name in ("current.txt", "old.txt", "oldest.txt", "b.txt")}
    list(workspace.add_many((name, data, None) for name, data in files.items()))
    # As logs are turned over, and two files swapped.
    files = {
        "current.txt": b"Text new",
        "old.txt": files["current.txt"],
        "oldest.txt": files["b.txt"],
        "b.txt": files["oldest.txt"],
    }
    results = dict(workspace.add_many((name, data, None) for name, data in files.items()))
    assert sorted(results) == [0, 1, 2, 3]
    assert all(result.is_in for result in results.values())
    there = {row.id: workspace.document(row.id).text for row in workspace.documents()}
    assert sorted(there.values()) == sorted(data.decode() for data in files.values())
    for index, data in enumerate(files.values()):
        assert there[results[index].document_id or ""] == data.decode()


def test_a_stop_in_the_middle_of_a_replacement_leaves_no_old_text_in_a_table(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parsed("name: t\nchunker: {name: fixed_size}\nembedder: {name: hashing}\n")
    workspace.add("a.txt", TEXT.encode())
    workspace.tables.build(config)

    put = DocumentList.put_unless_here

    def put_and_killed(documents: DocumentList, row: DocumentRow) -> None:
        put(documents, row)
        raise KeyboardInterrupt

    monkeypatch.setattr(DocumentList, "put_unless_here", put_and_killed)
    with pytest.raises(KeyboardInterrupt):
        workspace.add("a.txt", b"A new text.")
    again = Workspace(workspace.folder)
    assert [again.document(row.id).text for row in again.documents()] == ["A new text."]
    assert again.tables.table(config).chunks() == []


def test_the_same_bytes_as_another_kind_of_file_are_another_document(workspace: Workspace) -> None:
    workspace.add("x.txt", b"<p>Tram</p>")
    assert workspace.add("x.html", b"<p>Tram</p>").status == "added"
    assert {workspace.document(row.id).text for row in workspace.documents()} == {"<p>Tram</p>", "Tram"}


def test_a_name_that_is_no_unicode_harms_nobody(workspace: Workspace, tmp_path: Path) -> None:
    name = b"caf\xe9.txt"
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"Coffee.")
    assert workspace.add(path.name, path, f"file:{path}").status == "added"
    assert [row.character_count for row in workspace.documents()] == [7]


def test_nothing_of_a_replaced_or_deleted_content_stays_on_the_disk(workspace: Workspace) -> None:
    workspace.add("a.txt", b"The first secret.")
    workspace.add("a.txt", b"The second text.")
    folders = [workspace.folder / name for name in ("originals", "parsed")]
    assert [len(list(folder.iterdir())) for folder in folders] == [1, 1]
    workspace.delete([row.id for row in workspace.documents()])
    assert [list(folder.iterdir()) for folder in folders] == [[], []]
