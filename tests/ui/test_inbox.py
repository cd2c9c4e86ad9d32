"""Uploads: on disk before anything else, a row for each, nothing lost when the server dies."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from tests.documents import paged_pdf, password_pdf, stream, text_lines
from workbench.ui.documents.upload_queue import Inbox, Upload, summary
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow


def never() -> bool:
    return False


def nothing(done: int, total: int, note: str) -> None:
    """Report to nobody."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_files_wait_on_disk_and_leave_it_when_they_are_in(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    uploads = inbox.receive([("a.txt", b"One."), ("../../b.txt", b"Two.")])
    assert [(u.name, u.state) for u in uploads] == [("a.txt", "waiting"), ("b.txt", "waiting")]
    assert all(u.path.is_relative_to(workspace.folder / "inbox") for u in uploads)
    assert inbox.add(uploads, nothing, never) == "2 added"
    assert [u.state for u in inbox.uploads()] == ["added", "added"]
    assert [p for p in (workspace.folder / "inbox").rglob("*") if p.is_file()] == []


def test_what_a_dead_server_left_is_taken_up_again(workspace: Workspace) -> None:
    uploads = Inbox(workspace).receive([("a.txt", b"One."), ("b.txt", b"Two.")])
    uploads[0].path.unlink()
    after = Inbox(workspace)
    left = after.left_over()
    assert [u.name for u in left] == ["b.txt"]
    assert after.left_over() == []
    assert after.add(left, nothing, never) == "1 added"


