"""How many letters of each page are in the finished text, not counting what was left out on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.parsers._pdf_assembly import Assembled
from workbench.parsers._pdf_pages import PageText
from workbench.parsers.pdf_reading.letter_counts import count_letters
from workbench.records import Box, OmittedText, PageLetters

MARGIN = "header or footer"


def page_letters(
    pages: Sequence[PageText], whole: Assembled, omitted: Sequence[OmittedText]
) -> Iterator[PageLetters]:
    """Yield the letters of every page that is not damaged; headers and footers left out count on neither side."""
    left_out: dict[int, int] = {}
    for entry in omitted:
        if entry.reason == MARGIN:
            left_out[entry.box.page] = left_out.get(entry.box.page, 0) + count_letters(entry.text)
    for page, placed in zip(pages, whole.pages, strict=True):
        if page.failed:
            continue
        on_purpose = left_out.get(page.number, 0)
        lost = count_letters(page.text) - count_letters(whole.text[placed.start : placed.end]) - on_purpose
        yield PageLetters(
            page.number,
            max(0, page.letters_kept - on_purpose - max(0, lost)),
            page.letters_on_page - on_purpose,
        )


def margin_texts(pages: Sequence[PageText], repeated: Sequence[frozenset[int]]) -> list[OmittedText]:
    """Return the lines that the setting ``remove_repeated`` leaves out: headers and footers."""
    found = []
    for page, left_out in zip(pages, repeated, strict=True):
        lines = page.lines if left_out else []
        for index in sorted(left_out):
            found.append(
                OmittedText(Box(page.number, *map(float, page.line_boxes[index])), lines[index], MARGIN)
            )
    return found
