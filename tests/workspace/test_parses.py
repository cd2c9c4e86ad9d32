"""Parsed files on disk: everything a parser says of a file comes back, also from files of earlier versions."""

from __future__ import annotations

import io
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.records import Box, Document, Layout, OmittedText, Page, PageLetters, ParsedFile
from workbench.workspace.parses import packed, unpacked

points = st.floats(width=32, allow_nan=False, allow_infinity=False)
# Of any code points, half surrogate pairs among them: PDFs hold such text.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
counts = st.integers(0, 10**9)
boxes = st.builds(Box, st.integers(1, 10**5), points, points, points, points)
letters = st.builds(PageLetters, st.integers(1, 10**5), counts, counts)
omitted = st.builds(OmittedText, boxes, texts, texts)


@given(st.lists(letters, max_size=4), st.lists(omitted, max_size=4), texts)
def test_what_is_said_of_completeness_comes_back_as_it_was(
    counted: list[PageLetters], left_out: list[OmittedText], incomplete: str
) -> None:
    parsed = _parsed(letters=tuple(counted), omitted=tuple(left_out), incomplete=incomplete)
    found = unpacked(packed(parsed), "d", "upload:d.pdf")
    assert (found.document, found.letters, found.omitted, found.incomplete) == (
        parsed.document,
        parsed.letters,
        parsed.omitted,
        parsed.incomplete,
    )


def test_boxes_measured_with_numpy_are_stored() -> None:
    box = Box(np.int32(3), *np.float32([1, 2, 3.5, 4]))  # type: ignore[arg-type]
    found = unpacked(packed(_parsed(omitted=(OmittedText(box, "Page 3", "header or footer"),))), "d", "u")
    assert found.omitted == (OmittedText(Box(3, 1.0, 2.0, 3.5, 4.0), "Page 3", "header or footer"),)


def test_a_parsed_file_of_the_version_before_opens_and_counts_nothing() -> None:
    data = _without(packed(_parsed(incomplete="cut off")), "letters", "omitted", "incomplete")
    found = unpacked(data, "d", "upload:d.pdf")
    assert (found.letters, found.omitted, found.incomplete, found.short_pages) == ((), (), "", ())
    assert found.document.text == "Tram."


def _parsed(
    letters: tuple[PageLetters, ...] = (), omitted: tuple[OmittedText, ...] = (), incomplete: str = ""
) -> ParsedFile:
    document = Document("d", "Tram.", (Page(1, 0, 5),), "T", "upload:d.pdf")
    return ParsedFile(document, Layout.empty(), letters=letters, omitted=omitted, incomplete=incomplete)


def _without(data: bytes, *names: str) -> bytes:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    about = json.loads(values["about"].tobytes())
    for name in names:
        del about[name]
    values["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **values)
    return buffer.getvalue()
