"""Whether a file is whole: a missing end mark is harmless, a missing half is said."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pymupdf
import pytest

from tests.documents import CUT_OFF, one_line_pages, without_last_page
from tests.parsers.made_pdfs import report_pdf
from workbench.errors import InputError
from workbench.parsers.pdf import Pdf
from workbench.records import ParsedFile

CASES = Path(__file__).parent / "cases"
SAMPLES = Path(__file__).parents[2] / "data/samples"
WHOLE = (CASES / "pdf_whole.pdf").read_bytes()


def parsed(data: bytes) -> ParsedFile:
    return Pdf().parsed(data, "some.pdf", "an id", "a place")


def test_a_whole_file_is_not_called_incomplete() -> None:
    found = parsed(WHOLE)
    assert (found.incomplete, found.warnings) == ("", ())


@pytest.mark.parametrize("mark", [b"%%EOF", b"startxref", b"trailer", b"xref\n"])
def test_a_file_that_only_lacks_its_end_is_whole(mark: bytes) -> None:
    found = parsed(WHOLE[: WHOLE.rfind(mark)])
    assert found.incomplete == ""
    assert found.document.text == parsed(WHOLE).document.text


def test_a_repaired_file_says_so() -> None:
    found = parsed(WHOLE[: WHOLE.rfind(b"trailer")])
    assert found.warnings == (
        "The file was damaged and was repaired while it was read; nothing was found to be missing.",
    )


@pytest.mark.parametrize("name", ["pdf_half_download", "pdf_truncated_table"])
def test_a_file_that_was_cut_off_says_that_it_is_not_complete(name: str) -> None:
    found = parsed((CASES / f"{name}.pdf").read_bytes())
    assert found.incomplete == "the file ends in the middle of one of its parts"
    assert found.warnings[0] == "The file is incomplete: the file ends in the middle of one of its parts."
    assert not any("picture" in warning or "blank" in warning for warning in found.warnings)


def test_a_list_of_parts_beyond_the_end_says_that_the_file_is_not_complete() -> None:
    ends = [place.end() for place in re.finditer(rb"endobj\s", WHOLE)]
    # Bytes from the middle are gone, the end is there.
    holed = WHOLE[: ends[4]] + WHOLE[ends[12] :]
    assert parsed(holed).incomplete


def test_a_file_shorter_than_it_says_itself_is_not_complete() -> None:
    data = b"%%PDF-1.7\n1 0 obj\n<</Linearized 1/L %d/N 1>>\nendobj\n" % (len(WHOLE) + 5000) + WHOLE[9:]
    found = parsed(data)
    assert found.incomplete.startswith(f"the file says that it has {len(WHOLE) + 5000:,} bytes")


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [WHOLE, report_pdf(), (SAMPLES / "museum-guide.pdf").read_bytes()],
    ids=["whole", "report", "guide"],
)
def test_wherever_a_file_is_cut_missing_text_is_told(data: bytes) -> None:
    """The law: either the text is all there, or the file is refused or called incomplete."""
    text = parsed(data).document.text
    objects = [place.end() for place in re.finditer(rb"endobj\s", data)]
    places = {*objects[:: max(1, len(objects) // 15)], *range(1500, len(data), max(1, len(data) // 25))}
    refusals: set[str] = set()
    told = 0
    for place in sorted(places):
        try:
            found = parsed(data[:place])
        except InputError as error:
            refusals.add(error.status)
            continue
        assert found.incomplete or found.document.text == text, place
        told += bool(found.incomplete)
    assert told
    assert refusals <= {"damaged", "no_text"}


def test_pages_that_are_counted_but_not_there_are_named() -> None:
    with pymupdf.open("pdf", WHOLE) as made:
        xref = made.page_xref(7)
        number = int(re.search(r"(\d+) 0 R", made.xref_get_key(xref, "Contents")[1])[1])
    # Its content is gone, and so is the list of parts: the file has to be repaired.
    gone = re.sub(rb"\n%d 0 obj.*?endobj" % number, b"", WHOLE, flags=re.S)
    found = parsed(gone[: gone.rfind(b"xref\n")])
    assert found.incomplete == "page 8 of 10 cannot be found in the file"


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_changes_at_the_end_of_a_file_that_were_cut_off_are_told(share: float, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(WHOLE)
    with pymupdf.open(path) as made:
        made[0].insert_text((72, 300), "Added later on.")
        made.saveIncr()
    updated = path.read_bytes()
    update = updated[len(WHOLE) :]
    found = parsed(updated)
    assert (found.incomplete, "Added later on." in found.document.text) == ("", True)
    # Up to the end of its objects: all of its list of parts may be missing.
    first, last = update.index(b" obj") + 4, update.rfind(b"endobj")
    cut = WHOLE + update[: first + int(share * (last - first))]
    assert "Added later on." not in parsed(cut).document.text or share == 0.9
    assert parsed(cut).incomplete
    assert parsed(updated[: updated.rfind(b"%%EOF")]).incomplete == ""
    assert parsed(updated + b"\n<html>1 2 objects</html>").incomplete == ""


def test_a_file_that_was_cut_off_before_any_text_is_damaged_and_not_called_blank() -> None:
    with pytest.raises(InputError) as refused:
        parsed(without_last_page(one_line_pages("Some words.")))
    assert (refused.value.status, str(refused.value)) == (
        "damaged",
        f"some.pdf is not complete: {CUT_OFF}, and no text can be read in it; download or copy it again",
    )


def nested_pages(counts: str) -> bytes:
    """Return a PDF of five pages under two nodes of a tree, counted as ``root first second`` says."""
    with pymupdf.open() as made:
        for number in range(5):
            made.new_page().insert_text((72, 72), f"Text of page {number + 1}")
        root = int(made.xref_get_key(made.pdf_catalog(), "Pages")[1].split()[0])
        kids = [made.page_xref(index) for index in range(5)]
        nodes = []
        for below in (kids[:2], kids[2:]):
            node = made.get_new_xref()
            listed = " ".join(f"{kid} 0 R" for kid in below)
            made.update_object(node, f"<</Type/Pages/Parent {root} 0 R/Count {len(below)}/Kids[{listed}]>>")
            for kid in below:
                made.xref_set_key(kid, "Parent", f"{node} 0 R")
            nodes.append(f"{node} 0 R")
        made.xref_set_key(root, "Kids", f"[{' '.join(nodes)}]")
        data = bytes(made.tobytes())
    for true, said in zip("523", counts.split(), strict=True):
        # Digit for digit, so that the file needs no repair.
        assert data.count(b"/Count %s" % true.encode()) == 1
        data = data.replace(b"/Count %s" % true.encode(), b"/Count %s" % said.encode())
    return data


ALL_FIVE = "\n\n".join(f"Text of page {number}" for number in range(1, 6))


def test_a_file_that_counts_all_its_pages_has_no_note() -> None:
    found = parsed(nested_pages("5 2 3"))
    assert (found.document.text, found.warnings) == (ALL_FIVE, ())


@pytest.mark.parametrize("counts", ["1 2 3", "0 2 3", "4 2 1", "1 1 0"])
def test_pages_that_a_file_does_not_count_are_read_all_the_same(counts: str) -> None:
    """MuPDF alone reads as many pages as the file says that it has: the others would be lost without a word."""
    found = parsed(nested_pages(counts))
    assert found.document.text == ALL_FIVE
    assert len(found.document.pages) == 5
    (note,) = found.warnings
    assert note.startswith("The file says that it has ")
    assert note.endswith("and holds 5: all of them were read.")


def test_a_page_tree_that_is_a_circle_ends() -> None:
    data = nested_pages("1 2 3")
    with pymupdf.open(stream=data) as made:
        root = int(made.xref_get_key(made.pdf_catalog(), "Pages")[1].split()[0])
        node = int(made.xref_get_key(root, "Kids")[1].strip("[").split()[0])
        made.xref_set_key(node, "Kids", f"[{made.page_xref(0)} 0 R {root} 0 R]")
        circle = bytes(made.tobytes())
    with suppress(InputError):
        assert "Text of page 1" in parsed(circle).document.text
