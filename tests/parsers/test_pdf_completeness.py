"""Nothing of a page is lost in silence: letters are counted before and after, and what is missing is told."""

from __future__ import annotations

import random
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import documents
from tests.documents.raw_pdf import paged_pdf, stream
from tests.parsers.made_pdfs import drawn, flattened_text_page, paragraph, pdf, report_pdf
from workbench.errors import InputError
from workbench.parsers import _pdf_lines
from workbench.parsers.pdf import Pdf
from workbench.parsers.pdf_reading.letter_counts import count_letters
from workbench.records import PageLetters, ParsedFile

CASES = Path(__file__).parent / "cases"
SAMPLES = sorted((Path(__file__).parents[2] / "data/samples").glob("*.pdf"))
MADE = {
    "arabic": documents.arabic_pdf,
    "chinese_japanese_korean": documents.chinese_japanese_korean_pdf,
    "control_characters": documents.control_characters_pdf,
    "hebrew": documents.hebrew_pdf,
    "hebrew_by_chromium": documents.hebrew_by_chromium_pdf,
    "ligatures_and_hyphens": documents.ligatures_and_hyphens_pdf,
    "repeated_headers": documents.repeated_headers_pdf,
    "report": report_pdf,
    "rotated_pages": documents.rotated_pages_pdf,
    "two_columns": documents.two_columns_pdf,
}


def case(name: str, **settings: bool) -> ParsedFile:
    path = CASES / f"{name}.pdf"
    return Pdf(**settings).parsed(path.read_bytes(), path.name, "an id", "a place")


def parsed(data: bytes, **settings: bool) -> ParsedFile:
    return Pdf(**settings).parsed(data, "some.pdf", "an id", "a place")


# ── letters ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_begins_with_a_control_character_ends_no_page() -> None:
    found = case("a2_type3_tex")
    assert found.document.text.split("\n\n") == [
        "The first line is read as usual.",
        "A quoted line begins with code 16 of a bitmap font of TeX.",
        "Third line is lost.",
        "Everything below is lost, too.",
        "Also this.",
    ]
    assert found.letters == (PageLetters(1, 117, 117),)
    assert found.warnings == ("2 characters were left out because the file does not say which they are.",)


def complete_or_noted(found: ParsedFile) -> None:
    noted = " ".join(found.warnings)
    for page in found.letters:
        if page.is_short:
            assert f"Page {page.page}: {page.kept:,} of {page.on_page:,} letters" in noted


@pytest.mark.parametrize("name", sorted(MADE))
@pytest.mark.parametrize("remove_repeated", [False, True])
def test_no_made_page_is_short_without_a_note(name: str, remove_repeated: bool) -> None:
    found = parsed(MADE[name](), remove_repeated=remove_repeated)
    assert len(found.letters) == len(found.document.pages)
    assert not found.short_pages
    complete_or_noted(found)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_letter_of_the_samples_is_in_the_text(path: Path) -> None:
    found = parsed(path.read_bytes())
    assert [(page.kept, page.on_page) for page in found.letters] == [
        (page.on_page, page.on_page) for page in found.letters
    ]
    # Counted independently: all that PyMuPDF gives, page by page.
    with pymupdf.open(path) as document:
        letters = [sum(map(str.isalnum, page.get_text(flags=_pdf_lines._FLAGS))) for page in document]
    on_purpose = [
        sum(count_letters(text.text) for text in found.omitted if text.box.page == page.page)
        for page in found.letters
    ]
    assert [page.on_page + less for page, less in zip(found.letters, on_purpose, strict=True)] == letters


@given(st.lists(st.text("ab \x01\x0f\x10\x1fé(", min_size=1, max_size=12), min_size=1, max_size=8))
def test_control_characters_anywhere_lose_no_letter(lines: list[str]) -> None:
    """A font without ToUnicode whose codes are its characters: what dvips makes of TeX's bitmap fonts."""
    content = b"".join(
        b"BT /F1 10 Tf 1 0 0 1 60 %d Tm <%b> Tj ET\n" % (700 - 20 * i, line.encode("latin-1").hex().encode())
        for i, line in enumerate(lines)
    )
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 50 50]/FontMatrix[.02 0 0 .02 0 0]/FirstChar 0/LastChar 255/Widths["
        + b"30 " * 256
        + b"]/CharProcs<<>>/Resources<<>>/Encoding<</Type/Encoding/Differences[0 "
        + b"".join(b"/a%d" % code for code in range(256))
        + b"]>>>>"
    )
    data = paged_pdf([stream(content)], fonts=b"/F1 " + font)
    letters = sum(letter.isalnum() for line in lines for letter in line)
    try:
        found = parsed(data)
    except InputError as error:
        found, status = None, error.status
    if found is None:
        assert status == "no_text"
        return
    page = found.letters[0]
    assert page.kept == page.on_page
    assert page.kept == letters - sum(count_letters(text.text) for text in found.omitted)


