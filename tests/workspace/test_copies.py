"""Files with the same content: one document, and none of them loses its text when another changes."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import documents
from workbench.config import Config, parsed
from workbench.errors import ServiceError
from workbench.pipeline import document_id
from workbench.workspace import Workspace
from workbench.workspace.documents import DocumentList, DocumentRow

pytestmark = pytest.mark.slow

PATHS = ("a.txt", "b.txt", "c.txt", "d.md")
CONTENTS = (b"Trams stop at red.", b"They go at white.", b"The depot opens at four.")
COMPLETENESS = ("letters_kept", "letters_on_page", "short_pages", "incomplete")
"""Columns of documents that came after copies were noted."""
Files = dict[str, bytes]

some_files = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(CONTENTS), min_size=1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), some_files),
        st.tuples(st.just("add together"), some_files),
        st.tuples(st.just("delete"), st.sampled_from(PATHS)),
    ),
    max_size=8,
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def config() -> Config:
    return parsed("name: t\nchunker: {name: fixed_size}\nembedder: {name: hashing}\n")


def id_of(path: str) -> str:
    return document_id("file", f"upload:{path}")


def kinds_of(files: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Return the text and the ending of each: the same bytes with another ending are another document."""
    return {(content.decode(), PurePath(path).suffix) for path, content in files}


def texts(workspace: Workspace) -> dict[str, str]:
    return {row.name: workspace.document(row.id).text for row in workspace.documents()}


def assert_holds(workspace: Workspace, files: Files) -> None:
    """Every text of a file is here once, under the name of a file that has it, and nothing else is."""
    rows = workspace.documents()
    assert kinds_of((row.name, files[row.name]) for row in rows) == kinds_of(files.items())
    assert len(rows) == len(kinds_of(files.items()))
    for row in rows:
        assert row.id == id_of(row.name)
        assert workspace.document(row.id).text.encode() == files[row.name]
    originals = {path.stem for path in (workspace.folder / "originals").glob("*")}
    assert originals == {row.stored_hash for row in rows}


