"""A folder as a source: which files, which versions, and no way out of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from workbench.contracts import Listing, SourceAccess, SourceConnection
from workbench.errors import Cancelled, InputError, ServiceError, SettingsError
from workbench.plugins import build
from workbench.records import SourceItem
from workbench.sources import _local_files


def opened(folder: Path, path: str = "docs", **settings: object) -> SourceConnection:
    connection: SourceConnection = build("sources", "pdf_folder", {"path": path, **settings}).connection(
        SourceAccess(folder)
    )
    return connection


def ids(listing: Listing) -> list[str]:
    return [item.item_id for item in listing]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.pdf", "b.TXT", "picture.png", "deep/er/c.md", "deep/d.html", ".hidden/e.txt", ".f.txt"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "outside.txt").write_bytes(b"secret")
    return tmp_path


def test_files_that_a_parser_reads_are_listed_by_their_path_in_the_folder(folder: Path) -> None:
    listing = opened(folder).items()
    assert ids(listing) == ["a.pdf", "b.TXT", "deep/d.html", "deep/er/c.md"]
    assert (listing.complete, listing.problems) == (True, [])


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"include": ["*.pdf"]}, ["a.pdf"]),
        ({"include": ["deep/*"]}, ["deep/d.html"]),
        ({"include": ["deep/**"]}, ["deep/d.html", "deep/er/c.md"]),
        ({"exclude": ["deep/**", "*.txt"]}, ["a.pdf"]),
        ({"include": ["**/c.md", "?.pdf"]}, ["a.pdf", "deep/er/c.md"]),
        ({"include": ["*.t[x]t"]}, []),
        ({"hidden": True, "include": ["*.txt"]}, [".f.txt", "b.TXT", ".hidden/e.txt"]),
    ],
)
def test_patterns_choose(folder: Path, settings: dict[str, object], found: list[str]) -> None:
    assert ids(opened(folder, **settings).items()) == found


def test_a_path_that_no_folder_can_have_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(SettingsError, match="can be the name of no file or folder"):
        opened(folder, path="a\0b")


def test_reading_gives_the_bytes_the_name_and_the_version_of_what_was_read(folder: Path) -> None:
    connection = opened(folder)
    item = list(connection.items())[3]
    raw = connection.read(item)
    assert raw is not None
    assert (raw.data, raw.name, raw.version) == (b"deep/er/c.md", "c.md", item.version)
    assert raw.uri == item.uri == (folder / "docs/deep/er/c.md").as_uri()


def test_a_version_changes_with_the_time_and_with_the_size(folder: Path) -> None:
    def version() -> str:
        return next(iter(opened(folder).items())).version

    path = folder / "docs/a.pdf"
    os.utime(path, ns=(1, 1))
    first = version()
    os.utime(path, ns=(1, 2))
    second = version()
    path.write_bytes(b"longer than before")
    os.utime(path, ns=(1, 2))
    assert len({first, second, version()}) == 3


def test_a_file_of_the_same_size_that_was_given_its_old_time_back_has_another_version(folder: Path) -> None:
    """What ``cp -p`` and ``touch -r`` do: only the time of the last change of any kind tells."""
    path = folder / "docs/a.pdf"
    os.utime(path, ns=(1, 1))
    first = next(iter(opened(folder).items()))
    while path.stat().st_ctime_ns == int(first.version.split("-")[1]):
        path.write_bytes(b"A.PDF")
        os.utime(path, ns=(1, 1))
    second = next(iter(opened(folder).items()))
    assert (first.size_bytes, path.stat().st_mtime_ns) == (second.size_bytes, 1)
    assert first.version != second.version


@pytest.mark.parametrize(
    ("age_s", "has_version"),
    [(0, False), (1.9, False), (2, True), (3_600, True), (-1, False), (-3_600, True)],
)
def test_a_file_has_no_version_until_two_seconds_after_it_was_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, age_s: float, has_version: bool
) -> None:
    """Two changes may bear the same time. A time far ahead is a clock that is wrong, and must not keep it so for ever."""
    path = folder / "docs/a.pdf"
    os.utime(path, ns=(10**18, 10**18))
    monkeypatch.setattr("time.time_ns", lambda: 10**18 + int(age_s * 1e9))
    connection = opened(folder)
    item = next(iter(connection.items()))
    raw = connection.read(item)
    assert raw is not None
    assert bool(item.version) is has_version
    assert raw.version == item.version


def test_a_copy_of_a_folder_keeps_the_ids_and_says_of_every_file_that_it_must_be_read(folder: Path) -> None:
    for path in (folder / "docs").rglob("*.*"):
        if path.is_file():
            os.utime(path, ns=(1, 1))
    before = list(opened(folder).items())
    shutil.copytree(folder / "docs", folder / "copy/docs")
    after = list(opened(folder / "copy").items())
    assert [item.item_id for item in before] == [item.item_id for item in after]
    assert not {item.version for item in before} & {item.version for item in after}


def test_the_place_is_what_the_config_says_so_that_a_moved_folder_keeps_its_ids(folder: Path) -> None:
    assert build("sources", "pdf_folder", {"path": "docs/./"}).key == "pdf_folder:docs"
    assert build("sources", "pdf_folder", {"path": "docs", "hidden": True}).key == "pdf_folder:docs"


def test_a_path_may_begin_above_the_config(folder: Path) -> None:
    (folder / "config").mkdir()
    assert ids(opened(folder / "config", "../docs").items())[0] == "a.pdf"


def test_links_are_not_followed(folder: Path) -> None:
    docs = folder / "docs"
    (docs / "again").symlink_to(docs)
    (docs / "inside.pdf").symlink_to(docs / "a.pdf")
    (docs / "out.txt").symlink_to(folder / "outside.txt")
    (docs / "outer").symlink_to(folder)
    (docs / "loop.txt").symlink_to(docs / "loop.txt")
    listing = opened(folder).items()
    assert ids(listing) == ["a.pdf", "b.TXT", "deep/d.html", "deep/er/c.md"]
    assert listing.complete
    assert listing.problems == [
        "loop.txt is a link to nothing, or to itself",
        "out.txt is a link that leads out of the folder; it is not read",
        "outer is a link that leads out of the folder; it is not read",
    ]


def test_a_folder_that_is_a_link_itself_is_read(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "docs")
    assert ids(opened(folder, "link").items())[0] == "a.pdf"


@pytest.mark.parametrize(
    "item_id", ["../outside.txt", "/etc/passwd", "deep/../../outside.txt", "", "a\x00.pdf", "./a.pdf"]
)
def test_an_id_that_leads_out_is_refused(folder: Path, item_id: str) -> None:
    with pytest.raises(InputError) as caught:
        opened(folder).read(SourceItem(item_id))
    assert caught.value.status == "refused"


@pytest.mark.parametrize("path", ["a.pdf", "deep/d.html"])
def test_what_became_a_link_after_it_was_listed_is_not_read(folder: Path, path: str) -> None:
    connection = opened(folder)
    item = next(item for item in connection.items() if item.item_id == path)
    if path == "a.pdf":
        (folder / "docs/a.pdf").unlink()
        (folder / "docs/a.pdf").symlink_to(folder / "outside.txt")
    else:
        (folder / "elsewhere").mkdir()
        (folder / "elsewhere/d.html").write_bytes(b"secret")
        (folder / "docs/deep").rename(folder / "away")
        (folder / "docs/deep").symlink_to(folder / "elsewhere")
    with pytest.raises(InputError) as caught:
        connection.read(item)
    assert caught.value.status == "gone"


def test_a_file_that_vanished_after_it_was_listed_is_gone(folder: Path) -> None:
    connection = opened(folder)
    item = next(iter(connection.items()))
    (folder / "docs/a.pdf").unlink()
    with pytest.raises(InputError, match=r"a\.pdf is not there any more") as caught:
        connection.read(item)
    assert caught.value.status == "gone"


def test_a_folder_that_is_away_says_nothing_of_its_files(folder: Path) -> None:
    connection = opened(folder)
    item = next(iter(connection.items()))
    folder.rename(folder.with_name("unmounted"))
    with pytest.raises(ServiceError, match="cannot be opened"):
        connection.read(item)


def test_a_file_that_vanishes_while_it_is_listed_is_not_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: Path) -> list[os.DirEntry[str]]:
        entries = list(real(path))
        (folder / "docs/a.pdf").unlink(missing_ok=True)
        return entries

    monkeypatch.setattr("os.scandir", scandir)
    listing = opened(folder).items()
    assert ids(listing) == ["b.TXT", "deep/d.html", "deep/er/c.md"]
    assert listing.complete


@pytest.mark.parametrize("call", ["stat", "is_symlink", "is_dir"])
def test_a_file_that_cannot_be_looked_at_makes_the_listing_incomplete(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A disk that fails, or a share that is away for a moment: the file is as likely there as not."""

    class Failing:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self._entry = entry

        def __getattr__(self, name: str) -> object:
            if name == call and self._entry.name == "a.pdf":
                return self._fail
            return getattr(self._entry, name)

        def _fail(self, **kwargs: object) -> None:
            raise OSError(5, "Input/output error")

    real = os.scandir
    monkeypatch.setattr("os.scandir", lambda path: [Failing(entry) for entry in real(path)])
    listing = opened(folder).items()
    assert ids(listing) == ["b.TXT", "deep/d.html", "deep/er/c.md"]
    assert (listing.complete, listing.failure) == (False, None)
    assert listing.problems == ["a.pdf cannot be looked at: Input/output error"]


