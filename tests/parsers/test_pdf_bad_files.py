"""What a bad PDF gets: a status, a message that names it, and as much of its text as can be had."""

from __future__ import annotations

import pymupdf
import pytest

from tests import documents
from tests.documents.raw_pdf import paged_pdf, stream, text_lines
from workbench.errors import InputError
from workbench.parsers.pdf import Pdf

REFUSED = {
    "empty": (documents.empty_file(), "damaged", "no bytes"),
    "truncated": (documents.truncated_pdf(), "damaged", "download it again"),
    "encrypted": (documents.password_pdf(), "needs_password", "needs a password"),
    "no pages": (documents.zero_page_pdf(), "damaged", "no pages"),
    "scanned": (documents.scanned_pdf(), "no_text", "OCR"),
    "web page": (documents.html_named_pdf(), "unsupported", "web page"),
    "drawing": (documents.svg_named_pdf(), "unsupported", "SVG"),
    "archive": (b"PK\x03\x04" + bytes(200), "unsupported", "ZIP"),
    "header alone": (b"%PDF-1.7\n", "damaged", "download it again"),
    "web page with a header inside": (b"<html>%PDF-1.4</html>", "damaged", ""),
    "noise": (b"%PDF-1.4\n" + bytes(range(256)) * 40, "damaged", ""),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_cannot_be_read_is_refused_with_a_status_and_a_way_out(case: str) -> None:
    data, status, part = REFUSED[case]
    with pytest.raises(InputError, match=r"the plan\.pdf") as refused:
        Pdf().parsed(data, "the plan.pdf", "an id", "a place")
    assert refused.value.status == status
    assert part in str(refused.value)


def test_a_password_opens_and_a_wrong_one_is_called_wrong() -> None:
    data = documents.password_pdf("sesame")
    assert (
        Pdf().parsed(data, "x.pdf", "an id", "a place", "sesame").document.text == "The vault opens at noon."
    )
    with pytest.raises(InputError, match="wrong") as refused:
        Pdf().parsed(data, "x.pdf", "an id", "a place", "simsalabim")
    assert refused.value.status == "needs_password"


def test_an_unlocked_copy_opens_without_a_password() -> None:
    parser = Pdf()
    copy = parser.unlocked(documents.password_pdf("sesame"), "sesame")
    assert parser.parsed(copy, "x.pdf", "an id", "a place").document.text == "The vault opens at noon."
    assert parser.page_image(copy, 1)
    with pytest.raises(InputError, match="wrong"):
        parser.unlocked(documents.password_pdf("sesame"), "simsalabim")


def test_files_that_need_no_password_open_whatever_is_given() -> None:
    assert Pdf().unlocked(documents.plain_pdf(), "anything") == documents.plain_pdf()
    copy = Pdf().unlocked(documents.empty_password_pdf(), "anything")
    for data in (documents.plain_pdf(), documents.empty_password_pdf(), copy):
        assert Pdf().parsed(data, "x.pdf", "an id", "a place", "anything").document.text
        assert Pdf().parsed(data, "x.pdf", "an id", "a place").document.text


def test_a_page_that_fails_alone_is_told_and_the_rest_is_read() -> None:
    found = Pdf().parsed(documents.page_that_fails_alone_pdf(), "x.pdf", "an id", "a place")
    assert found.failed_pages == (3,)
    assert found.warnings == ("4 of 5 pages read; damaged: page 3.",)
    assert [f"Page {n} reads well." in found.document.text for n in range(1, 6)] == [
        True,
        True,
        False,
        True,
        True,
    ]


def test_pages_without_text_are_told() -> None:
    with pymupdf.open("pdf", documents.plain_pdf(pages=2)) as made:
        made.insert_pdf(pymupdf.open("pdf", documents.scanned_pdf(pages=1)), start_at=1)
        data = bytes(made.tobytes())
    found = Pdf().parsed(data, "x.pdf", "an id", "a place")
    assert found.empty_pages == (2,)
    assert "1 of 3 pages is a picture that needs OCR" in found.warnings[0]


def test_a_damaged_tail_still_gives_the_pages_that_are_there() -> None:
    data = documents.plain_pdf("All is well.", pages=3)
    cut = data[: data.rindex(b"xref\n0")]
    assert "All is well." in Pdf().parsed(cut, "x.pdf", "an id", "a place").document.text


def test_letters_without_any_height_are_no_reason_to_stop() -> None:
    content = stream(b"BT /F1 12 Tf 16 TL 72 770 Tm (This page is turned.) Tj T* (Second line.) Tj ET")
    good = stream(text_lines(["A page like any other."]))
    found = Pdf().parsed(paged_pdf([content, good]), "flat.pdf", "an id", "a place")
    assert "A page like any other." in found.document.text
