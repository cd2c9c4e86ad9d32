"""The title of a PDF: from its metadata, else the largest type on its first page, else its file name."""

from __future__ import annotations

import pymupdf
import pytest

from tests.parsers.made_pdfs import drawn, paragraph, pdf
from workbench.parsers.pdf import Pdf

BODY = [
    "Every morning the cars are swept, and the sand boxes are filled before the first",
    "journey begins. A mechanic listens to the brakes while another looks at the doors, as",
    "the handbook demands of everybody who works at the depot in summer and in winter.",
]


def title_of(*pages: bytes, given: str = "", name: str = "tram-care-v3.pdf") -> str:
    data = pdf(*pages)
    if given:
        with pymupdf.open("pdf", data) as made:
            made.set_metadata({"title": given})
            data = bytes(made.tobytes())
    return Pdf().parsed(data, name, "an id", "a place").document.title


PAGE = drawn("On the Care of Trams", 60, 760, 20, bold=True) + paragraph(*BODY, top=700)


@pytest.mark.parametrize(
    "junk",
    ["tram-care-v3", "untitled", "Untitled 2", "Microsoft Word - Trams", "Microsoft PowerPoint – x", "a.docx",
     "tram_care_final_2", "Dokument1", "PowerPoint Presentation", "Slide 1"],
)  # fmt: skip
def test_junk_in_the_metadata_is_no_title(junk: str) -> None:
    assert title_of(PAGE, given=junk) == "On the Care of Trams"


@pytest.mark.parametrize(
    "good", ["Tram Care", "COVID and Trams, 2021", "Die Größe der Wagen", "Document handling"]
)
def test_a_title_that_a_person_gave_is_taken(good: str) -> None:
    assert title_of(PAGE, given=good) == good


def test_a_stamp_turned_up_the_margin_is_no_title() -> None:
    stamp = b"BT /F1 30 Tf 0 1 -1 0 40 300 Tm (arXiv:2401.00001v2 [cs.IR]) Tj ET\n"
    assert title_of(stamp + PAGE) == "On the Care of Trams"


def test_a_running_header_is_no_title() -> None:
    header = drawn("TRAMWAY GAZETTE", 60, 815, 24)
    pages = [header + paragraph(*BODY, top=700 - i) for i in range(4)]
    pages[0] = header + PAGE
    assert title_of(*pages) == "On the Care of Trams"


def test_a_contents_heading_is_no_title() -> None:
    page = drawn("Contents", 60, 790, 26, bold=True) + PAGE
    assert title_of(page) == "On the Care of Trams"


@pytest.mark.parametrize(
    "authority",
    ["Ministry of Transport", "Bundesministerium für Verkehr", "United States Department of Trams"],
)
def test_the_letterhead_of_an_authority_is_no_title(authority: str) -> None:
    page = drawn(authority, 60, 800, 26) + PAGE
    assert title_of(page) == "On the Care of Trams"


def test_an_authority_that_is_all_there_is_gives_the_title() -> None:
    page = drawn("Ministry of Transport", 60, 800, 26) + paragraph(*BODY, top=700)
    assert title_of(page) == "Ministry of Transport"


def test_only_the_first_page_is_asked() -> None:
    second = drawn("Something Larger", 60, 760, 40) + paragraph(*BODY, top=700)
    assert title_of(PAGE, second) == "On the Care of Trams"


def test_the_files_name_where_nothing_is_larger_than_the_text() -> None:
    assert title_of(paragraph(*BODY, top=700), name="tram care.pdf") == "tram care"
