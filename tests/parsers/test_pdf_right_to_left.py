"""Persian and Arabic, as a browser and a word processor print them: blanks, word order, lam-alef, digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.parsers.pdf import Pdf
from workbench.parsers.pdf_reading.right_to_left import words_in_reading_order

CASES = Path(__file__).parent / "cases"
PERSIAN = (
    "قطار شماره ۱۲ در سال ۱۴۰۲ از ایستگاه لاله حرکت کرد و می‌رود به سوی الاهواز. این جمله برای آزمایش است و باید "
    "درست خوانده شود، حتی اگر خط بشکند."
)
ARABIC = (
    "السلام عليكم. لا إله إلا الله، هذا نص باللغة العربية مع أرقام 123 و Tram 42 في الجملة. "
    "الإسلام والأولاد والآن في 15.5% من الحالات."
)


def text_of(name: str) -> str:
    path = CASES / f"{name}.pdf"
    return Pdf().parsed(path.read_bytes(), path.name, "an id", "a place").document.text


@pytest.mark.parametrize("name", ["persian_by_chromium", "persian_by_writer"])
def test_persian_and_arabic_are_read_as_they_were_written(name: str) -> None:
    paragraphs = text_of(name).split("\n\n")
    assert PERSIAN in paragraphs
    # The word processor sets the percent sign apart.
    assert ARABIC in [paragraph.replace("15.5 %", "15.5%") for paragraph in paragraphs]


def test_a_heading_with_lam_alef_before_alef_loses_no_letter() -> None:
    assert text_of("persian_by_chromium").startswith("گزارش سالانه\n\n")


def chars(text: str, *, size: float = 10.0) -> list[dict[str, object]]:
    """Return the letters of one right-to-left line: the first one rightmost, each as wide as its type size."""
    right = 500.0
    found = []
    for letter in text:
        found.append({"c": letter, "bbox": (right - size, 0.0, right, size)})
        right -= size
    return found


@given(st.permutations(range(14)))
def test_the_order_in_the_file_does_not_matter(order: list[int]) -> None:
    line = chars("ترام سالم جدید")
    assert len(line) == 14
    shuffled = [line[i] for i in order]
    assert [word[4] for word in words_in_reading_order(shuffled, 10)] == ["ترام", "سالم", "جدید"]


def test_figures_and_foreign_words_run_from_left_to_right() -> None:
    # As displayed, from the right: a word, then "Tram 42", then a word, then "15.5" and a percent sign.
    line = chars("في 24 marT من 5.51%")
    assert [word[4] for word in words_in_reading_order(line, 10)] == ["في", "Tram", "42", "من", "15.5%"]


def test_marks_without_a_width_stay_with_their_letter() -> None:
    line = chars("بسم")
    mark = {"c": "\u0650", "bbox": (line[0]["bbox"][0] + 5, 0.0, line[0]["bbox"][0] + 5, 10.0)}
    assert [word[4] for word in words_in_reading_order([mark, *line], 10)] == ["ب\u0650سم"]
