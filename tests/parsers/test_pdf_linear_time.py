"""What is asked of lines, words and titles takes steps in proportion to their number, whatever a file holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pymupdf
import pytest

from tests.parsers.made_pdfs import drawn, pdf
from tests.work import steps
from workbench.parsers._pdf_lines import Line
from workbench.parsers._pdf_order import regions
from workbench.parsers._pdf_pages import PageText, pages_read
from workbench.parsers.pdf_reading.completeness import margin_texts
from workbench.parsers.pdf_reading.damage import missing_parts
from workbench.parsers.pdf_reading.right_to_left import right_to_left_chars, words_in_reading_order
from workbench.parsers.pdf_reading.table_columns import fill_empty_cells
from workbench.parsers.pdf_reading.titles import find_title
from workbench.parsers.pdf_reading.wide_tables import split_at_wide_tables
from workbench.parsers.pdf_reading.word_gaps import split_at_gaps

SIZES = (500, 1_000, 2_000)
LETTER, MARK = "\u05d0", "\u05b0"


def is_linear(work: Callable[[int], Callable[[], object]]) -> bool:
    counts = [steps(work(size)) for size in SIZES]
    return all(later <= 2.5 * earlier for earlier, later in pairwise(counts))


def letters(count: int, *, step: float) -> list[dict[str, Any]]:
    """Letters, each with a mark that has no width."""
    found = []
    for i in range(count):
        left = 5.0 + step * i
        found.append({"c": LETTER, "bbox": (left, 0.0, left + 4, 10.0), "origin": (left, 8.0)})
        found.append({"c": MARK, "bbox": (left + 4, 0.0, left + 4, 10.0), "origin": (left + 4, 8.0)})
    return found


@pytest.mark.slow
@pytest.mark.parametrize("step", [5.0, 0.0, -5.0])
def test_marks_on_the_letters_of_a_right_to_left_line(step: float) -> None:
    assert is_linear(lambda size: lambda: words_in_reading_order(letters(size, step=step), 10))


class _Page:
    """A page, and its text page, with a line for each letter, all of one height."""

    def __init__(self, count: int) -> None:
        self._chars = letters(count, step=9.0)

    def extractRAWDICT(self) -> dict[str, Any]:  # noqa: N802  (PyMuPDF's name)
        lines = [
            {"spans": [{"chars": [char]}], "dir": (1.0, 0.0), "bbox": char["bbox"]}
            for char in self._chars
            if char["c"] == LETTER
        ]
        return {"blocks": [{"number": 0, "lines": lines}]}

    def get_texttrace(self) -> list[dict[str, Any]]:
        return [{"chars": [(ord(char["c"]), 0, char["origin"], char["bbox"]) for char in self._chars]}]


def test_right_to_left_lines_that_stand_beside_each_other() -> None:
    def work(size: int) -> Callable[[], object]:
        page = _Page(size)
        return lambda: right_to_left_chars(page, page)

    assert is_linear(work)
    page = _Page(40)
    assert all(
        "".join(char["c"] for char in chars) == LETTER for chars in right_to_left_chars(page, page).values()
    )


def test_words_that_touch() -> None:
    def work(size: int) -> Callable[[], object]:
        chars = [{"c": "a", "bbox": (float(i), 0.0, i + 0.9, 9.0)} for i in range(size)]
        words = [(float(i), 0.0, i + 4.9, 9.0, "aaaaa", 0, 0, i // 5) for i in range(0, size, 5)]
        return lambda: split_at_gaps(chars, words, 10)

    assert is_linear(work)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("second", ["", " x", "-", "!", " \x00"])
@pytest.mark.parametrize(
    "unit", ["a_", "a1", "a1_", "a-", "a.", "microsoft ", "word - ", "title ", "ministry "]
)
def test_titles_of_any_length_are_judged_at_once(unit: str, second: str) -> None:
    assert len(find_title(unit * 40_000 + second, (), "", (), "a.pdf")) <= 200


@pytest.mark.parametrize(
    "title", ["annual_report_7", "a4-b", "x_", "2024-05", "7", "a7b", "report_7 of May", "_ _", "a_7", "a_b"]
)
def test_a_word_of_parts_with_figures_is_a_file_name_and_no_title(title: str) -> None:
    before = re.fullmatch(r"\S*(?:_|\d)\S*(?:[_-]\S*|\d)", title) is not None
    is_word = sum(letter.isalpha() for letter in title) >= 3
    assert (find_title(title, (), "", (), "other.pdf") == title) == (is_word and not before)


class _Lines(list[Line]):
    """Lines that count how many of them are copied."""

    copied = 0

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        if isinstance(place, slice):
            _Lines.copied += len(found)
            return _Lines(found)
        return found


def short_line(u0: float, v: float) -> Line:
    return Line("a b", u0, u0 + 20, v, 10, False, 0, [], [])


def test_short_lines_above_a_wide_table_are_not_copied_for_each_of_them() -> None:
    def copied(count: int) -> int:
        _Lines.copied = 0
        lines = _Lines(short_line(20.0 * (i % 2), 10.0 * i) for i in range(count))
        lines += [short_line(200.0 * cell, 10.0 * (count + row)) for row in range(4) for cell in range(4)]
        assert [is_table for _, is_table in split_at_wide_tables(lines)] == [True]
        return _Lines.copied

    assert copied(2_000) <= 2.5 * copied(1_000)


def cell(text: str, u0: float, v: float) -> Line:
    return Line(text, u0, u0 + 30, v, 9, False, 0, [(0, len(text))], [(u0, v - 9, u0 + 30, v)])


def test_a_table_of_many_columns_takes_few_steps_for_each_cell() -> None:
    names = [cell("a long name of it", 50, 12.0 * row) for row in range(60)]
    figures = [cell("51,234.5", 200 + 55.0 * i, 12.0 * row) for row in range(60) for i in range(7)]
    lines = names + figures
    count = steps(lambda: list(regions(lines)))
    assert [row.text.count("\t") for region in regions(lines) for row in region] == [7] * 60
    # Dividing the page anew at every gap between two columns takes 300 for each.
    assert count <= 150 * len(lines)


@pytest.mark.parametrize(("most_growth", "shrinks"), [(2**40, 0), (-(2**40), 2)])
def test_fonts_are_kept_from_page_to_page_until_memory_grows(
    monkeypatch: pytest.MonkeyPatch, most_growth: int, shrinks: int
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(pymupdf.TOOLS, "store_shrink", asked.append)
    monkeypatch.setattr("workbench.parsers._pdf_pages._MOST_GROWTH_BYTES", most_growth)
    data = pdf(*[drawn("a line of the page", 60, 700)] * 120)
    assert len(pages_read(data, "a file.pdf").pages) == 120
    assert asked == [100] * shrinks


class _Text(str):
    """A text that counts the letters it was searched through."""

    searched = 0

    def count(self, sign: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        _Text.searched += (len(self) if end is None else end) - start
        return super().count(sign, start, end)


def table_row(cells: list[int], words: int, v: float) -> Line:
    """A row with cells in these columns, and many words in each."""
    text = "\t".join(" ".join("a" * words) for _ in cells)
    ranges = [(i, i + 1) for i, letter in enumerate(text) if letter == "a"]
    spots = [(100.0 * column, 100.0 * column + 50) for column in cells]
    boxes = [(0.0, 0.0, 1.0, 1.0)] * len(ranges)
    return Line(_Text(text), 0, 400, v, 10, False, 0, ranges, boxes, cells=len(cells), spots=spots)


def test_words_of_a_row_with_an_empty_cell_are_moved_without_reading_it_anew_for_each() -> None:
    def searched(words: int) -> int:
        _Text.searched = 0
        _, second = fill_empty_cells([table_row([0, 1, 2], 2, 0), table_row([0, 2], words, 20)])
        assert second.text.count("\t") == 2
        assert {second.text[start:end] for start, end in second.words} == {"a"}
        return _Text.searched

    assert searched(2_000) <= 2.5 * searched(1_000)


def test_words_in_any_order_are_moved_by_the_tabs_before_them() -> None:
    row = table_row([0, 2], 3, 20)
    row.words.reverse()
    _, filled = fill_empty_cells([table_row([0, 1, 2], 2, 0), row])
    assert [filled.text[start:end] for start, end in filled.words] == ["a"] * 6
    assert filled.words == sorted(filled.words, reverse=True)


def test_lines_left_out_of_a_page_are_not_told_apart_anew_for_each() -> None:
    asked = 0

    class Asked(PageText):
        @property
        def lines(self) -> list[str]:
            nonlocal asked
            asked += 1
            return self.text.split("\n")

    count = 100
    boxes = np.zeros((count, 4), np.float32)
    none = np.zeros(0, np.int32)
    text = "\n".join(map(str, range(count)))
    page = Asked(1, 9, 9, text, b"", b"", b"", b"", none.astype(np.float32), boxes, none, none, boxes)  # fmt: skip
    found = margin_texts([page], [frozenset(range(count))])
    assert [one.text for one in found] == [str(number) for number in range(count)]
    assert asked == 1


class _Document:
    """A document of many pages that all show the same parts, given by one list."""

    def __init__(self, pages: int) -> None:
        self.page_count = pages
        self._list = "[" + " ".join(f"{number} 0 R" for number in range(9, 9 + pages)) + "]"

    def pdf_catalog(self) -> int:
        return 1

    def page_xref(self, index: int) -> int:
        return index + 1

    def xref_length(self) -> int:
        return 10**6

    def xref_get_key(self, xref: int, key: str) -> tuple[str, str]:
        return ("xref", "5 0 R") if key == "Contents" else ("int", str(self.page_count))

    def xref_is_stream(self, xref: int) -> bool:
        return xref != 5

    def xref_object(self, xref: int, compressed: bool = False) -> str:
        return self._list if xref == 5 else "<<>>"


def test_parts_that_all_pages_share_are_looked_for_once() -> None:
    assert is_linear(lambda size: lambda: missing_parts(_Document(size), b""))


@pytest.mark.parametrize(
    "tail", [b"startxref " + b"9" * 4_000, b"/Linearized 1/L " + b"9" * 4_000], ids=["place", "length"]
)
def test_a_number_of_any_length_makes_no_long_sentence(tail: bytes) -> None:
    assert 0 < len(missing_parts(_Document(1), tail)) < 200


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_places_that_are_no_numbers_are_no_fault(value: float) -> None:
    page = _Page(3)
    for char in page._chars[2:]:
        char["origin"] = (value, value)
        char["bbox"] = (value, 0.0, value, value)
    found = right_to_left_chars(page, page)
    assert len(found) == 3
    for chars in found.values():
        words_in_reading_order(chars, 10)
    words_in_reading_order(page._chars, value)
    assert split_at_gaps(page._chars, [(0, 0, 1, 1, (LETTER + MARK) * 3, 0, 0, 0)], value)
    lines = [short_line(value, 10.0 * i) for i in range(6)] + [short_line(10.0, value)]
    assert sum(len(part) for part, _ in split_at_wide_tables(lines)) == 7
    rows = [table_row([0, 1, 2], 1, 0), table_row([0, 2], 1, 20)]
    rows[1].spots[1] = (value, value)
    assert [row.text.count("\t") for row in fill_empty_cells(rows)] == [2, 1]
