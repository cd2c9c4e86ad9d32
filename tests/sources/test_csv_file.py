"""A table as a source: rows are documents, found again wherever they stand, and errors name their row."""

from __future__ import annotations

import codecs
import csv
import io
import os
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.source_places import settle
from workbench.contracts import SourceAccess, SourceConnection
from workbench.errors import InputError, ServiceError, SettingsError
from workbench.plugins import build
from workbench.records import SourceItem
from workbench.sources._csv_rows import Form, form, rows

FAQ = """id,question,answer,product,author
A1,How long?,Two weeks.,tram,Ann
A2,"What, exactly?","Line one
line two; ""quoted"".",bus,Bob

A3,Why?,Because.,tram,
"""
WISHES = {"path": "faq.csv", "id_column": "id", "text_columns": ["question", "answer"]}


def opened(folder: Path, **settings: object) -> SourceConnection:
    connection: SourceConnection = build("sources", "csv_file", WISHES | settings).connection(
        SourceAccess(folder)
    )
    return connection


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "faq.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def texts(connection: SourceConnection) -> list[str]:
    found = [connection.read(item) for item in connection.items()]
    return [raw.data.decode("utf-8-sig") for raw in found if raw is not None]


def test_each_row_is_a_document(tmp_path: Path) -> None:
    written(tmp_path, FAQ)
    with opened(tmp_path, title_column="question", metadata_columns=["product"]) as connection:
        listing = connection.items()
        items = list(listing)
        assert [item.item_id for item in items] == ["A1", "A2", "A3"]
        assert (listing.complete, listing.problems) == (True, [])
        raw = connection.read(items[1])
        assert raw is not None
        assert raw.data.decode("utf-8-sig") == 'What, exactly?\n\nLine one\nline two; "quoted".'
        assert (raw.title, dict(raw.metadata), raw.name) == ("What, exactly?", {"product": "bus"}, "A2.txt")
        assert raw.version == items[1].version
        assert raw.uri == f"{(tmp_path / 'faq.csv').as_uri()}#A2"


def test_a_version_changes_with_the_used_cells_alone(tmp_path: Path) -> None:
    def versions(text: str) -> list[str]:
        written(tmp_path, text)
        return [item.version for item in opened(tmp_path, metadata_columns=["product"]).items()]

    first = versions(FAQ)
    assert versions("id,question,answer,product,author\nA0,x,y,z,\n" + FAQ.split("\n", 1)[1])[1:] == first
    assert versions(FAQ.replace("Ann", "Zoe")) == first
    changed = versions(FAQ.replace("Because", "Hence").replace("bus", "ferry"))
    assert [a == b for a, b in zip(first, changed, strict=True)] == [True, False, False]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("cp1252", b""),
    ],
)
def test_separator_and_encoding_are_found_out(
    tmp_path: Path, separator: str, encoding: str, mark: bytes
) -> None:
    target = io.StringIO()
    writer = csv.writer(target, delimiter=separator)
    writer.writerows(
        [["id", "question", "answer"], ["Ä1", "Gültig, ja; oder | nein?", "Größe\n\t„zwei“"], ["2", "ü", "é"]]
    )
    written(tmp_path, mark + target.getvalue().encode(encoding))
    connection = opened(tmp_path)
    listing = connection.items()
    items = list(listing)
    assert [item.item_id for item in items] == ["Ä1", "2"]
    assert texts(connection) == ["Gültig, ja; oder | nein?\n\nGröße\n\t„zwei“", "ü\n\né"]
    assert listing.complete
    assert bool(listing.problems) is (encoding == "cp1252")


def test_an_encoding_that_was_guessed_is_said(tmp_path: Path) -> None:
    written(tmp_path, "id,question,answer\n1,Gültig?,ja\n".encode("cp1252"))
    listing = opened(tmp_path).items()
    list(listing)
    assert listing.problems == [
        "faq.csv: it is not UTF-8 and was read as cp1252; set encoding, or save it as UTF-8"
    ]


