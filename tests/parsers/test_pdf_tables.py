"""Tables: which lines are rows, which are not, and what becomes of their empty cells."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from tests.parsers.made_pdfs import drawn, paragraph, pdf
from workbench.parsers._pdf_lines import Line
from workbench.parsers.pdf import Pdf
from workbench.parsers.pdf_reading.table_columns import fill_empty_cells

CASES = Path(__file__).parent / "cases"


def case(name: str) -> str:
    path = CASES / f"{name}.pdf"
    return Pdf().parsed(path.read_bytes(), path.name, "an id", "a place").document.text


def text_of(data: bytes) -> str:
    return Pdf().parsed(data, "some.pdf", "an id", "a place").document.text


def right_aligned(text: str, right: float, top: float, *, bold: bool = False, size: float = 10) -> bytes:
    width = pymupdf.get_text_length(text, "hebo" if bold else "helv", size)
    return drawn(text, right - width, top, size, bold=bold)


def test_prose_after_a_run_in_heading_is_a_paragraph() -> None:
    text = case("c_run_in_heading")
    assert "\t" not in text
    assert text.startswith("Sample efficiency We explore how many training examples are needed")
    assert text.endswith("paragraph with a number of lines.")


def test_a_note_under_a_row_is_a_line_of_its_own() -> None:
    assert case("h_footnote_under_row").split("\n") == [
        "Sales\t70.1\t65.0",
        "Earnings\t13.8\t9.7",
        "Employees (thousands)\t127.1\t126.5",
        "(1) Attributable to the parent. (2) Amounts have been reclassified to conform to this year.",
    ]


def test_header_words_over_right_aligned_columns_are_cells() -> None:
    rows = case("i_right_aligned_header").split("\n")
    assert rows[0] == "\tLoops\tTrees\tTraces\tAborts\tFlushes"
    assert rows[1:] == [
        "3d-cube\t21\t24\t27\t30\t33",
        "3d-morph\t28\t32\t36\t40\t44",
        "access-nbody\t35\t40\t45\t50\t55",
        "crypto-aes\t42\t48\t54\t60\t66",
    ]


def test_an_empty_cell_keeps_its_tab() -> None:
    assert case("pdf_table_empty_cells") == "Part\tStock\tBin\nFuse\t\tC2\n\t7\tD1\nLamp\t112\t"


@pytest.mark.parametrize("name", ["d2_wide_table_under_columns", "d3_shifted_5pt_with_table"])
def test_a_table_under_two_columns_comes_after_both_with_its_rows_whole(name: str) -> None:
    text = case(name)
    columns, title, table = text.partition("Table 4\n")
    assert title
    assert "\t" not in columns
    # The columns' last words: they end where the right one ends.
    assert columns.rstrip().endswith(("as first ends of column", "reader on after first"))
    rows = [
        row.split("\t")
        for row in table.split("\n")
        if row.startswith(("Traralgon", "Redhill", "Pine", "Glendhu"))
    ]
    assert len(rows) == 4
    assert all(len(row) == 11 for row in rows)
    assert rows[0] == ["Traralgon Ck", *(f"{n * 1.1:.2f}" for n in range(1, 11))]


def test_two_columns_without_a_table_stay_as_they_were() -> None:
    text = case("d3_prose_only")
    assert "\t" not in text
    assert text.startswith("paper running line a as of one goes")
    assert text.endswith("ends of column")


LEFT = ["Sand is kept dry in four boxes under the seats", "of each car and is filled before every journey", "that goes over the hill, winter and summer, as",
        "the handbook says. In autumn leaves are swept", "from the rails at night, and the lines that run", "under trees are washed before the first car."]  # fmt: skip
RIGHT = ["Brakes are looked at twice a year by two men", "who sign for it. One of them drives the car and", "the other one watches the needle of the gauge.",
         "What they find is written into the book of the", "car, which lies in the depot and is read by all", "who drive it, so that nobody is surprised."]  # fmt: skip


def rows_of_a_table(top: float, places: tuple[int, ...] = (60, 200, 340, 480)) -> bytes:
    return b"".join(
        drawn(cell, left, top - 13 * i, 9)
        for i, row in enumerate([("Line", "Cars", "Trips", "Year"), ("4", "12", "310", "1998"), ("7", "9", "222", "2003"), ("11", "6", "104", "2011")])
        for cell, left in zip(row, places, strict=False)
    )  # fmt: skip


@pytest.mark.parametrize("places", [(60, 220, 300), (60, 260, 420)])
def test_a_table_of_three_columns_above_two_columns_of_text_keeps_its_rows(places: tuple[int, ...]) -> None:
    page = (
        rows_of_a_table(760, places)
        + paragraph(*LEFT, left=60, top=680)
        + paragraph(*RIGHT, left=320, top=680)
    )
    assert text_of(pdf(page)).startswith(
        "Line\tCars\tTrips\n4\t12\t310\n7\t9\t222\n11\t6\t104\n\nSand is kept dry"
    )


@pytest.mark.parametrize("shift", [0, 5])
def test_a_table_above_two_columns_comes_before_both(shift: float) -> None:
    page = rows_of_a_table(760)
    page += paragraph(*LEFT, left=60, top=680) + paragraph(*RIGHT, left=320, top=680 - shift)
    assert text_of(pdf(page)).split("\n\n") == [
        "Line\tCars\tTrips\tYear\n4\t12\t310\t1998\n7\t9\t222\t2003\n11\t6\t104\t2011",
        " ".join(LEFT),
        " ".join(RIGHT),
    ]


def test_the_title_page_of_a_paper_is_read_from_its_title_to_its_last_column() -> None:
    """A wide title, three authors side by side, then two columns, of which the left begins with a narrower abstract."""
    page = drawn("How Dry Sand Keeps Trams on Their Rails in Autumn", 90, 790, 17, bold=True)
    for i, rows in enumerate(
        zip(
            ("Ada Lind", "Depot One", "ada@depot.example"),
            ("Bo Ek", "Depot Two", "bo@depot.example"),
            ("Cy Ask", "Depot Six", "cy@depot.example"),
            strict=True,
        )
    ):
        for text, left in zip(rows, (90, 250, 410), strict=True):
            page += drawn(text, left, 755 - 12 * i)
    page += drawn("Abstract", 150, 700, 11, bold=True)
    abstract = [
        "We look at sand under the wheels of",
        "trams and find that it should be dry",
        "and that it should be sieved before.",
    ]
    page += paragraph(*abstract, left=78, top=684, size=9, leading=11)
    page += drawn("1 Introduction", 60, 630, 11, bold=True) + paragraph(*LEFT, left=60, top=612)
    page += paragraph(*RIGHT, *RIGHT[:3], left=320, top=700)
    text = text_of(pdf(page))
    wanted = [
        "How Dry Sand",
        "Ada Lind",
        "Abstract",
        "We look at sand",
        "1 Introduction",
        "Sand is kept dry",
        "Brakes are looked",
    ]
    places = [text.index(part) for part in wanted]
    assert places == sorted(places)
    assert " ".join(abstract) in text
    assert " ".join(LEFT) in text


def test_a_bold_total_with_narrow_gaps_is_a_row() -> None:
    rows = [
        ("Salaries", "812,400", "790,100"),
        ("Energy", "231,050", "214,900"),
        ("Rent", "96,000", "96,000"),
    ]
    page = b""
    for i, (name, this, last) in enumerate(rows):
        page += drawn(name, 60, 700 - 14 * i)
        page += right_aligned(this, 250, 700 - 14 * i) + right_aligned(last, 304, 700 - 14 * i)
    page += drawn("Total", 60, 658, bold=True)
    page += right_aligned("1,139,450", 250, 658, bold=True) + right_aligned("1,101,000", 304, 658, bold=True)
    assert text_of(pdf(page)).split("\n") == [
        "Salaries\t812,400\t790,100",
        "Energy\t231,050\t214,900",
        "Rent\t96,000\t96,000",
        "Total\t1,139,450\t1,101,000",
    ]


def test_a_wrapped_cell_stays_in_its_cell() -> None:
    page = b"".join(
        drawn(cell, left, 700)
        for cell, left in (("Point heater", 60), ("melts the ice in the", 200), ("12", 400))
    )
    page += drawn("night before service", 200, 688)
    page += b"".join(
        drawn(cell, left, 666) for cell, left in (("Sand box", 60), ("holds dry sand", 200), ("8", 400))
    )
    assert text_of(pdf(page)).split("\n") == [
        "Point heater\tmelts the ice in the night before service\t12",
        "Sand box\tholds dry sand\t8",
    ]


def test_a_bullet_is_no_cell() -> None:
    page = drawn("\u2022", 60, 700) + drawn("a lamp and two flags", 90, 700)
    page += drawn("\u2022", 60, 686) + drawn("chalk", 90, 686)
    assert text_of(pdf(page)).split("\n") == ["• a lamp and two flags", "• chalk"]


# ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────


def row(*cells: tuple[str, float, float], v: float) -> Line:
    text, words, boxes = "", [], []
    for cell, u0, u1 in cells:
        text += "\t" * bool(text)
        words.append((len(text), len(text) + len(cell)))
        boxes.append((u0, v - 8, u1, v + 2))
        text += cell
    spots = [(u0, u1) for _, u0, u1 in cells]
    return Line(text, spots[0][0], spots[-1][1], v, 10, False, 0, words, boxes, cells=len(cells), spots=spots)


def test_words_move_with_the_tabs_before_them() -> None:
    whole = row(("a", 0, 20), ("b", 40, 60), ("c", 80, 100), v=0)
    short = row(("x", 45, 55), ("y", 80, 90), v=12)
    filled = fill_empty_cells([whole, short])[1]
    assert filled.text == "\tx\ty"
    assert [filled.text[start:end] for start, end in filled.words] == ["x", "y"]
    assert filled.cells == 3


@pytest.mark.parametrize(
    "other",
    [
        row(("x", 0, 55), ("y", 80, 90), v=12),  # over two columns
        row(("x", 42, 48), ("y", 50, 58), v=12),  # two in one column
        row(("x", 22, 38), ("y", 80, 90), v=12),  # between two columns
    ],
)
def test_columns_that_cannot_be_told_are_left_as_they_are(other: Line) -> None:
    whole = row(("a", 0, 20), ("b", 40, 60), ("c", 80, 100), v=0)
    assert [line.text for line in fill_empty_cells([whole, other])] == ["a\tb\tc", "x\ty"]