@settings(max_examples=30)
@given(steps)
def test_the_workspace_holds_the_texts_of_all_files_that_were_added_and_not_deleted(
    course: list[tuple[str, Files | str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        files: Files = {}
        for action, subject in course:
            if isinstance(subject, str):
                if gone := {row.id for row in workspace.documents()} & {id_of(subject)}:
                    kind = kinds_of([(subject, files[subject])])
                    files = {p: data for p, data in files.items() if kinds_of([(p, data)]) != kind}
                    workspace.delete(gone)
            elif action == "add":
                for path, content in subject.items():
                    result = workspace.add(path, content)
                    assert workspace.document(result.document_id or "").text.encode() == content
                    files[path] = content
            else:
                batch = list(subject.items())
                for index, result in list(workspace.add_many((*file, None) for file in batch)):
                    assert workspace.document(result.document_id or "").text.encode() == batch[index][1]
                files.update(subject)
            assert_holds(workspace, files)


@pytest.mark.parametrize("seed", range(4))
def test_two_sessions_that_add_at_once_lose_no_text(workspace: Workspace, seed: int) -> None:
    # Each has files of its own: what the last content of a file is does not depend on who was quicker.
    files: Files = {}
    failed: list[str] = []

    def run(into: Workspace, paths: tuple[str, ...], chance: random.Random) -> None:
        for _ in range(15):
            path, content = chance.choice(paths), chance.choice(CONTENTS)
            result = into.add(path, content)
            failed.extend([] if result.is_in else [result.message])
            files[path] = content

    threads = [
        threading.Thread(
            target=run, args=(Workspace(workspace.folder), paths, random.Random(f"{seed} {paths}"))
        )
        for paths in (("a.txt", "b.txt"), ("c.txt", "e.txt"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert_holds(workspace, files)


def test_a_copy_keeps_its_text_when_its_twin_gets_a_new_version_and_is_named(workspace: Workspace) -> None:
    workspace.add("a.txt", CONTENTS[0])
    workspace.add("b.txt", CONTENTS[0])
    result = workspace.add("a.txt", CONTENTS[1])
    assert (result.status, result.message) == (
        "replaced",
        "new version of a.txt; b.txt, a copy of the old version, is a document of its own now",
    )
    assert texts(workspace) == {"a.txt": CONTENTS[1].decode(), "b.txt": CONTENTS[0].decode()}
    assert workspace.add("b.txt", CONTENTS[0]).message == "already here"


@pytest.mark.parametrize("path", ["a.txt", "b.txt"])
def test_a_document_whose_file_is_missing_gets_it_back_when_it_or_a_copy_is_added_again(
    workspace: Workspace, path: str
) -> None:
    # So it is where a process is killed just after another one removed what belonged to no document yet.
    workspace.add("a.txt", CONTENTS[0])
    for folder in ("originals", "parsed"):
        for file in (workspace.folder / folder).iterdir():
            file.unlink()
    again = Workspace(workspace.folder)
    assert again.add(path, CONTENTS[0]).status == "unchanged"
    assert texts(again) == {"a.txt": CONTENTS[0].decode()}


def test_a_copy_keeps_its_text_when_its_twin_becomes_a_copy_of_another(workspace: Workspace) -> None:
    for path, content in {"a.txt": CONTENTS[0], "b.txt": CONTENTS[0], "c.txt": CONTENTS[1]}.items():
        workspace.add(path, content)
    assert workspace.add("a.txt", CONTENTS[1]).message == (
        "same content already here as c.txt; b.txt, a copy of the old version, is a document of its own now"
    )
    assert texts(workspace) == {"b.txt": CONTENTS[0].decode(), "c.txt": CONTENTS[1].decode()}


def test_of_several_copies_one_becomes_the_document_and_the_others_stay_its_copies(
    workspace: Workspace,
) -> None:
    for path in ("a.txt", "b.txt", "c.txt"):
        workspace.add(path, CONTENTS[0])
    workspace.add("a.txt", CONTENTS[1])
    workspace.add("b.txt", CONTENTS[2])
    assert texts(workspace) == dict(
        zip(("c.txt", "a.txt", "b.txt"), map(bytes.decode, CONTENTS), strict=True)
    )


def test_a_copy_that_gets_a_text_of_its_own_does_not_bring_the_old_one_back(workspace: Workspace) -> None:
    for path, content in [("a.txt", 0), ("b.txt", 0), ("b.txt", 1), ("a.txt", 2)]:
        workspace.add(path, CONTENTS[content])
    assert texts(workspace) == {"a.txt": CONTENTS[2].decode(), "b.txt": CONTENTS[1].decode()}


def test_whoever_deletes_a_document_means_its_copies_too(workspace: Workspace) -> None:
    workspace.add("a.txt", CONTENTS[0])
    workspace.add("b.txt", CONTENTS[0])
    workspace.delete([id_of("a.txt")])
    workspace.add("a.txt", CONTENTS[0])
    workspace.add("a.txt", CONTENTS[1])
    assert texts(workspace) == {"a.txt": CONTENTS[1].decode()}


def test_a_title_that_is_the_name_of_a_file_is_the_name_of_the_right_one(workspace: Workspace) -> None:
    workspace.add("first.txt", CONTENTS[0])
    workspace.add("second.txt", CONTENTS[0])
    workspace.add("first.txt", CONTENTS[1])
    assert {row.name: row.title for row in workspace.documents()} == {
        "first.txt": "first",
        "second.txt": "second",
    }


def test_a_copy_of_a_file_with_a_password_stays_readable_without_it(workspace: Workspace) -> None:
    locked = documents.password_pdf("sesame-7f3a")
    workspace.add("first.pdf", locked, password="sesame-7f3a")
    text = workspace.document(id_of("first.pdf")).text
    assert workspace.add("second.pdf", locked).status == "unchanged"
    workspace.add("first.pdf", documents.password_pdf("another"), password="another")
    again = Workspace(workspace.folder)
    assert again.document(id_of("second.pdf")).text == text
    assert again.page_image(id_of("second.pdf"), 1)[:4] == b"RIFF"


def test_tables_lack_a_copy_that_became_a_document_until_the_next_build(workspace: Workspace) -> None:
    workspace.add("a.txt", CONTENTS[0])
    workspace.add("b.txt", CONTENTS[0])
    workspace.tables.build(config())
    workspace.add("a.txt", CONTENTS[1])
    assert workspace.tables.table(config()).chunks() == []
    assert workspace.tables.lack(config()) == "2 documents are not in its table"
    workspace.tables.build(config())
    assert {
        chunk.document_id: chunk.text.encode() for chunk in workspace.tables.table(config()).chunks()
    } == {
        id_of("a.txt"): CONTENTS[1],
        id_of("b.txt"): CONTENTS[0],
    }
    assert workspace.tables.lack(config()) == ""


def test_a_copy_whose_twin_changes_just_then_is_read_after_all(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.add("a.txt", CONTENTS[0])
    with_content = DocumentList.with_content

    def with_content_and_changed(here: DocumentList, content_hash: str, suffix: str) -> DocumentRow | None:
        found = with_content(here, content_hash, suffix)
        monkeypatch.undo()
        Workspace(workspace.folder).add("a.txt", CONTENTS[1])
        return found

    monkeypatch.setattr(DocumentList, "with_content", with_content_and_changed)
    assert workspace.add("b.txt", CONTENTS[0]).status == "added"
    assert texts(workspace) == {"a.txt": CONTENTS[1].decode(), "b.txt": CONTENTS[0].decode()}


def test_a_copy_that_becomes_a_document_while_its_own_new_version_is_read_leaves_no_old_text(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.add("a.txt", CONTENTS[0])
    workspace.add("b.txt", CONTENTS[0])
    put = DocumentList.put_unless_here

    def changed_and_put(here: DocumentList, row: DocumentRow) -> object:
        monkeypatch.undo()
        Workspace(workspace.folder).add("a.txt", CONTENTS[1])
        return put(here, row)

    monkeypatch.setattr(DocumentList, "put_unless_here", changed_and_put)
    assert workspace.add("b.txt", CONTENTS[2]).message == "new version of b.txt"
    assert_holds(workspace, {"a.txt": CONTENTS[1], "b.txt": CONTENTS[2]})


def test_a_workspace_from_before_copies_were_noted_is_brought_up_to_date(workspace: Workspace) -> None:
    workspace.add("a.txt", CONTENTS[0])
    with closing(sqlite3.connect(workspace.folder / "workspace.db")) as db:
        db.executescript(
            "DROP TABLE copies; DROP INDEX documents_by_uri;"
            + "".join(f"ALTER TABLE documents DROP COLUMN {name};" for name in COMPLETENESS)
            + "PRAGMA user_version = 0"
        )
    again = Workspace(workspace.folder)
    assert texts(again) == {"a.txt": CONTENTS[0].decode()}
    again.add("b.txt", CONTENTS[0])
    again.add("a.txt", CONTENTS[1])
    assert texts(again) == {"a.txt": CONTENTS[1].decode(), "b.txt": CONTENTS[0].decode()}


def test_a_workspace_of_a_newer_version_is_refused(workspace: Workspace) -> None:
    with closing(sqlite3.connect(workspace.folder / "workspace.db")) as db:
        db.execute("PRAGMA user_version = 1000")
    with pytest.raises(ServiceError, match="newer version"):
        Workspace(workspace.folder)