def test_the_encoding_given_is_taken(tmp_path: Path) -> None:
    written(tmp_path, "id,question,answer\n1,Żółć?,да\n".encode("cp1250", "replace"))
    assert texts(opened(tmp_path, encoding="cp1250")) == ["Żółć?\n\n??"]


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("klingon", "is not known"),
        ("utf-16", "save it as UTF-8"),
        ("rot13", "save it as UTF-8|is not known"),
        ("\0", "is not known"),
    ],
)
def test_an_encoding_that_cannot_be_used_is_refused(tmp_path: Path, encoding: str, message: str) -> None:
    written(tmp_path, FAQ)
    listing = opened(tmp_path, encoding=encoding).items()
    list(listing)
    assert isinstance(listing.failure, SettingsError)
    assert any(part in str(listing.failure) for part in message.split("|"))


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    written(tmp_path, FAQ.replace(",", ";"))
    listing = opened(tmp_path, text_columns=["text"]).items()
    assert list(listing) == []
    assert isinstance(listing.failure, SettingsError)
    assert "has no column 'text'; it has: id, question, answer, product, author" in str(listing.failure)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "id,question,answer,answer\n1,a,b,c\n")
    listing = opened(tmp_path).items()
    list(listing)
    assert "more than one column 'answer'" in str(listing.failure)


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    """The header is row 1, a blank line counts, and a cell with a line end in it is still one row."""
    written(tmp_path, FAQ)
    how = form(tmp_path / "faq.csv", ["id"])
    assert [(row.number, row.cells[0]) for row in rows(tmp_path / "faq.csv", how)] == [
        (1, "id"),
        (2, "A1"),
        (3, "A2"),
        (5, "A3"),
    ]


def test_an_id_that_comes_again_is_reported_with_both_rows(tmp_path: Path) -> None:
    written(tmp_path, FAQ + "A1,again,again,x,y\n")
    listing = opened(tmp_path).items()
    assert [item.item_id for item in listing] == ["A1", "A2", "A3"]
    assert listing.problems == ["faq.csv, row 6 has the id of row 2, 'A1'; row 2 counts"]
    assert [(fault.name, fault.items, fault.hides) for fault in listing.faults] == [
        ("faq.csv, row 6", 1, False)
    ]
    assert listing.complete


@pytest.mark.parametrize(
    ("row", "problem", "complete"),
    [
        (",q,a,p,x", "faq.csv, row 6 has nothing in the column 'id'", False),
        ("A4,q", "faq.csv, row 6 has 2 cells, and the header has 5", False),
        ("A4,q,a,b,c,d", "faq.csv, row 6 has 6 cells, and the header has 5", False),
        ("A4,, ,p,x", "faq.csv, row 6 has no text", True),
    ],
)
def test_a_row_that_cannot_be_a_document_is_named_and_the_others_stay(
    tmp_path: Path, row: str, problem: str, complete: bool
) -> None:
    written(tmp_path, f"{FAQ}{row}\nA5,q,a,p,x\n")
    listing = opened(tmp_path).items()
    assert [item.item_id for item in listing] == ["A1", "A2", "A3", "A5"]
    assert [found.partition(";")[0] for found in listing.problems] == [problem]
    assert (listing.complete, listing.complete_but_for_faults, listing.finished) == (complete, True, True)
    faults = [] if complete else [("faq.csv, row 6", True)]
    assert [(fault.name, fault.hides) for fault in listing.faults] == faults


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (
            b'A4,"never closed,a,p,x\nA5,q,a,p,x\n',
            "row 6: unexpected end of data; is a quotation mark not closed?",
        ),
        (b'A4,"closed" early,a,p,x\nA5,q,a,p,x\n', "row 6:"),
    ],
)
def test_a_table_that_breaks_off_is_an_incomplete_listing(tmp_path: Path, tail: bytes, message: str) -> None:
    written(tmp_path, FAQ.encode() + tail)
    listing = opened(tmp_path).items()
    assert list(listing) == []
    assert message in str(listing.failure)
    assert not listing.complete


