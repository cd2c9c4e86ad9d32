"""What one PDF page says, packed small: its lines in reading order, and the boxes of their words."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pymupdf

from workbench.errors import InputError
from workbench.parsers._pdf_file import MUPDF_ERRORS, memory_errors, opened
from workbench.parsers._pdf_lines import Line, page_lines
from workbench.parsers._pdf_order import regions
from workbench.parsers._pdf_paragraphs import NEW_REGION, breaks, footnotes_start
from workbench.parsers._whole_text import check_length

_MOST_OUTLINE_ENTRIES = 20_000


@dataclass(slots=True, eq=False)
class PageText:
    """One page. ``text`` holds its lines, one a row; every other array but those of words has an entry a line.

    ``word_ranges``: ``(n, 2) int32`` within the word's line, ``word_lines`` its index; ``boxes`` and ``line_boxes``
    are in points of the displayed page.
    """

    number: int
    width: float
    height: float
    text: str
    before: bytes
    full: bytes
    bold: bytes
    sizes: npt.NDArray[np.float32]
    line_boxes: npt.NDArray[np.float32]
    word_lines: npt.NDArray[np.int32]
    word_ranges: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float32]
    unknown_count: int = 0
    failed: bool = False

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


def page_count(data: bytes, name: str, password: str | None = None) -> int:
    """Return how many pages a PDF has."""
    with opened(data, name, password) as document:
        return int(document.page_count)


def pages_read(
    data: bytes, name: str, password: str | None = None, first: int = 0, last: int | None = None
) -> PagesRead:
    """Return pages ``first`` to ``last`` (from 0, half-open); a page that fails alone is marked so."""
    with opened(data, name, password) as document, _without_collection():
        count = int(document.page_count)
        pages: list[PageText] = []
        length = 0
        for index in range(first, count if last is None else min(last, count)):
            page = _page_text(document, index)
            length += len(page.text)
            check_length(length, name)
            pages.append(page)
            # Fonts and pictures of pages already read would add up to gigabytes in a long file.
            if index % 50 == 49:
                pymupdf.TOOLS.store_shrink(100)
                gc.collect(0)
        return PagesRead(count, pages, _outline(document) if first == 0 else [], _metadata(document))


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
    try:
        with memory_errors():
            page = document[index]
            lines, unknown = page_lines(page)
            rotation = page.rotation
            width, height = page.rect.width, page.rect.height
    except InputError:
        raise
    except MUPDF_ERRORS:
        return _page_without_lines(index + 1, 0.0, 0.0, failed=True)
    if not lines:
        return _page_without_lines(index + 1, width, height, unknown=unknown)
    rows, before, full = _read_in_order(lines)
    word_counts = [len(row.words) for row in rows]
    boxes = np.array([box for row in rows for box in row.boxes], np.float32).reshape(-1, 4)
    if rotation:
        boxes = _turned(boxes, rotation, width, height)
    firsts = np.concatenate(([0], np.cumsum(word_counts)[:-1]))
    low, high = np.minimum.reduceat(boxes, firsts), np.maximum.reduceat(boxes, firsts)
    return PageText(
        number=index + 1,
        width=width,
        height=height,
        text="\n".join([row.text for row in rows]),
        before=bytes(before),
        full=bytes(full),
        bold=bytes([row.bold for row in rows]),
        sizes=np.array([row.size for row in rows], np.float32),
        line_boxes=np.hstack([low[:, :2], high[:, 2:]]),
        word_lines=np.repeat(np.arange(len(rows), dtype=np.int32), word_counts),
        word_ranges=np.array([word for row in rows for word in row.words], np.int32).reshape(-1, 2),
        boxes=boxes,
        unknown_count=unknown,
    )


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


def _page_without_lines(
    number: int, width: float, height: float, *, unknown: int = 0, failed: bool = False
) -> PageText:
    none = np.zeros(0, np.int32)
    return PageText(
        number,
        width,
        height,
        "",
        b"",
        b"",
        b"",
        np.zeros(0, np.float32),
        np.zeros((0, 4), np.float32),
        none,
        np.zeros((0, 2), np.int32),
        np.zeros((0, 4), np.float32),
        unknown,
        failed,
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
