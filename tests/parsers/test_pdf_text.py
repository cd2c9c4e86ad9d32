"""What the text of a PDF is made of: order, lines, hyphens, letters, headers, headings, titles."""

from __future__ import annotations

import pymupdf
import pytest

from tests import documents
from tests.documents.raw_pdf import paged_pdf, stream
from tests.documents.scripts_and_layouts import (
    ARABIC_LINES,
    CHINESE_LINE,
    HEBREW_LINES,
    JAPANESE_LINE,
    KOREAN_LINE,
)
from tests.parsers.made_pdfs import drawn, paragraph, pdf, report_pdf
from workbench.parsers.pdf import Pdf
from workbench.records import ParsedFile

BODY = [
    "The depot opens at four in the morning, when the first driver takes the",
    "lamp from its hook and walks along the row of cars, counting them aloud so",
    "that nobody has to ask later which of them were there at that early hour.",
]


def parsed(data: bytes, **settings: bool) -> ParsedFile:
    return Pdf(**settings).parsed(data, "a file.pdf", "an id", "a place")


def text_of(data: bytes, **settings: bool) -> str:
    return parsed(data, **settings).document.text


def with_information(data: bytes, **metadata: str) -> bytes:
    with pymupdf.open("pdf", data) as document:
        document.set_metadata(metadata)
        return bytes(document.tobytes(no_new_id=True))


def test_left_column_is_read_before_the_right_one_and_the_heading_before_both() -> None:
    for interleaved in (True, False):
        text = text_of(documents.two_columns_pdf(interleaved=interleaved))
        assert text.startswith("A heading over both columns")
        places = [text.index(f"left line {n} of") for n in range(1, 31)]
        places += [text.index(f"right line {n} of") for n in range(1, 31)]
        assert places == sorted(places)