def test_a_pipe_is_neither_listed_nor_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "docs/pipe.txt")
    assert "pipe.txt" not in ids(opened(folder).items())
    with pytest.raises(InputError, match="not a file any more"):
        opened(folder).read(SourceItem("pipe.txt"))


def test_a_file_above_the_limit_is_too_large(folder: Path) -> None:
    (folder / "docs/a.pdf").write_bytes(b"x" * 1_000_001)
    with pytest.raises(InputError, match=r"larger than 1 MB") as caught:
        opened(folder, largest_mb=1).read(SourceItem("a.pdf"))
    assert caught.value.status == "too_large"


def test_a_file_written_while_it_is_read_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = iter([(1, 1, 1), (2, 2, 1), (3, 3, 1), (3, 3, 1), (3, 3, 1)])
    monkeypatch.setattr(_local_files, "stamp", lambda found: next(stamps))
    raw = opened(folder).read(SourceItem("a.pdf"))
    assert raw is not None
    assert (raw.data, list(stamps)) == (b"a.pdf", [(3, 3, 1)])


def test_a_file_written_all_the_time_is_left_for_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(100))
    monkeypatch.setattr(_local_files, "stamp", lambda found: (next(times), 0, 0))
    with pytest.raises(ServiceError, match="being written"):
        opened(folder).read(SourceItem("a.pdf"))