def test_letters_that_are_not_in_the_encoding_are_named_with_their_row(tmp_path: Path) -> None:
    written(tmp_path, FAQ.encode() + b"A4,\xff\xfe,a,p,x\n")
    listing = opened(tmp_path, encoding="utf-8").items()
    list(listing)
    assert "this is not utf-8" in str(listing.failure)


def test_an_endless_row_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.sources._csv_rows.LONGEST_ROW_CHARACTERS", 1_000)
    written(tmp_path, FAQ + 'A4,"' + "x\n" * 600 + '",a,p,x\n')
    listing = opened(tmp_path).items()
    list(listing)
    assert "row 6: it is longer than 1,000 characters" in str(listing.failure)


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_a_failure_and_not_an_empty_listing(tmp_path: Path, text: str) -> None:
    written(tmp_path, text)
    listing = opened(tmp_path).items()
    assert list(listing) == []
    assert "its first row must name the columns" in str(listing.failure)
    assert not listing.complete


def test_a_header_alone_is_an_empty_listing(tmp_path: Path) -> None:
    written(tmp_path, "id,question,answer\n")
    listing = opened(tmp_path).items()
    assert list(listing) == []
    assert listing.complete


def test_a_file_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    listing = opened(tmp_path).items()
    assert list(listing) == []
    assert "there is no file faq.csv" in str(listing.failure)


@pytest.mark.parametrize("name", ["pipe.csv", "/dev/zero", "/dev/full"])
def test_what_may_have_no_end_is_not_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    listing = opened(tmp_path, path=name).items()
    assert list(listing) == []
    assert f"{name} is not a file, but a pipe or a device" in str(listing.failure)


def test_the_environment_of_the_program_is_no_table(tmp_path: Path) -> None:
    """A config may come from somebody else, and a message says which columns a table has."""
    own = Path("/proc/self/environ")
    if not own.exists():
        pytest.skip("this system does not show processes as files")
    listing = opened(tmp_path, path=str(own)).items()
    assert list(listing) == []
    assert str(listing.failure) == "environ is empty: its first row must name the columns"


@pytest.mark.parametrize("path", ["a\0b.csv", "\0"])
def test_a_path_that_no_file_can_have_is_refused_in_words(tmp_path: Path, path: str) -> None:
    with pytest.raises(SettingsError, match="can be the name of no file"):
        opened(tmp_path, path=path)


def test_a_row_that_moved_after_it_was_listed_is_found_by_its_id(tmp_path: Path) -> None:
    written(tmp_path, FAQ)
    connection = opened(tmp_path)
    items = list(connection.items())
    written(tmp_path, FAQ.replace("A1,", "A0,new,new,p,x\nA1,").replace("Because.", "Changed."))
    raw = connection.read(items[2])
    assert raw is not None
    assert raw.data.decode("utf-8-sig") == "Why?\n\nChanged."
    assert raw.version != items[2].version
    raw = connection.read(SourceItem("A2"))
    assert raw is not None
    assert raw.data.decode("utf-8-sig").startswith("What, exactly?")


def test_a_row_that_was_taken_out_after_it_was_listed_is_gone(tmp_path: Path) -> None:
    written(tmp_path, FAQ)
    connection = opened(tmp_path)
    item = list(connection.items())[2]
    settle(written(tmp_path, FAQ.replace("A3,", "A9,")))
    with pytest.raises(InputError, match="has no row 'A3' any more") as caught:
        connection.read(item)
    assert caught.value.status == "gone"


