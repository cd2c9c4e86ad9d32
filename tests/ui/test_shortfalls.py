"""What of a file is not in its text, in sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.parsers.pdf_reading.notes import file_notes, letter_notes
from workbench.records import Document, Layout, Page, PageLetters, ParsedFile
from workbench.ui.documents.shortfalls import (
    file_sentences,
    list_note,
    page_sentence,
    short_page_numbers,
)
from workbench.ui.widgets.highlighted_text import title_and_name

WHOLE = ParsedFile(Document("id", "text", (), "", ""), Layout.empty())
SHORT = replace(
    WHOLE,
    failed_pages=(9,),
    letters=(PageLetters(2, 1000, 1014), PageLetters(3, 812, 1014), PageLetters(4, 0, 1)),
)


def test_a_page_that_fell_short_says_how_much_of_it_is_there() -> None:
    assert page_sentence(SHORT, 3) == ("Page 3: 812 of 1,014 letters are in the text; the rest is missing.")
    assert page_sentence(SHORT, 9) == "Page 9 could not be read: nothing of it is in the text."
    assert page_sentence(SHORT, 4).startswith("Page 4: 0 of 1 letter is")


def test_a_page_whose_fonts_explain_nothing_has_text_that_cannot_be_read() -> None:
    document = Document("id", "7KLV LV WH[W", (Page(1, 0, 12),), "", "")
    codes = replace(WHOLE, document=document, failed_pages=(1,))
    assert page_sentence(codes, 1) == (
        "Page 1 is not readable: what it has for text makes no words. The notes above say why."
    )


def test_a_page_of_which_nearly_all_is_there_says_nothing() -> None:
    assert page_sentence(SHORT, 2) == page_sentence(SHORT, 1) == page_sentence(WHOLE, 3) == ""


def test_the_page_and_the_notes_of_a_pdf_say_the_same_in_the_same_words() -> None:
    assert letter_notes(SHORT.letters) == [page_sentence(SHORT, 3), page_sentence(SHORT, 4)]
    cut_off = replace(WHOLE, incomplete="the file was cut off")
    notes = file_notes(cut_off.incomplete, is_repaired=True, is_xfa_notice=False)
    assert [text for text, _ in file_sentences(cut_off)] == notes
    told = replace(cut_off, warnings=tuple(notes))
    assert file_sentences(told) == file_sentences(cut_off)


def test_pages_that_fell_short_and_those_that_could_not_be_read_are_marked() -> None:
    assert short_page_numbers(SHORT) == [3, 4, 9]
    assert short_page_numbers(WHOLE) == []


def test_a_file_that_is_not_whole_says_so_once_and_first() -> None:
    cut_off = replace(WHOLE, incomplete="the file was cut off", warnings=("page 2 holds a picture",))
    assert file_sentences(cut_off) == [
        ("The file is incomplete: the file was cut off.", "warning"),
        ("Page 2 holds a picture", "info"),
    ]
    told = replace(cut_off, warnings=("page 2 holds a picture", "the file was cut off after page 3"))
    assert file_sentences(told) == [
        ("The file was cut off after page 3", "warning"),
        ("Page 2 holds a picture", "info"),
    ]
    assert file_sentences(WHOLE) == []


@pytest.mark.parametrize(
    ("warnings", "incomplete", "is_short", "note"),
    [
        ((), "", False, ""),
        (("page 2 holds a picture",), "", False, "page 2 holds a picture"),
        (("page 3 fell short",), "", True, "⚠ page 3 fell short"),
        (("Page 3 is blank.", "Page 4 is damaged."), "", False, "Page 3 is blank; Page 4 is damaged."),
        ((), "", True, "⚠ letters are missing"),
        ((), "the file was cut off", True, "⚠ the file was cut off"),
        (
            ("the file was cut off after page 3",),
            "the file was cut off",
            False,
            "⚠ the file was cut off after page 3",
        ),
    ],
)
def test_the_list_marks_what_is_missing_and_says_nothing_twice(
    warnings: tuple[str, ...], incomplete: str, is_short: bool, note: str
) -> None:
    assert list_note(warnings, incomplete, is_short) == note


@pytest.mark.parametrize(
    ("title", "name", "shown"),
    [
        ("The rules of 2024", "r7.pdf", r"**The rules of 2024** :gray[r7\.pdf]"),
        ("Annual report 2024", "annual_report-2024.pdf", r"**annual\_report\-2024\.pdf**"),
        ("", "r7.pdf", r"**r7\.pdf**"),
        ("r7.pdf", "r7.pdf", r"**r7\.pdf**"),
        ("a]b*", "x.pdf", r"**a\]b\*** :gray[x\.pdf]"),
    ],
)
def test_a_title_has_its_file_name_behind_it_unless_both_say_the_same(
    title: str, name: str, shown: str
) -> None:
    assert title_and_name(title, name) == shown
