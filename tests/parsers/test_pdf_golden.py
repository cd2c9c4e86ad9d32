"""Whole texts as they were reviewed. A text that changes needs a new golden file and a higher VERSION.

After a wanted change: raise ``Pdf.VERSION``, run with ``WRITE_GOLDEN=1``, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import documents
from tests.parsers.made_pdfs import report_pdf
from workbench.parsers.pdf import Pdf
from workbench.records import ParsedFile

FOLDER = Path(__file__).parents[1] / "golden/parsers"
SUBJECTS: dict[str, Callable[[], bytes]] = {
    "arabic": documents.arabic_pdf,
    "chinese_japanese_korean": documents.chinese_japanese_korean_pdf,
    "hebrew": documents.hebrew_pdf,
    "ligatures_and_hyphens": documents.ligatures_and_hyphens_pdf,
    "repeated_headers": documents.repeated_headers_pdf,
    "report": report_pdf,
    "rotated_pages": documents.rotated_pages_pdf,
    "two_columns": documents.two_columns_pdf,
}


def shown(parsed: ParsedFile) -> str:
    """The text with its pages and headings visible."""
    document = parsed.document
    marks = [(page.start, 0, f"[page {page.number}]") for page in document.pages]
    marks += [(heading.start, 1, f"[h{heading.level} ") for heading in document.headings]
    marks += [(heading.end, -1, "]") for heading in document.headings]
    text = document.text
    for place, _, mark in sorted(marks, reverse=True):
        text = text[:place] + mark + text[place:]
    return f"VERSION {Pdf.VERSION}\ntitle: {document.title}\n{text}\n"


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_text_is_the_reviewed_one(name: str) -> None:
    path = FOLDER / f"{name}.txt"
    found = shown(Pdf().parsed(SUBJECTS[name](), f"{name}.pdf", "an id", "a place"))
    if os.environ.get("WRITE_GOLDEN"):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        same_version = old.startswith(f"VERSION {Pdf.VERSION}\n")
        assert old in ("", found) or not same_version, "the text changed: raise VERSION first"
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