@pytest.mark.parametrize(
    "text", ["", "id,question,answer,pro", FAQ.partition("A3")[0], FAQ.replace('".",', "")]
)
def test_a_file_that_is_being_written_says_nothing_of_its_rows(tmp_path: Path, text: str) -> None:
    """Cut off anywhere: empty, in its header, between two rows, or within quotation marks."""
    written(tmp_path, FAQ)
    connection = opened(tmp_path)
    item = list(connection.items())[2]
    written(tmp_path, text)
    with pytest.raises(ServiceError):
        connection.read(item)


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_file_that_is_away_at_any_moment_of_a_reading_says_nothing_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """It is moved away just before one look at it, and is back for the next."""
    path = written(tmp_path, FAQ)
    settle(path)
    connection = opened(tmp_path)
    item = list(connection.items())[2]
    looks = 0

    def looking(real: Callable[..., Any]) -> Callable[..., Any]:
        def look(self: Path, *args: Any, **kwargs: Any) -> Any:
            nonlocal looks
            if self != path:
                return real(self, *args, **kwargs)
            looks += 1
            if looks != moment:
                return real(self, *args, **kwargs)
            path.rename(away)
            try:
                return real(self, *args, **kwargs)
            finally:
                away.rename(path)

        return look

    away = tmp_path / "away.csv"
    monkeypatch.setattr(Path, "stat", looking(Path.stat))
    monkeypatch.setattr(Path, "open", looking(Path.open))
    for handle in (item.handle, ""):
        looks = 0
        with suppress(ServiceError):
            assert connection.read(replace(item, handle=handle)) is not None


def test_a_file_that_is_moved_away_while_it_is_listed_is_an_incomplete_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, FAQ)
    connection = opened(tmp_path)
    list(connection.items())
    real = Path.open

    def opening(self: Path, *args: Any, **kwargs: Any) -> Any:
        self.unlink()
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", opening)
    listing = connection.items()
    assert list(listing) == []
    assert isinstance(listing.failure, ServiceError)
    assert "faq.csv cannot be read just now: No such file or directory" in str(listing.failure)
    assert not path.exists()


def test_a_file_that_is_away_for_a_moment_says_nothing_of_its_rows(tmp_path: Path) -> None:
    path = written(tmp_path, FAQ)
    connection = opened(tmp_path)
    item = list(connection.items())[2]
    path.unlink()
    with pytest.raises(ServiceError, match=r"there is no file faq\.csv"):
        connection.read(item)


def test_a_file_written_while_it_is_listed_is_an_incomplete_listing(tmp_path: Path) -> None:
    written(tmp_path, "id,question,answer\n" + "".join(f"{n},q,a\n" for n in range(3_000)))
    listing = opened(tmp_path).items()
    for seen, _ in enumerate(listing):
        if seen == 0:
            written(tmp_path, "id,question,answer\n" + "".join(f"{n},q,a\n" for n in range(2_000)))
    assert not listing.complete
    assert listing.failure is not None


def test_ids_with_any_signs_give_names_without_folders(tmp_path: Path) -> None:
    written(tmp_path, 'id,question,answer\n"../../etc/x y#1",q,a\n')
    connection = opened(tmp_path, text_format="md")
    raw = connection.read(next(iter(connection.items())))
    assert raw is not None
    assert raw.name == ".._.._etc_x y#1.md"
    assert raw.uri.endswith("/faq.csv#..%2F..%2Fetc%2Fx%20y%231")


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@given(st.lists(st.tuples(CELL, CELL), max_size=12), st.sampled_from(["utf-8", "utf-16-le"]))
def test_every_row_is_found_again_at_its_offset(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]], encoding: str
) -> None:
    target = io.StringIO()
    csv.writer(target, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *cells])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    mark = codecs.BOM_UTF8 if encoding == "utf-8" else codecs.BOM_UTF16_LE
    path.write_bytes(mark + target.getvalue().encode(encoding))
    how = Form(encoding, ",", ("a", "b"), len(mark))
    found = list(rows(path, how))
    assert [row.cells for row in found[1:]] == [pair for pair in cells if any(cell.strip() for cell in pair)]
    for row in found:
        assert next(rows(path, how, row.offset, row.number)) == row


def test_a_long_table_is_streamed(tmp_path: Path) -> None:
    """5,000 rows of 4,000 characters are 20 MB; what grows with the rows is their ids alone."""
    with written(tmp_path, "id,question,answer\n").open("a") as file:
        file.writelines(f"{n},q,{'word ' * 800}\n" for n in range(5_000))
    listing = opened(tmp_path, encoding="utf-8").items()
    tracemalloc.start()
    count = sum(1 for _ in listing)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, listing.complete) == (5_000, True)
    assert peak < 6_000_000
