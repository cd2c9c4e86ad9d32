"""What stands on one page, block by block in reading order: headings, paragraphs, tables, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from workbench.records import Box, Document, Heading, Layout, OmittedText
from workbench.spans import Span, trimmed

Kind = Literal["heading", "text", "table", "omitted"]

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A heading, a paragraph, rows of a table, or printed text that was left out, on one page.

    ``number`` counts from 1 in reading order. ``boxes``: one per printed line, in reading order; a paragraph that goes
    on in the next column has lines in both. What was left out has neither ``number`` nor ``span``, and it alone has
    ``text`` and ``reason``.
    """

    kind: Kind
    number: int | None
    span: Span | None
    boxes: tuple[Box, ...]
    text: str = ""
    reason: str = ""


def page_blocks(
    document: Document, layout: Layout, page_number: int, omitted: Sequence[OmittedText] = ()
) -> list[PageBlock]:
    """Return the blocks of a page in reading order, followed by what was left out, from the top down.

    Every character but blanks is in exactly one span, and every word of the layout in exactly one block.
    A number that no page has gives no blocks.
    """
    page = next((page for page in document.pages if page.number == page_number), None)
    if page is None:
        return []
    found: list[PageBlock] = []
    for kind, (start, end) in _parts(document.text, document.headings, page.start, page.end):
        boxes = _boxes(layout, page_number, start, end)
        if kind == "table" and found and found[-1].span is not None and _goes_on(found[-1], boxes):
            start, boxes = found[-1].span[0], found.pop().boxes + boxes
        found.append(PageBlock(kind, len(found) + 1, (start, end), boxes))
    left_out = sorted(
        (one for one in omitted if one.box.page == page_number), key=lambda one: (one.box.y0, one.box.x0)
    )
    return found + [PageBlock("omitted", None, None, (one.box,), one.text, one.reason) for one in left_out]


def _parts(text: str, headings: Sequence[Heading], start: int, end: int) -> Iterator[tuple[Kind, Span]]:
    """Yield the ranges between ``start`` and ``end``, increasing and disjoint, without blanks at their ends."""
    at = start
    for heading in sorted(headings, key=lambda one: one.start):
        first, last = max(heading.start, at), min(heading.end, end)
        span = trimmed(text, first, last)
        if span is None:
            continue
        yield from _paragraphs(text, at, first)
        yield "heading", span
        at = last
    yield from _paragraphs(text, at, end)


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[Kind, Span]]:
    at = start
    for gap in _BLANK_LINES.finditer(text, start, end):
        yield from _paragraph_or_table(text, at, gap.start())
        at = gap.end()
    yield from _paragraph_or_table(text, at, end)


def _paragraph_or_table(text: str, start: int, end: int) -> Iterator[tuple[Kind, Span]]:
    """Yield one paragraph, divided where rows of a table begin and end in it: lines with a tab."""
    for is_table, lines in groupby(_lines(text, start, end), key=lambda line: _is_row(text, line)):
        spans = list(lines)
        span = trimmed(text, spans[0][0], spans[-1][1])
        if span is not None:
            yield ("table" if is_table else "text"), span


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end:
        feed = text.find("\n", start, end)
        stop = feed if feed >= 0 else end
        if stop > start:
            yield start, stop
        start = stop + 1


def _is_row(text: str, line: Span) -> bool:
    span = trimmed(text, *line)
    return span is not None and text.find("\t", *span) >= 0


def _goes_on(before: PageBlock, boxes: Sequence[Box]) -> bool:
    """Say whether rows in ``boxes`` continue the table ``before``: a head or a total may stand a little apart."""
    in_order = not before.boxes or not boxes or before.boxes[-1].y0 < boxes[0].y0
    return before.kind == "table" and in_order


def _boxes(layout: Layout, page: int, start: int, end: int) -> tuple[Box, ...]:
    """Return one box per printed line of the words that begin in the range."""
    # Not Layout.rectangles: a word that reaches over the end of a range would have a box in both blocks.
    first, last = (int(place) for place in np.searchsorted(layout.starts, (start, end)))
    result: list[Box] = []
    line: int | None = None
    for i in range(first, last):
        if int(layout.pages[i]) != page:
            continue
        x0, y0, x1, y1 = (float(v) for v in layout.boxes[i])
        if line == int(layout.lines[i]):
            before = result[-1]
            result[-1] = Box(
                page, min(before.x0, x0), min(before.y0, y0), max(before.x1, x1), max(before.y1, y1)
            )
        else:
            result.append(Box(page, x0, y0, x1, y1))
            line = int(layout.lines[i])
    return tuple(result)
