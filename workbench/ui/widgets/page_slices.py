"""A document in passages that fit on a screen: its pages, or windows of a text that has none."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.records import Document

WINDOW_CHARACTERS = 24_000
LONGEST_WINDOW_CHARACTERS = 30_000


@dataclass(frozen=True, slots=True)
class Passage:
    """A range of the text, with its page where the document has several."""

    start: int
    end: int
    page: int | None
    label: str


def has_pages(document: Document) -> bool:
    """Return whether the document has pages of paper, not just one range for all of its text."""
    return len(document.pages) > 1 or any(page.width > 0 for page in document.pages)


def passages(document: Document) -> list[Passage]:
    """Return the passages in order; together they are the whole text.

    A page that is longer than a window is divided; so is a text without pages. The limits of a passage depend
    on the text only, so every configuration is shown on the same one.
    """
    pages = [(page.number, page.start, page.end) for page in document.pages] or [(1, 0, len(document.text))]
    paged = has_pages(document)
    result = []
    for number, start, end in pages:
        windows = _windows(document.text, start, end)
        for part, (first, last) in enumerate(windows, start=1):
            part_of = f"part {part} of {len(windows)}" if len(windows) > 1 else ""
            label = ", ".join(filter(None, [f"Page {number} of {len(pages)}" if paged else "", part_of]))
            result.append(Passage(first, last, number if paged else None, label.capitalize() or "Whole text"))
    return result


def _windows(text: str, start: int, end: int) -> list[tuple[int, int]]:
    result = []
    while end - start > LONGEST_WINDOW_CHARACTERS:
        cut = _blank_line(text, start + WINDOW_CHARACTERS, start + LONGEST_WINDOW_CHARACTERS)
        result.append((start, cut))
        start = cut
    return [*result, (start, end)]


def _blank_line(text: str, low: int, high: int) -> int:
    """Return where to divide between ``low`` and ``high``: after a blank line, a line, a blank, or just there."""
    for mark in ("\n\n", "\n", " "):
        found = text.rfind(mark, low, high)
        if found >= 0:
            return found + len(mark)
    return low