def test_lines_whose_numbers_do_not_fit_are_matched_by_their_text() -> None:
    def line(text: str, y: float) -> dict[str, object]:
        box = (10.0, y, 90.0, y + 10)
        span = {"text": text, "size": 10.0, "flags": 0, "font": "F", "origin": (10.0, y + 8), "bbox": box}
        return {"spans": [span], "dir": (1.0, 0.0), "bbox": box}

    def word(text: str, y: float, number: int) -> tuple[object, ...]:
        return (10.0, y, 40.0, y + 10, text, 0, number, 0)

    # The words know a line between the two that the other list leaves out, and miss the last one.
    blocks = [{"number": 0, "lines": [line("first", 0), line("second", 20), line("last", 40)]}]
    words = [word("first", 0, 0), word("between", 10, 1), word("second", 20, 2)]
    found = list(_pdf_lines._matched(blocks, words))
    assert sorted(raw for raw, *_ in found) == ["between", "first", "last", "second"]
    assert {raw: group[0][4] for raw, *_, group in found} == {
        "between": "between", "first": "first", "last": "last", "second": "second"
    }  # fmt: skip


def test_a_page_that_falls_short_is_named_with_both_figures() -> None:
    found = parsed(pdf(paragraph("one two three"), flattened_text_page()))
    assert found.letters == (PageLetters(1, 11, 11), PageLetters(2, 19, 46))
    assert found.short_pages == found.letters[1:]
    assert found.warnings == ("Page 2: 19 of 46 letters are in the text; the rest is missing.",)
    complete_or_noted(found)


def test_of_many_pages_that_fall_short_the_first_are_named_and_the_rest_is_summed_up() -> None:
    found = parsed(pdf(*[flattened_text_page()] * 11))
    assert len(found.warnings) == 9
    assert found.warnings[-1] == "On 3 more pages, 57 of 138 letters are in the text: pages 9, 10, 11."


def test_what_is_left_out_on_purpose_counts_on_neither_side() -> None:
    kept = parsed(documents.repeated_headers_pdf())
    found = parsed(documents.repeated_headers_pdf(), remove_repeated=True)
    assert found.omitted
    assert {text.reason for text in found.omitted} == {"header or footer"}
    for page, whole in zip(found.letters, kept.letters, strict=True):
        headers = sum(count_letters(text.text) for text in found.omitted if text.box.page == page.page)
        assert headers > 0
        assert (page.kept, page.on_page) == (whole.kept - headers, whole.on_page - headers)


def test_text_drawn_several_times_to_look_bold_is_read_once() -> None:
    found = case("e_fake_bold")
    assert found.document.text == "Annual report of the tramway company\n\nThe tram runs every ten minutes."
    assert [(text.text, text.reason) for text in found.omitted] == [
        ("Annual report of the tramway company", "printed twice at one place")
    ] * 3
    assert found.letters == (PageLetters(1, 57, 57),)


@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_where_the_second_drawing_lies_within_a_point_does_not_matter(right: float, up: float) -> None:
    page = drawn("Tram depot", 60, 700, 12) + drawn("Tram depot", 60 + right, 700 + up, 12)
    assert parsed(pdf(page)).document.text == "Tram depot"