def test_a_locked_file_stays_until_it_is_opened(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    (upload,) = inbox.receive([("locked.pdf", password_pdf("sesame"))])
    assert inbox.add([upload], nothing, never) == "1 waiting for a password"
    assert inbox.unlock(upload, "wrong").status == "needs_password"
    assert upload.path.is_file()
    assert inbox.unlock(upload, "sesame").status == "added"
    assert not upload.path.exists()


def test_a_bad_file_and_a_copy_are_told_apart_in_the_summary(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    uploads = inbox.receive([("a.txt", b"One."), ("b.txt", b"One."), ("c.pdf", b"no")])
    inbox.add(uploads, nothing, never)
    assert summary(uploads) == "1 added, 1 already here, 1 could not be read"


def test_stopping_leaves_the_rest_waiting(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    uploads = inbox.receive([(f"{i}.txt", f"Text {i}.".encode()) for i in range(9)])
    asked: list[int] = []
    inbox.add(uploads, lambda done, total, note: asked.append(done) if done else None, lambda: bool(asked))
    states = [u.state for u in uploads]
    assert "waiting" in states
    assert "added" in states
    assert all(u.path.is_file() for u in uploads if u.state == "waiting")


def test_a_file_that_was_stopped_while_it_was_read_can_be_read_later(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    (upload,) = inbox.receive([("a.pdf", text_pdf("One."))])
    inbox.add([upload], nothing, lambda: upload.begun)
    assert upload.state == "cancelled"
    assert inbox.add([upload], nothing, never) == "1 added"


def test_dismissing_removes_row_and_file(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    (upload,) = inbox.receive([("a.txt", b"One.")])
    inbox.dismiss(upload)
    assert inbox.uploads() == []
    assert not upload.path.exists()


def texts(workspace: Workspace) -> dict[str, str]:
    return {row.name: workspace.document(row.id).text for row in workspace.documents()}


def added(workspace: Workspace, *files: tuple[str, bytes]) -> list[Upload]:
    inbox = Inbox(workspace)
    uploads = inbox.receive(files)
    inbox.add(uploads, nothing, never)
    return uploads


def test_different_files_of_one_name_in_one_upload_are_documents_of_their_own(workspace: Workspace) -> None:
    files = [("2024/report.txt", b"One."), ("2025/report.txt", b"Two."), ("copy/report.txt", b"One.")]
    uploads = added(workspace, *files)
    assert [upload.name for upload in uploads] == ["report.txt"] * 3
    assert summary(uploads) == "2 added, 1 already here"
    assert texts(workspace) == {"report.txt": "One.", "report (2).txt": "Two."}
    assert summary(added(workspace, *files)) == "3 already here"


def test_a_later_upload_of_a_name_that_two_documents_have_takes_neither_away(workspace: Workspace) -> None:
    added(workspace, ("a.txt", b"One."), ("a.txt", b"Two."))
    (upload,) = added(workspace, ("a.txt", b"Three."))
    assert upload.result is not None
    assert (
        upload.result.message == "parsed; listed as a (3).txt, for it shares its name with another document"
    )
    assert texts(workspace) == {"a.txt": "One.", "a (2).txt": "Two.", "a (3).txt": "Three."}


def test_the_file_of_an_upload_that_changed_is_a_new_version_of_its_document(workspace: Workspace) -> None:
    added(workspace, ("a.txt", b"One."), ("a.txt", b"Two."))
    added(workspace, ("a.txt", b"Three."), ("a.txt", b"Two."))
    assert texts(workspace) == {"a.txt": "Three.", "a (2).txt": "Two."}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_locked_files_of_one_name_are_both_documents_once_they_are_open(
    workspace: Workspace, order: tuple[int, int]
) -> None:
    inbox = Inbox(workspace)
    uploads = inbox.receive([("a.pdf", locked_pdf("One.")), ("a.pdf", locked_pdf("Two."))])
    assert inbox.add(uploads, nothing, never) == "2 waiting for a password"
    assert [inbox.unlock(uploads[index], "sesame").status for index in order] == ["added", "added"]
    assert set(texts(workspace)) == {"a.pdf", "a (2).pdf"}
    assert sorted(texts(workspace).values()) == ["One.", "Two."]


def test_a_locked_file_takes_no_document_of_its_name_away_that_came_with_it(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    uploads = inbox.receive([("a.pdf", locked_pdf("One.")), ("a.pdf", text_pdf("Two."))])
    inbox.add(uploads, nothing, never)
    assert texts(workspace) == {"a (2).pdf": "Two."}
    assert inbox.unlock(uploads[0], "sesame").status == "added"
    assert texts(workspace) == {"a.pdf": "One.", "a (2).pdf": "Two."}


def test_a_server_that_died_between_two_files_of_one_name_still_makes_two_documents(
    workspace: Workspace,
) -> None:
    inbox = Inbox(workspace)
    uploads = inbox.receive([("a.txt", b"One."), ("a.txt", b"Two."), ("b.txt", b"Three.")])
    inbox.add(uploads[:1], nothing, never)
    after = Inbox(workspace)
    left = after.left_over()
    assert [upload.name for upload in left] == ["a.txt", "b.txt"]
    assert after.add(left, nothing, never) == "2 added"
    assert texts(workspace) == {"a.txt": "One.", "a (2).txt": "Two.", "b.txt": "Three."}


def test_a_later_upload_that_waited_with_an_earlier_one_is_its_new_version(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    uploads = [*inbox.receive([("a.txt", b"One.")]), *inbox.receive([("a.txt", b"Two.")])]
    inbox.add(uploads, nothing, never)
    assert [upload.state for upload in uploads] == ["added", "replaced"]
    assert texts(workspace) == {"a.txt": "Two."}


def test_names_that_an_earlier_version_noted_are_taken_up(workspace: Workspace) -> None:
    (upload,) = Inbox(workspace).receive([("a.txt", b"One.")])
    (upload.path.parent / "names.json").write_text('["b.txt"]')
    assert [(left.name, left.beside) for left in Inbox(workspace).left_over()] == [("b.txt", frozenset())]


def text_pdf(text: str) -> bytes:
    return paged_pdf([stream(text_lines([text]))])


def locked_pdf(text: str) -> bytes:
    with pymupdf.open("pdf", text_pdf(text)) as made:
        return bytes(made.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="sesame", owner_pw="owner"))
