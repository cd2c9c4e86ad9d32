"""What one PDF page says, packed small: its lines in reading order, and the boxes of their words."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pymupdf

from workbench.errors import InputError
from workbench.parsers._letters import cleaned
from workbench.parsers._pdf_file import MUPDF_ERRORS, memory_errors, opened
from workbench.parsers._pdf_lines import Box4, Line, page_lines
from workbench.parsers._pdf_order import regions
from workbench.parsers._pdf_paragraphs import NEW_REGION, breaks, footnotes_start
from workbench.parsers._whole_text import check_length
from workbench.parsers.pdf_reading.damage import missing_parts, unfinished_update
from workbench.parsers.pdf_reading.letter_counts import count_letters, count_unexplained, count_visible
from workbench.parsers.pdf_reading.unreadable import PageKind, holds_glyph_codes, is_xfa_notice, page_kind
from workbench.records import Box, OmittedText

_MOST_OUTLINE_ENTRIES = 20_000
_MOST_GROWTH_BYTES = 32 * 2**20
PRINTED_TWICE = "printed twice at one place"


@dataclass(slots=True, eq=False)
class PageText:
    """One page. ``text`` holds its lines, one a row; every other array but those of words has an entry a line.

    ``word_ranges``: ``(n, 2) int32`` within the word's line, ``word_lines`` its index; ``boxes`` and ``line_boxes``
    are in points of the displayed page. ``visible`` counts the characters that are no blanks, ``unexplained`` those
    of them that say nothing, ``letters_on_page`` the letters before any clean-up and ``letters_kept`` those in ``text``.
    """

    number: int
    width: float
    height: float
    text: str
    before: bytes
    full: bytes
    bold: bytes
    turned: bytes
    sizes: npt.NDArray[np.float32]
    line_boxes: npt.NDArray[np.float32]
    word_lines: npt.NDArray[np.int32]
    word_ranges: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float32]
    failed: bool = False
    kind: PageKind = "text"
    visible: int = 0
    unexplained: int = 0
    glyph_codes: bool = False
    letters_on_page: int = 0
    letters_kept: int = 0
    omitted: list[OmittedText] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n") if self.text else []


@dataclass(slots=True, eq=False)
class PagesRead:
    """Some consecutive pages of a file, and what the file says about itself."""

    page_count: int
    pages: list[PageText]
    outline: list[tuple[int, str, int]]
    metadata: dict[str, str]
    is_repaired: bool = False
    incomplete: str = ""
    is_xfa_notice: bool = False
    uncounted_pages: int = 0
    """How many pages the file holds beyond the number that it gives itself."""


def page_count(source: bytes | Path, name: str, password: str | None = None) -> int:
    """Return how many pages a PDF has."""
    with opened(source, name, password) as document:
        return int(document.page_count)


def pages_read(
    source: bytes | Path, name: str, password: str | None = None, first: int = 0, last: int | None = None
) -> PagesRead:
    """Return pages ``first`` to ``last`` (from 0, half-open); a page that fails alone is marked so."""
    with opened(source, name, password) as document, _without_collection():
        count = int(document.page_count)
        pages: list[PageText] = []
        length = 0
        store = _Store()
        for index in range(first, count if last is None else min(last, count)):
            page = _page_text(document, index)
            length += len(page.text)
            check_length(length, name)
            pages.append(page)
            if index % 50 == 49:
                gc.collect(0)
                store.shrink_if_grown()
        is_repaired = bool(document.is_repaired)
        return PagesRead(
            count,
            pages,
            _outline(document) if first == 0 else [],
            _metadata(document),
            is_repaired,
            _missing_parts(document, source) if is_repaired or first == 0 else "",
            first == 0 and bool(pages) and _is_xfa_notice(document, pages[0].text),
            document.uncounted_pages,
        )


class _Store:
    """What MuPDF keeps of pages already read: fonts and more, which would add up to gigabytes in a long file.

    Most files use a few fonts on all pages; to drop them takes a quarter of the time in which MuPDF reads a page.
    """

    def __init__(self) -> None:
        self._bytes_before = _memory_bytes()

    def shrink_if_grown(self) -> None:
        """Drop all of it if this process has grown, or where the system does not say."""
        size = _memory_bytes()
        if size is None or self._bytes_before is None or size > self._bytes_before + _MOST_GROWTH_BYTES:
            pymupdf.TOOLS.store_shrink(100)
            self._bytes_before = _memory_bytes()


def _memory_bytes() -> int | None:
    """Return the memory that this process has in use now; None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return None


def _missing_parts(document: Any, source: bytes | Path) -> str:
    """Return why the file is incomplete, "" for a complete one; files that open as they are may lack their last changes."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    try:
        with memory_errors():
            found = missing_parts(document, data) if document.is_repaired else ""
    except MUPDF_ERRORS:
        return "its list of pages is damaged"
    return found or unfinished_update(data)


def _is_xfa_notice(document: Any, text: str) -> bool:
    try:
        with memory_errors():
            return is_xfa_notice(document, text)
    except MUPDF_ERRORS:
        return False


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the cyclic garbage collector off: a page is thousands of small lists, and no cycles."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _page_text(document: Any, index: int) -> PageText:
    number = index + 1
    try:
        with memory_errors():
            page = document[index]
            found = page_lines(page)
            rotation = page.rotation
            rect = page.rect
            width, height = rect.width, rect.height
            letters, visible = count_letters(found.text), count_visible(found.text)
            glyph_codes = holds_glyph_codes(document, page, found.text, visible, letters)
            kind = "text" if found.lines else page_kind(page)
    except InputError:
        raise
    except MUPDF_ERRORS:
        return _page_without_lines(number, 0.0, 0.0, failed=True)
    omitted = [
        OmittedText(_displayed(number, box, rotation, width, height), cleaned(text).strip(), PRINTED_TWICE)
        for box, text in found.repeats
    ]
    on_page = letters - sum(count_letters(text) for _, text in found.repeats)
    unexplained = count_unexplained(found.text)
    if not found.lines:
        page_text = _page_without_lines(number, width, height)
        page_text.kind = kind
    else:
        page_text = _page_with_lines(number, width, height, rotation, found.lines)
        page_text.letters_kept = _letters_kept(found.text, on_page, page_text.text)
    page_text.omitted = omitted
    page_text.visible, page_text.unexplained = visible, unexplained
    page_text.glyph_codes, page_text.letters_on_page = glyph_codes, on_page
    return page_text


def _letters_kept(raw: str, on_page: int, text: str) -> int:
    """Return how many of a page's letters are in ``text``. What clean-up itself makes more or fewer is no loss."""
    in_text = count_letters(text)
    if in_text == on_page:
        return on_page
    return max(0, min(on_page, in_text + count_letters(raw) - count_letters(cleaned(raw))))