def test_thousands_of_equal_lines_at_other_places_are_all_read() -> None:
    page = b"".join(drawn("x", 20 + 7 * (i % 80), 820 - 8 * (i // 80), 6) for i in range(4000))
    (letters,) = parsed(pdf(page)).letters
    assert (letters.kept, letters.on_page) == (4000, 4000)


def test_equal_figures_in_neighbouring_cells_are_no_second_drawing() -> None:
    page = b"".join(drawn("7", left, top) for left in (60, 100, 140) for top in (700, 686))
    assert parsed(pdf(page)).document.text == "7\t7\t7\n7\t7\t7"


# ── pages that cannot be read ────────────────────────────────────────────────────────────────────────────────────


def refusal(name: str) -> InputError:
    with pytest.raises(InputError) as caught:
        case(name)
    return caught.value


def test_fonts_that_explain_nothing_make_no_text() -> None:
    error = refusal("b_type3_no_unicode")
    assert error.status == "no_text"
    assert "its fonts do not say which letters they draw" in str(error)


def test_a_page_of_glyph_codes_among_others_is_listed_and_its_note_says_so() -> None:
    with pymupdf.open(CASES / "b_type3_no_unicode.pdf") as codes, pymupdf.open("pdf", report_pdf()) as whole:
        whole.insert_pdf(codes)
        data = bytes(whole.tobytes())
    found = parsed(data)
    assert found.failed_pages == (3,)
    assert any(
        warning.startswith("Not readable: page 3; ") and "OCR" in warning for warning in found.warnings
    )


def test_a_page_with_a_fifth_of_its_characters_unknown_is_listed_as_not_readable() -> None:
    found = parsed(documents.control_characters_pdf())
    assert found.failed_pages == (1,)
    assert "Not readable: page 1" in found.warnings[0]


def test_figures_in_fonts_that_explain_nothing_are_no_glyph_codes() -> None:
    random_figures = random.Random(7)
    lines = [" ".join(f"{random_figures.random() * 1000:.1f}" for _ in range(9)) for _ in range(20)]
    assert not parsed(pdf(paragraph(*lines))).failed_pages


def test_blank_pages_and_drawings_are_called_that() -> None:
    assert str(refusal("f_blank")) == "nothing is written in f_blank.pdf: its only page is blank"
    assert "holds only drawings and no text" in str(refusal("g_vector_only"))
    assert refusal("f_blank").status == refusal("g_vector_only").status == "no_text"


def test_each_kind_of_page_without_text_is_told_apart() -> None:
    square = b"50 50 100 100 re f\n"
    found = parsed(pdf(paragraph("Some words."), b"", square, b"", paragraph("More words.")))
    assert found.empty_pages == (2, 3, 4)
    assert found.warnings == (
        "2 of 5 pages are blank: pages 2, 4.",
        "1 of 5 pages shows only a drawing: page 3.",
    )


def test_a_form_that_only_says_to_wait_is_flagged() -> None:
    notice = paragraph(
        "Please wait...",
        "If this message is not eventually replaced by the proper contents of the document,",
        "your PDF viewer may not be able to display this type of document. Get Adobe Reader.",
    )
    with pymupdf.open("pdf", pdf(notice)) as made:
        form = made.get_new_xref()
        made.update_object(form, "<</Fields[]/XFA(<xdp/>)>>")
        made.xref_set_key(made.pdf_catalog(), "AcroForm", f"{form} 0 R")
        data = bytes(made.tobytes())
    found = parsed(data)
    assert found.failed_pages == (1,)
    assert any("XFA" in warning for warning in found.warnings)
    assert not parsed(pdf(notice)).failed_pages


# ── letters that stand apart ─────────────────────────────────────────────────────────────────────────────────────


def test_words_after_letters_for_which_mupdf_finds_no_blank_are_told_apart() -> None:
    """Vietnamese as TeX sets it, without blanks: "sử dụng ở đây" in a font that says which letters it draws."""
    words = ["sử", "dụng", "ở", "đây", "thế"]
    assert parsed(documents.set_apart_pdf(words)).document.text == " ".join(words)


def test_a_letter_of_a_formula_and_the_word_after_it_are_told_apart() -> None:
    words = ["function", "\U0001d453", "with", "values", "\U0001d465", "and"]
    found = parsed(documents.set_apart_pdf(words, a_font_each=True))
    assert found.document.text == " ".join(words)


def test_a_footnote_sign_after_a_year_stays_apart() -> None:
    assert case("pdf_footnote_after_year").document.text == "The line opened in 1911 2 and closed in 1968."


def test_the_exponent_of_a_number_or_unit_is_no_footnote_sign() -> None:
    end = 60 + pymupdf.get_text_length("area of 12 km", "helv", 10)
    page = drawn("area of 12 km", 60, 700) + drawn("2", end, 700, 6, rise=4)
    assert "12 km2" in parsed(pdf(page)).document.text


@pytest.mark.parametrize("gap", [80, 100, 140, 300])
def test_words_that_touch_on_a_tight_line_are_told_apart(gap: int) -> None:
    words = [b"The", b"quick", b"brown", b"fox", b"jumps", b"over", b"the", b"lazy", b"dogs"]
    line = (b")-%d(" % gap).join(words)
    page = b"BT /F1 10 Tf 1 0 0 1 60 700 Tm [(%b)] TJ ET\n" % line
    assert parsed(pdf(page)).document.text == b" ".join(words).decode()


def test_letters_that_are_spaced_out_stay_one_word() -> None:
    line = b")-120(".join([b"%c" % letter for letter in b"Introductionsandmorewords"])
    page = b"BT /F1 10 Tf 1 0 0 1 60 700 Tm [(%b)] TJ ET\n" % line
    assert parsed(pdf(page)).document.text == "Introductionsandmorewords"


def test_an_address_broken_at_a_line_end_keeps_its_hyphen() -> None:
    page = paragraph(
        "The table of all fares is kept at https://trams.example/fares/day-",
        "tickets and the daytickets are sold at every stop of the line when the day be-",
        "gins.",
    )
    text = parsed(pdf(page)).document.text
    assert "https://trams.example/fares/day-tickets" in text
    assert "when the day begins." in text
