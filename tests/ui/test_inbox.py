"""Uploads: on disk before anything else, a row for each, nothing lost when the server dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents import password_pdf
from workbench.ui.inbox import Inbox, summary
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


def test_dismissing_removes_row_and_file(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    (upload,) = inbox.receive([("a.txt", b"One.")])
    inbox.dismiss(upload)
    assert inbox.uploads() == []
    assert not upload.path.exists()


def test_files_of_one_batch_that_share_a_name_are_all_kept(workspace: Workspace) -> None:
    inbox = Inbox(workspace)
    files = [("2024/report.txt", b"One."), ("2025/report.txt", b"Two."), ("copy/report.txt", b"One.")]
    uploads = inbox.receive(files)
    assert [upload.name for upload in uploads] == ["report.txt", "report (2).txt", "report.txt"]
    assert inbox.add(uploads, nothing, never) == "2 added, 1 already here"
    assert [row.name for row in workspace.documents()] == ["report (2).txt", "report.txt"]
    again = inbox.receive(files)
    assert inbox.add(again, nothing, never) == "3 already here"