def _page_with_lines(number: int, width: float, height: float, rotation: int, lines: list[Line]) -> PageText:
    rows, before, full = _read_in_order(lines)
    word_counts = [len(row.words) for row in rows]
    numbers = chain.from_iterable(chain.from_iterable([row.boxes for row in rows]))
    boxes = np.fromiter(numbers, np.float32, 4 * sum(word_counts)).reshape(-1, 4)
    if rotation:
        boxes = _turned(boxes, rotation, width, height)
    ranges = chain.from_iterable(chain.from_iterable([row.words for row in rows]))
    firsts = [0, *accumulate(word_counts[:-1])]
    line_boxes = np.empty((len(rows), 4), np.float32)
    line_boxes[:, :2] = np.minimum.reduceat(boxes[:, :2], firsts)
    line_boxes[:, 2:] = np.maximum.reduceat(boxes[:, 2:], firsts)
    return PageText(
        number=number,
        width=width,
        height=height,
        text="\n".join([row.text for row in rows]),
        before=bytes(before),
        full=bytes(full),
        bold=bytes([row.bold for row in rows]),
        turned=bytes([row.turn > 0 for row in rows]),
        sizes=np.array([row.size for row in rows], np.float32),
        line_boxes=line_boxes,
        word_lines=np.repeat(np.arange(len(rows), dtype=np.int32), word_counts),
        word_ranges=np.fromiter(ranges, np.int32, 2 * sum(word_counts)).reshape(-1, 2),
        boxes=boxes,
    )


def _displayed(page: int, box: Box4, rotation: int, width: float, height: float) -> Box:
    boxes = np.array([box], np.float32)
    shown = _turned(boxes, rotation, width, height) if rotation else boxes
    x0, y0, x1, y1 = (float(side) for side in shown[0])
    return Box(page, x0, y0, x1, y1)


def _read_in_order(lines: list[Line]) -> tuple[list[Line], list[int], list[bool]]:
    """Return the rows of a page, what stands before each, and which fill their line.

    Footnotes under a column go to the end of the page: a sentence that runs on in the next column stays whole.
    """
    rows: list[Line] = []
    before: list[int] = []
    full: list[bool] = []
    notes: list[tuple[list[Line], list[int], list[bool]]] = []
    for region in regions(lines):
        region_before, region_full = breaks(region)
        end = footnotes_start(region, region_before)
        rows += region[:end]
        before += region_before[:end]
        full += region_full[:end]
        if end < len(region):
            notes.append((region[end:], [NEW_REGION, *region_before[end + 1 :]], region_full[end:]))
    for note_rows, note_before, note_full in notes:
        rows += note_rows
        before += note_before
        full += note_full
    return rows, before, full


def _page_without_lines(number: int, width: float, height: float, *, failed: bool = False) -> PageText:
    return PageText(
        number=number,
        width=width,
        height=height,
        text="",
        before=b"",
        full=b"",
        bold=b"",
        turned=b"",
        sizes=np.zeros(0, np.float32),
        line_boxes=np.zeros((0, 4), np.float32),
        word_lines=np.zeros(0, np.int32),
        word_ranges=np.zeros((0, 2), np.int32),
        boxes=np.zeros((0, 4), np.float32),
        failed=failed,
    )


def _turned(
    boxes: npt.NDArray[np.float32], rotation: int, width: float, height: float
) -> npt.NDArray[np.float32]:
    """Return boxes of the page without its rotation as they lie on the page when it is displayed.

    ``width`` and ``height`` are those of the displayed page. PyMuPDF's own ``rotation_matrix`` forgets ``UserUnit`` and
    what of the crop box lies outside the page.
    """
    x0, y0, x1, y1 = boxes.astype(np.float64).T
    if rotation == 90:
        sides = [width - y1, x0, width - y0, x1]
    elif rotation == 180:
        sides = [width - x1, height - y1, width - x0, height - y0]
    else:
        sides = [y0, height - x1, y1, height - x0]
    return np.stack(sides, axis=1).astype(np.float32)


def _outline(document: Any) -> list[tuple[int, str, int]]:
    """Return the file's own list of headings: level, title, page number; none when it is damaged."""
    try:
        with memory_errors():
            entries = document.get_toc(simple=True)
    except MUPDF_ERRORS:
        return []
    return [(int(level), str(title), int(page)) for level, title, page in entries[:_MOST_OUTLINE_ENTRIES]]


def _metadata(document: Any) -> dict[str, str]:
    return dict(_filled(document.metadata or {}))


def _filled(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("title", "author", "subject", "keywords", "creationDate", "modDate"):
        value = metadata.get(key)
        if isinstance(value, str) and value.strip():
            yield key, value