def test_three_columns_and_a_line_across_them_below() -> None:
    page = b"".join(
        paragraph(*(f"column {c} has line {n} here" for n in range(1, 9)), left=left, top=760)
        for c, left in ((1, 40), (2, 220), (3, 400))
    )
    # Wide lines end the columns above them: what is below is read after all three.
    page += paragraph(
        "This closing line runs over the whole width of the page, from the left edge to the right one.",
        left=40,
        top=600,
        size=11,
    )
    text = text_of(pdf(page))
    order = [f"column {c} has line {n}" for c in (1, 2, 3) for n in range(1, 9)] + ["This closing line"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_right_to_left_columns_are_read_from_the_right() -> None:
    from workbench.parsers._pdf_lines import Line
    from workbench.parsers._pdf_order import regions

    def line(text: str, u0: float, u1: float, v: float) -> Line:
        return Line(text, u0, u1, v, 10.0, False, 0, [(0, len(text))], [(u0, v - 8, u1, v)])

    words = "החשמלית יוצאת בשעה תשע מהתחנה"
    lines = [
        line(f"{words} {side}{n}", left, left + 200, 100 + 13 * n)
        for n in range(6)
        for side, left in (("R", 330), ("L", 60))
    ]
    order = [row.text[-2:] for region in regions(lines) for row in region]
    assert order == [f"R{n}" for n in range(6)] + [f"L{n}" for n in range(6)]


def test_chinese_columns_of_nine_letters_a_line_are_read_one_after_the_other() -> None:
    from workbench.parsers._pdf_lines import Line
    from workbench.parsers._pdf_order import regions

    def line(text: str, u0: float, v: float) -> Line:
        return Line(text, u0, u0 + 90, v, 10.0, False, 0, [(0, 9)], [(u0, v - 8, u0 + 90, v)])

    lines = [
        line(f"电车九点从车站{side}{n}", left, 100 + 13 * n)
        for n in range(6)
        for side, left in (("L", 60), ("R", 170))
    ]
    order = [row.text[-2:] for region in regions(lines) for row in region]
    assert order == [f"L{n}" for n in range(6)] + [f"R{n}" for n in range(6)]


def test_a_sentence_runs_on_over_the_end_of_a_column_past_its_footnote() -> None:
    left = paragraph(*[f"the left column says line {n} and no more" for n in range(12)], left=50, top=760)
    left += drawn("1 A note below the column, set in smaller type", 50, 560, 7)
    right = paragraph(*[f"the right column has line {n} and goes on" for n in range(12)], left=320, top=760)
    text = text_of(pdf(left + right))
    assert "line 11 and no more the right column has line 0" in text
    assert text.endswith("1 A note below the column, set in smaller type")


def test_wrapped_lines_are_one_line_and_paragraphs_are_apart() -> None:
    page = paragraph(*BODY, top=700) + paragraph(*BODY, top=630)
    assert text_of(pdf(page)) == " ".join(BODY) + "\n\n" + " ".join(BODY)


def test_an_indented_first_line_begins_a_paragraph() -> None:
    page = paragraph(*BODY, top=700) + drawn(BODY[0], 75, 661) + paragraph(*BODY[1:], top=648)
    assert text_of(pdf(page)) == " ".join(BODY) + "\n\n" + " ".join(BODY)


def test_lists_and_rows_of_tables_keep_their_lines() -> None:
    text = text_of(report_pdf())
    assert "• a lamp and two flags\n• the key for the points\n• chalk" in text
    assert "Car\tSand\tYear\n41\t12 kg\t1998\n42\t9 kg\t2003" in text


def test_items_with_long_roman_numbers_in_brackets_keep_their_lines() -> None:
    items = [f"({number}) a lamp and two flags, which every car has" for number in ("xvii", "xviii", "xix")]
    assert text_of(pdf(paragraph(*items))) == "\n".join(items)


def test_a_table_of_long_cells_is_read_by_its_rows() -> None:
    kept = [
        ("What is stored", "For how long it is kept"),
        ("Season ticket, name and picture", "Three months after it has expired"),
        ("Refund claims and payments", "Six years, as the law on taxes demands"),
        ("Fines that have been paid", "Twelve months after the payment"),
    ]
    page = paragraph(*(name for name, _ in kept), left=60) + paragraph(*(time for _, time in kept), left=300)
    assert text_of(pdf(page)) == "\n".join("\t".join(row) for row in kept)


def test_a_cell_of_several_lines_is_one_cell_of_its_row() -> None:
    page = (
        drawn("Item", 60, 700)
        + drawn("What was done", 130, 700)
        + drawn("Paid by", 350, 700)
        + drawn("Roof", 60, 680)
        + paragraph(
            "A membrane over the whole hall, as the",
            "old one was patched and not war-",
            "ranted",
            left=130,
            top=680,
            leading=12,
        )
        + paragraph("Insurance, less", "the excess", left=350, top=680, leading=12)
        + paragraph("Brine", "plant", top=636, leading=12)
        + drawn("A tank and a pump", 130, 636)
        + drawn("Own budget", 350, 636)
    )
    found = parsed(pdf(page))
    assert found.document.text.split("\n") == [
        "Item\tWhat was done\tPaid by",
        "Roof\tA membrane over the whole hall, as the old one was patched and not war-ranted\tInsurance, less the excess",
        "Brine plant\tA tank and a pump\tOwn budget",
    ]
    # Each word is where it was printed, also the second line of a cell.
    start = found.document.text.index("the excess")
    (box,) = found.layout.rectangles(start, start + len("the excess"))
    assert box.x0 == pytest.approx(350, abs=1)
    assert box.y0 < 842 - 668 < box.y1 + 3


def test_cells_that_are_centred_from_top_to_bottom_are_one_row() -> None:
    page = (
        drawn("Device", 60, 716)
        + drawn("What it is for", 150, 716)
        + drawn("Price", 400, 716)
        + drawn("Printer", 60, 690)
        + paragraph("For two trays and large offices, with", "a duplex unit", left=150, top=696, leading=12)
        + drawn("1,200.00", 400, 690)
        + paragraph("Scanner with", "document", "feeder", top=666, leading=12)
        + drawn("Reads both sides of a page", 150, 654)
        + paragraph("480.00 or", "20.00 a month", left=400, top=660, leading=12)
    )
    found = parsed(pdf(page + paragraph("All prices are without tax.", top=600)))
    assert found.document.text.split("\n") == [
        "Device\tWhat it is for\tPrice",
        "Printer\tFor two trays and large offices, with a duplex unit\t1,200.00",
        "Scanner with document feeder\tReads both sides of a page\t480.00 or 20.00 a month",
        "",
        "All prices are without tax.",
    ]
    start = found.document.text.index("feeder")
    (box,) = found.layout.rectangles(start, start + len("feeder"))
    assert box.x0 == pytest.approx(60, abs=1)
    assert box.y0 < 842 - 642 < box.y1


def test_rows_beside_a_cell_that_spans_them_stay_rows() -> None:
    page = drawn("North", 60, 686)
    page += paragraph("Hamburg", "Bremen", "Kiel", left=150, top=698, leading=12)
    page += paragraph("1,200", "300", "45", left=300, top=698, leading=12)
    assert text_of(pdf(page)).split("\n") == ["\tHamburg\t1,200", "North\tBremen\t300", "\tKiel\t45"]


def test_rows_with_empty_cells_stay_rows() -> None:
    rows = [("Roof", "Membrane"), (None, "Gutter"), ("Posts", "Cables"), (None, "Cooling")]
    page = b"".join(
        (drawn(name, 60, 700 - 14 * i) if name else b"") + drawn(part, 200, 700 - 14 * i)
        for i, (name, part) in enumerate(rows)
    )
    assert text_of(pdf(page)).split("\n") == ["Roof\tMembrane", "Gutter", "Posts\tCables", "Cooling"]


def test_cells_with_little_between_them_are_told_by_those_above_and_below() -> None:
    page = paragraph("Poles", "Brine", top=700) + paragraph("412,000", "58,200", left=200, top=700)
    page += paragraph("Own", "Energy fund", left=260, top=700)
    page += drawn("Roof", 60, 674) + drawn("41,000,000", 200, 674) + drawn("Insurance", 260, 674)
    assert text_of(pdf(page)).split("\n")[-1] == "Roof\t41,000,000\tInsurance"


def right_aligned(text: str, right: float, top: float, font: str = "helv") -> bytes:
    return drawn(text, right - pymupdf.get_text_length(text, font, 10), top, bold=font == "hebo")


def test_columns_of_figures_are_told_by_where_they_end() -> None:
    rows = [("12", "120.00", "1,440.00"), ("1", "75.00", "75.00"), ("", "Subtotal", "1,515.00")]
    page = drawn("Consulting", 60, 700) + drawn("Travel", 60, 684)
    for i, cells in enumerate(rows):
        for right, cell in zip((250, 290, 336), cells, strict=True):
            page += right_aligned(cell, right, 700 - 16 * i)
    page += right_aligned("Total", 290, 652, "hebo") + right_aligned("1,515.00", 336, 652, "hebo")
    found = parsed(pdf(page))
    assert found.document.text.split("\n") == [
        "Consulting\t12\t120.00\t1,440.00",
        "Travel\t1\t75.00\t75.00",
        "\t\tSubtotal\t1,515.00",
        "\t\tTotal\t1,515.00",
    ]
    assert not found.document.headings


def test_the_wide_blanks_of_typewriters_divide_no_cells() -> None:
    page = drawn("--a", 60, 700) + drawn("the syntax", 108, 700) + drawn("--b and the file, both", 60, 688)
    courier = b"/F1 <</Type/Font/Subtype/Type1/BaseFont/Courier/Encoding/WinAnsiEncoding>>"
    text = text_of(paged_pdf([stream(page)], fonts=courier))
    assert text == "--a\tthe syntax\n--b and the file, both"


def test_a_heading_below_columns_and_above_wide_text_comes_after_both_columns() -> None:
    wide = "This closing line runs over the whole width of the page, from the left edge to the right one, and on."
    sides = [
        [f"the {side} side says line {n} and then it goes on to" for n in range(6)]
        for side in ("left", "right")
    ]
    page = b"".join(
        paragraph(*lines, left=left, top=760) for lines, left in zip(sides, (50, 320), strict=True)
    )
    page += drawn("2 What follows", 50, 660, 13, bold=True)
    for below in (b"", drawn("Item", 50, 640) + drawn("Cost and who paid it", 320, 640)):
        text = text_of(pdf(page + below + paragraph(wide, wide, left=50, top=620)))
        assert (
            text.index("right side says line 5") < text.index("2 What follows") < text.index("This closing")
        )


def test_a_table_below_columns_at_the_end_of_a_page_is_read_by_its_rows() -> None:
    sides = [
        [f"the {side} side says line {n} and then it goes on to" for n in range(6)]
        for side in ("left", "right")
    ]
    page = b"".join(
        paragraph(*lines, left=left, top=760) for lines, left in zip(sides, (50, 320), strict=True)
    )
    page += drawn("Berths", 50, 660, 13, bold=True)
    cells = [
        ("Berth", "Load", "Depth", "State"),
        ("1", "113 t", "7.5 m", "open"),
        ("2", "226 t", "15.0 m", "closed"),
    ]
    page += b"".join(
        drawn(text, left, 640 - 16 * row)
        for row, texts in enumerate(cells)
        for text, left in zip(texts, (50, 150, 320, 450), strict=True)
    )
    found = text_of(pdf(page))
    assert found.index("right side says line 5") < found.index("Berths")
    assert "Berth\tLoad\tDepth\tState\n1\t113 t\t7.5 m\topen\n2\t226 t\t15.0 m\tclosed" in found


def test_a_sentence_over_a_page_end_stays_findable() -> None:
    found = parsed(report_pdf()).document
    assert "every car that goes through the\ntunnel carries two." in found.text
    assert found.text[found.pages[1].start :].startswith("tunnel carries two")


def test_a_word_cut_by_a_page_end_is_whole_and_lies_on_both_pages() -> None:
    found = parsed(
        pdf(
            paragraph(*BODY[:2], "the rails were greased with a com-", top=200),
            paragraph("position of tallow.", top=760),
        )
    )
    text, pages = found.document.text, found.document.pages
    start = text.index("composition")
    assert pages[1].start == start + len("com")
    assert {box.page for box in found.layout.rectangles(start, start + len("composition"))} == {1, 2}


@pytest.mark.parametrize(
    "above, below, joined",
    [
        ("the rule on classi-", "fication of cars", "classification"),
        ("to ask for re-", "entry at night", "re-entry"),
        ("a self-", "taught driver", "self-taught"),
        ("a self-", "ish driver", "selfish"),
        ("it was a well-", "known car", "well-known"),
        ("the crew's well-", "ness room", "wellness"),
        ("the well-", "being, or wellbeing", "wellbeing"),
        ("no non-", "sense", "nonsense"),
        ("for ex-", "ample a lamp", "example"),
        ("an ex-", "driver, and an ex-driver", "ex-driver"),
        ("cars twenty-", "four to thirty", "twenty-four"),
        ("of the Anglo-", "Saxon kind", "Anglo-Saxon"),
        ("in the years 1998-", "2003 as before", "1998-2003"),
        ("state-of-the-", "art the lamp", "state-of-the-art"),
        ("a long-", "term plan, long-term it was", "long-term"),
        ("the soft sa\xad", "fety rule", "safety"),
    ],
)
def test_hyphens_at_line_ends(above: str, below: str, joined: str) -> None:
    page = paragraph(f"the art of words stands here in full, and then comes {above}", below, top=700)
    text = text_of(pdf(page))
    assert joined in text
    assert "\xad" not in text


def test_hyphens_at_line_ends_may_be_kept_as_printed() -> None:
    text = text_of(documents.ligatures_and_hyphens_pdf(), join_hyphens=False)
    assert "sa-\nfety" in text
    assert "official" in text


def test_a_hyphen_that_is_kept_has_its_box() -> None:
    found = parsed(pdf(paragraph("and then came the well-", "known car of the line", top=700)))
    text, layout = found.document.text, found.layout
    start = text.index("well-known")
    assert [box.y0 for box in layout.rectangles(start, start + 5)] < [
        box.y0 for box in layout.rectangles(start + 5, start + 10)
    ]
    words = [text[a:b] for a, b in zip(layout.starts, layout.ends, strict=True)]
    assert words[words.index("well-") + 1] == "known"


def test_a_joined_word_has_a_box_on_each_of_its_lines() -> None:
    found = parsed(documents.ligatures_and_hyphens_pdf())
    start = found.document.text.index("safety")
    boxes = found.layout.rectangles(start, start + len("safety"))
    assert len(boxes) == 2
    assert boxes[0].y1 <= boxes[1].y0 + 3
    inside = (found.layout.starts >= start) & (found.layout.ends <= start + len("safety"))
    words = [
        found.document.text[a:b]
        for a, b in zip(found.layout.starts[inside], found.layout.ends[inside], strict=True)
    ]
    assert words == ["sa", "fety"]


def test_hebrew_and_arabic_are_in_logical_order() -> None:
    hebrew, arabic = text_of(documents.hebrew_pdf()), text_of(documents.arabic_pdf())
    assert all(line in hebrew for line in HEBREW_LINES)
    assert all(line in arabic for line in ARABIC_LINES)


def test_hebrew_that_browsers_print_word_by_word_is_in_logical_order() -> None:
    found = parsed(documents.hebrew_by_chromium_pdf())
    assert found.document.text == f"{HEBREW_LINES[0]} 1200"
    first, *_ = HEBREW_LINES[0].split()
    (box,) = found.layout.rectangles(0, len(first))
    assert (box.x0, box.x1) == pytest.approx((282, 341), abs=1)


def test_chinese_japanese_and_korean_are_kept_and_boxed_by_letter() -> None:
    found = parsed(documents.chinese_japanese_korean_pdf())
    text = found.document.text
    assert all(line in text for line in (CHINESE_LINE, JAPANESE_LINE, KOREAN_LINE))
    start = text.index("九時")
    (box,) = found.layout.rectangles(start, start + 2)
    assert 20 < box.x1 - box.x0 < 28


def test_chinese_lines_are_joined_without_a_blank() -> None:
    with pymupdf.open() as document:
        document.new_page().insert_htmlbox((50, 50, 250, 500), f"<p>{CHINESE_LINE * 4}</p>")
        data = bytes(document.tobytes())
    assert text_of(data).replace(" ", "") == text_of(data) == CHINESE_LINE * 4


def test_letters_that_cannot_be_seen_are_left_out_and_told() -> None:
    found = parsed(documents.control_characters_pdf())
    assert found.document.text == "safesound"
    assert found.warnings == (
        "Not readable: page 1; the fonts do not say what more than a fifth of the characters is. "
        "OCR (text recognition) helps.",
        "4 characters were left out because the file does not say which they are.",
    )
    assert found.failed_pages == (1,)
    assert found.document.title.isprintable()


def test_running_headers_and_footers_can_be_left_out() -> None:
    data = documents.repeated_headers_pdf()
    assert text_of(data).count("Rule Book") == text_of(data).count(" of 6") == 6
    text = text_of(data, remove_repeated=True)
    assert "Rule Book" not in text
    assert " of 6" not in text
    assert text.count("is about") == text.count("look after") == 6


def test_a_file_of_nothing_but_repeated_lines_is_kept() -> None:
    found = parsed(documents.n_pages_pdf(8), remove_repeated=True)
    assert "Page 7 of 8." in found.document.text
    assert any("nothing was left out" in warning for warning in found.warnings)


def test_a_footnote_mark_is_no_part_of_its_word_but_an_exponent_is() -> None:
    page = drawn("was measured twice", 60, 700) + drawn("3", 145, 700, 6, rise=4) + drawn("here", 152, 700)
    page += drawn("over 12 km", 60, 660) + drawn("2", 110, 660, 6, rise=4)
    text = text_of(pdf(page))
    assert "twice 3 here" in text
    assert "12 km2" in text


def test_headings_by_size_and_weight() -> None:
    document = parsed(report_pdf()).document
    assert [(document.text[h.start : h.end], h.level) for h in document.headings] == [
        ("On the Care of Trams", 1),
        ("1 Daily work", 2),
        ("2 What is carried", 2),
        ("3 Notes", 2),
    ]


def test_headings_by_the_outline_where_it_fits_the_pages() -> None:
    with pymupdf.open("pdf", report_pdf()) as made:
        made.set_toc([[1, "Daily work", 1], [2, "What is carried", 1], [1, "Notes", 2]])
        data = bytes(made.tobytes())
    document = parsed(data).document
    assert [(document.text[h.start : h.end], h.level) for h in document.headings] == [
        ("1 Daily work", 1),
        ("2 What is carried", 2),
        ("3 Notes", 1),
    ]
    with pymupdf.open("pdf", report_pdf()) as made:
        made.set_toc([[1, "Scan 0001", 1], [1, "Scan 0002", 2], [1, "Notes", 2]])
        data = bytes(made.tobytes())
    assert len(parsed(data).document.headings) == 4


@pytest.mark.parametrize(
    "given, title",
    [
        ("Tram Care", "Tram Care"),
        ("Microsoft Word - Tram Care", "On the Care of Trams"),
        ("Microsoft Word – Bericht", "On the Care of Trams"),
        ("tram_care_2", "On the Care of Trams"),
        ("Microsoft Word - final_v3.docx", "On the Care of Trams"),
        ("untitled", "On the Care of Trams"),
        ("", "On the Care of Trams"),
    ],
)
def test_title_is_the_files_own_if_it_is_one(given: str, title: str) -> None:
    assert parsed(with_information(report_pdf(), title=given)).document.title == title


@pytest.mark.parametrize(
    "top, title",
    [
        ([("Überblick über die Straßenbahn", 60, 780), ("1. Mai 2024", 420, 780)], "Überblick über die Straßenbahn"),
        ([("1", 60, 780), ("Überblick", 120, 780)], "1 Überblick"),
        (
            [("Betriebs-", 60, 810), ("ordnung", 60, 787), ("der Bahn", 60, 764), ("Lindau", 60, 741)],
            "Betriebsordnung der Bahn Lindau",
        ),
        ([("19", 60, 780), ("20", 120, 780)], "Größe"),
    ],
)  # fmt: skip
def test_title_is_what_is_set_largest_even_where_it_is_no_heading(
    top: list[tuple[str, int, int]], title: str
) -> None:
    page = b"".join(drawn(said, left, at, 20, bold=True) for said, left, at in top)
    page += paragraph(*BODY, top=700) + drawn("Größe", 60, 600, 14, bold=True) + paragraph(*BODY, top=580)
    assert parsed(pdf(page)).document.title == title


def test_title_is_what_stands_above_the_chapters_of_the_outline() -> None:
    with pymupdf.open("pdf", report_pdf()) as made:
        made.set_toc([[1, "Daily work", 1], [1, "What is carried", 1], [1, "Notes", 2]])
        data = bytes(made.tobytes())
    document = parsed(data).document
    assert document.title == "On the Care of Trams"
    assert document.text[document.headings[0].start :].startswith("1 Daily work")


def test_a_number_set_apart_belongs_to_its_heading() -> None:
    page = paragraph(*BODY, top=700) + drawn("2.1", 60, 600, 14) + drawn("Sand", 120, 600, 14)
    page += paragraph(*BODY, top=580)
    document = parsed(pdf(page)).document
    assert [document.text[h.start : h.end] for h in document.headings] == ["2.1\tSand"]


def test_title_is_the_files_name_when_nothing_else_is_known() -> None:
    assert (
        Pdf().parsed(documents.plain_pdf(), "../my plan.pdf", "an id", "a place").document.title == "my plan"
    )


def test_text_printed_twice_at_one_place_is_read_once() -> None:
    page = drawn("Bold by printing twice.", 60, 700) + drawn("Bold by printing twice.", 60.2, 700)
    assert text_of(pdf(page)).count("twice") == 1


def test_text_outside_of_the_displayed_page_is_left_out() -> None:
    with pymupdf.open("pdf", pdf(drawn("inside", 200, 400) + drawn("crop mark", 5, 5))) as made:
        made[0].set_cropbox(pymupdf.Rect(100, 100, 500, 700))
        data = bytes(made.tobytes())
    found = parsed(data)
    assert found.document.text == "inside"
    assert found.document.pages[0].width == 400


def test_text_that_runs_up_the_page_comes_after_the_rest() -> None:
    side = b"BT /F1 10 Tf 0 1 -1 0 30 200 Tm (printed along the edge) Tj ET\n"
    found = parsed(pdf(side + paragraph(*BODY, top=700)))
    assert found.document.text.endswith("\n\nprinted along the edge")
    start = found.document.text.index("printed")
    (box,) = found.layout.rectangles(start, len(found.document.text))
    assert box.y1 - box.y0 > 3 * (box.x1 - box.x0)
