"""Plain text is kept to the letter; only its encoding is undone."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests import documents
from workbench.errors import InputError
from workbench.parsers.plain_text import PlainText
from workbench.records import ParsedFile


def parsed(data: bytes) -> ParsedFile:
    return PlainText().parsed(data, "notes.txt", "an id", "a place")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_letter_is_kept(text: str) -> None:
    # A text of NULs is taken for UTF-16 without its mark.
    assume(text.strip() and not text.startswith("\ufeff") and "\x00" not in text)
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-32")):
        found = parsed(data)
        assert found.document.text == text
        assert found.warnings == ()


def test_control_characters_and_all_kinds_of_line_ends_are_kept() -> None:
    data = documents.control_characters_text()
    assert parsed(data).document.text == data.decode()


@pytest.mark.parametrize(
    "text, encoding",
    [
        ("Die Straße führt über den Fluß – sehr schön “so”.", "cp1252"),
        ("Le café était fermé à l’été.", "cp1252"),
        ("Трамвай отправляется в девять часов утра, билет действителен два часа. " * 5, "cp1251"),
        ("路面電車は九時に出発します。切符は二時間有効です。" * 5, "shift_jis"),
        ("The tram leaves at nine.", "utf-16-le"),
    ],
)
def test_other_encodings_are_guessed_and_told(text: str, encoding: str) -> None:
    found = parsed(text.encode(encoding))
    assert found.document.text == text
    assert "Save it as UTF-8" in found.warnings[0]


def test_a_few_broken_letters_do_not_spoil_a_file_in_utf_8() -> None:
    found = parsed(
        "Straße, führt, über, schön, größer, früher, Übung, Öl, süß, Bär, Mühe".encode() + b" \xff end"
    )
    assert "Straße" in found.document.text
    assert found.document.text.endswith("\ufffd end")
    assert "1 letter" in found.warnings[0]


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"notes\.txt is not a text file") as refused:
        parsed(documents.plain_pdf())
    assert refused.value.status == "unsupported"


def test_a_boundless_text_is_refused() -> None:
    with pytest.raises(InputError, match="64 million") as refused:
        parsed(b"x" * 64_000_001)
    assert refused.value.status == "too_large"


def test_title_is_the_name_without_what_may_deceive() -> None:
    found = PlainText().parsed(b"words", documents.NASTY_FILE_NAMES["right_to_left_override"], "i", "u")
    assert found.document.title == "invoicefdp.exe"
