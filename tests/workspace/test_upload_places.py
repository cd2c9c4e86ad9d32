"""Uploads of one name: different files of a batch are different documents, and a new version finds its document."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

ONE, TWO, THREE, FOUR = b"Trams stop at red.", b"They go at white.", b"The depot opens.", b"Dogs ride free."


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def added(workspace: Workspace, *contents: bytes, name: str = "a.txt") -> list[str]:
    results = dict(workspace.add_many((name, content, None) for content in contents))
    assert all(result.is_in for result in results.values())
    assert {result.path for result in results.values()} == {name}
    return [results[index].status for index in range(len(contents))]


def texts(workspace: Workspace) -> dict[str, bytes]:
    return {row.name: workspace.document(row.id).text.encode() for row in workspace.documents()}


def test_two_different_files_of_one_name_in_a_batch_are_two_documents(workspace: Workspace) -> None:
    assert added(workspace, ONE, TWO) == ["added", "added"]
    assert texts(workspace) == {"a.txt": ONE, "a (2).txt": TWO}
    assert added(workspace, TWO, ONE) == ["unchanged", "unchanged"]
    assert texts(workspace) == {"a.txt": ONE, "a (2).txt": TWO}


def test_the_same_file_twice_in_a_batch_is_still_one_document(workspace: Workspace) -> None:
    assert sorted(added(workspace, ONE, ONE)) == ["added", "unchanged"]
    assert texts(workspace) == {"a.txt": ONE}


def test_a_batch_takes_no_document_of_its_names_away(workspace: Workspace) -> None:
    workspace.add("a.txt", ONE)
    assert added(workspace, TWO, THREE) == ["added", "added"]
    assert sorted(texts(workspace).values()) == sorted([ONE, TWO, THREE])


def test_the_one_file_of_a_batch_that_changed_is_a_new_version_of_the_one_that_is_left(
    workspace: Workspace,
) -> None:
    added(workspace, ONE, TWO)
    assert added(workspace, THREE, ONE) == ["replaced", "unchanged"]
    assert texts(workspace) == {"a.txt": ONE, "a (2).txt": THREE}


def test_an_upload_is_a_new_version_while_one_document_has_its_name(workspace: Workspace) -> None:
    added(workspace, ONE, TWO)
    workspace.delete([row.id for row in workspace.documents() if row.name == "a.txt"])
    assert workspace.add("a.txt", THREE).status == "replaced"
    assert texts(workspace) == {"a (2).txt": THREE}


def test_an_upload_that_may_be_a_version_of_several_is_a_document_of_its_own_and_says_so(
    workspace: Workspace,
) -> None:
    added(workspace, ONE, TWO)
    result = workspace.add("a.txt", THREE)
    assert (result.status, result.message) == (
        "added",
        "parsed; listed as a (3).txt, for it shares its name with another document",
    )
    assert texts(workspace) == {"a.txt": ONE, "a (2).txt": TWO, "a (3).txt": THREE}


def test_a_file_whose_own_name_has_a_number_is_another_document(workspace: Workspace) -> None:
    added(workspace, ONE, TWO)
    assert workspace.add("a (2).txt", THREE).status == "added"
    assert sorted(texts_of_all(workspace)) == sorted([ONE, TWO, THREE])


def test_copies_of_a_document_elsewhere_keep_their_place_under_one_name(workspace: Workspace) -> None:
    workspace.add("b.txt", ONE)
    assert sorted(added(workspace, ONE, TWO)) == ["added", "unchanged"]
    workspace.add("b.txt", FOUR)
    assert sorted(texts_of_all(workspace)) == sorted([ONE, TWO, FOUR])


def test_a_file_of_a_batch_that_cannot_be_read_leaves_the_other_its_document(workspace: Workspace) -> None:
    workspace.add("a.txt", ONE)
    results = [result for _, result in workspace.add_many([("a.txt", b"", None), ("a.txt", TWO, None)])]
    assert sorted(result.status for result in results) == ["damaged", "replaced"]
    assert texts(workspace) == {"a.txt": TWO}


def test_paths_of_one_name_in_two_folders_are_two_documents(workspace: Workspace, tmp_path: Path) -> None:
    files = []
    for folder, content in (("x", ONE), ("y", TWO)):
        path = tmp_path / folder / "a.txt"
        path.parent.mkdir()
        path.write_bytes(content)
        files.append((str(path), path, f"file:{path}"))
    assert {result.status for _, result in workspace.add_many(files)} == {"added"}
    assert sorted(texts_of_all(workspace)) == sorted([ONE, TWO])


def texts_of_all(workspace: Workspace) -> list[bytes]:
    return [workspace.document(row.id).text.encode() for row in workspace.documents()]