def test_a_folder_that_is_not_there_is_a_failure_and_not_an_empty_listing(folder: Path) -> None:
    listing = opened(folder, "nowhere").items()
    assert ids(listing) == []
    assert (listing.complete, listing.finished) == (False, False)
    assert "there is no folder nowhere" in str(listing.failure)


def test_a_folder_that_cannot_be_looked_into_makes_the_listing_incomplete(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "er":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
    listing = opened(folder).items()
    assert ids(listing) == ["a.pdf", "b.TXT", "deep/d.html"]
    assert (listing.complete, listing.failure) == (False, None)
    assert listing.problems == ["the folder deep/er/ cannot be looked into: Permission denied"]
    # Three files in two folders.
    assert [(fault.name, fault.items, fault.hides) for fault in listing.faults] == [("deep/er/", 2, True)]
    assert listing.complete_but_for_faults


def test_a_name_that_is_not_utf8_is_reported(folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder / "docs"))) / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
    listing = opened(folder).items()
    assert "b.TXT" in ids(listing)
    assert listing.problems == [r"caf\udce9.txt has a name that is not UTF-8; rename it"]
    assert [(fault.items, fault.hides) for fault in listing.faults] == [(1, False)]
    assert listing.complete


def test_a_name_that_is_not_utf8_is_no_fault_where_no_document_would_be_listed(folder: Path) -> None:
    for name in (b"caf\xe9.jpg", b"caf\xe9.txt"):
        (folder / "docs" / os.fsdecode(name)).write_bytes(b"x")
    (folder / "docs" / os.fsdecode(b"link\xe9.txt")).symlink_to(folder / "docs" / "b.TXT")
    listing = opened(folder, include=["*.pdf", "*.jpg"]).items()
    assert ids(listing) == ["a.pdf"]
    assert (listing.faults, listing.problems) == ([], [])


def test_a_large_folder_comes_in_pages(folder: Path) -> None:
    for number in range(1_200):
        (folder / f"docs/{number}.txt").touch()
    assert [len(page.items) for page in opened(folder).pages("")] == [500, 500, 204]


def test_the_user_stops_a_listing(folder: Path) -> None:
    connection = build("sources", "pdf_folder", {"path": "docs"}).connection(
        SourceAccess(folder, lambda: True)
    )
    listing = connection.items()
    with pytest.raises(Cancelled):
        list(listing)
    assert not listing.complete


def test_a_path_is_needed() -> None:
    with pytest.raises(SettingsError):
        build("sources", "pdf_folder", {"path": ""})
