"""The printed lines of one PDF page, as MuPDF finds them, with the boxes of their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import pymupdf

from workbench.parsers._letters import before_mark, cleaned, has_cjk, is_cjk, pieces
from workbench.parsers._pdf_visual_order import in_reading_order

# Ligatures are spelled out by MuPDF when PRESERVE_LIGATURES is left out; characters that a font does not explain
# come as U+FFFD, not as numbers that look like letters; pictures are not loaded.
_FLAGS = pymupdf.TEXT_MEDIABOX_CLIP
_SUPERSCRIPT, _BOLD = 1, 16
_MARK = re.compile(r"[\d*†‡§¶]{1,3}")

Box4 = tuple[float, float, float, float]


@dataclass(slots=True)
class Line:
    """One printed line, or a part of it that stands apart.

    ``u`` runs along the line and ``v`` from line to line, whatever way the line is turned: ``u0, u1`` its ends,
    ``v`` its baseline. ``words`` are ranges of ``text``, ``boxes`` their rectangles on the page without rotation.
    """

    text: str
    u0: float
    u1: float
    v: float
    size: float
    bold: bool
    turn: int
    words: list[tuple[int, int]]
    boxes: list[Box4]
    first_width: float = 0.0
    cells: int = 1
    marks: bool = field(default=False)


def page_lines(page: Any) -> tuple[list[Line], int]:
    """Return the lines of a page in the order of the file, and how many characters its fonts do not explain.

    ``page`` is a ``pymupdf.Page``. MuPDF leaves out what lies outside of what is displayed; lines printed
    twice at one place (which is how some programs make bold letters) are taken once.
    """
    text_page = page.get_textpage(flags=_FLAGS)
    words = text_page.extractWORDS()
    if not words:
        return [], 0
    blocks = text_page.extractDICT()["blocks"]
    by_line = groupby(words, itemgetter(5, 6))
    printed = (
        (line["spans"], line["dir"], line["bbox"]) for block in blocks for line in block.get("lines", ())
    )
    result: list[Line] = []
    unknown = 0
    seen: set[tuple[str, int, int]] = set()
    pending = next(by_line, None)
    for spans, direction, box in printed:
        if pending is None:
            break
        raw = "".join([span["text"] for span in spans])
        if not raw or raw.isspace():
            continue
        group = list(pending[1])
        if not raw.lstrip().startswith(group[0][4][:1]):
            # The two lists went out of step: this line has no word with a box.
            pending = (pending[0], iter(group))
            continue
        pending = next(by_line, None)
        place = (raw, round(box[0]), round(box[1]))
        if place in seen:
            continue
        seen.add(place)
        unknown += raw.count("\ufffd")
        line = _line(raw, spans, direction, group)
        if line is not None:
            result.append(line)
    return result, unknown


def _line(
    raw: str, spans: list[dict[str, Any]], direction: tuple[float, float], group: list[Any]
) -> Line | None:
    turn = 0 if direction[0] == 1 else _turn(direction)
    main = spans[0] if len(spans) == 1 else max(spans, key=lambda span: len(span["text"]))
    cuts = _mark_cuts(spans) if len(spans) > 1 else {}
    plain = [word[4] for word in group]
    if not cuts and raw.isascii() and raw.isprintable() and raw.split() == plain:
        text = " ".join(plain)
        ranges: list[tuple[int, int]] = []
        at = 0
        for word in plain:
            end = at + len(word)
            ranges.append((at, end))
            at = end + 1
        boxes: list[Box4] = [word[:4] for word in group]
    else:
        if not cuts and turn == 0:
            raw, group = in_reading_order(raw, group)
        text, ranges, boxes = _careful(raw, group, cuts, turn)
        if not text:
            return None
    u0, u1 = _along(boxes, turn)
    origin = main["origin"]
    v = (origin[1], -origin[0], -origin[1], origin[0])[turn & 3]
    first = boxes[0]
    width = first[2] - first[0] if turn & 1 == 0 else first[3] - first[1]
    return Line(text, u0, u1, v, main["size"], _is_bold(main, spans), turn, ranges, boxes, width)


def _is_bold(main: dict[str, Any], spans: list[dict[str, Any]]) -> bool:
    """Say whether all letters are bold; the longest span decides for most lines."""
    if not (main["flags"] & _BOLD or "bold" in main["font"].lower()):
        return False
    return all(
        span["flags"] & _BOLD or "bold" in span["font"].lower()
        for span in spans
        if not span["text"].isspace()
    )


def _turn(direction: tuple[float, float]) -> int:
    """Return 0…3 for text turned clockwise by that many quarters, 4…7 for text that is more than 10° off."""
    x, y = direction
    turn = (0 if x > 0 else 2) if abs(x) >= abs(y) else (1 if y > 0 else 3)
    return turn if min(abs(x), abs(y)) < 0.17 else turn + 4


def _along(boxes: list[Box4], turn: int) -> tuple[float, float]:
    """Return the ends of the boxes in reading direction."""
    a, b = (0, 2) if turn & 1 == 0 else (1, 3)
    low, high = min([box[a] for box in boxes]), max([box[b] for box in boxes])
    return (low, high) if turn & 3 < 2 else (-high, -low)


def _mark_cuts(spans: list[dict[str, Any]]) -> dict[int, float]:
    """Return where footnote marks touch a word: offset in the line → place along x.

    A mark after a word of three letters or more, or after punctuation; so ``km²`` and ``R²`` keep theirs.
    """
    cuts: dict[int, float] = {}
    at = 0
    before = ""
    for span in spans:
        text = span["text"]
        if span["flags"] & _SUPERSCRIPT and _MARK.fullmatch(text.strip()):
            if not before:
                cuts[at + len(text)] = span["bbox"][2]
            elif before_mark(before):
                cuts[at] = span["bbox"][0]
        at += len(text)
        before += text
    return cuts


def _careful(
    raw: str, group: list[Any], cuts: dict[int, float], turn: int
) -> tuple[str, list[tuple[int, int]], list[Box4]]:
    """Return text, word ranges and boxes of a line with letters beyond ASCII or with footnote marks.

    MuPDF also ends words where the direction of writing changes, with no blank in the text.
    """
    parts: list[str] = []
    ranges: list[tuple[int, int]] = []
    boxes: list[Box4] = []
    at = length = 0
    for word, box in _cut_words(raw, group, cuts):
        found = raw.find(word, at)
        blank = found < 0 or any(letter.isspace() for letter in raw[at:found]) or found in cuts
        at = found + len(word) if found >= 0 else at
        kept = cleaned(word).strip()
        # A soft hyphen at the end of a line is a hyphen that was printed.
        if word.endswith("\u00ad") and not raw[at:].strip():
            kept += "-"
        if not kept:
            continue
        if blank and parts:
            parts.append(" ")
            length += 1
        for start, end, piece in _boxed(kept, box, turn) if has_cjk(kept) else ((0, len(kept), box),):
            ranges.append((length + start, length + end))
            boxes.append(piece)
        parts.append(kept)
        length += len(kept)
    return "".join(parts), ranges, boxes


def _cut_words(raw: str, group: list[Any], cuts: dict[int, float]) -> Iterator[tuple[str, Box4]]:
    at = 0
    for x0, y0, x1, y1, word, *_ in group:
        found = raw.find(word, at)
        inside = [] if found < 0 else sorted(cut for cut in cuts if found < cut < found + len(word))
        if found >= 0:
            at = found + len(word)
        left, start = x0, 0
        for cut in inside:
            middle = min(max(cuts[cut], left), x1)
            yield word[start : cut - found], (left, y0, middle, y1)
            left, start = middle, cut - found
        yield word[start:], (left, y0, x1, y1)


def _boxed(word: str, box: Box4, turn: int) -> Iterator[tuple[int, int, Box4]]:
    """Yield the pieces of a word with CJK letters; these are all of one width, so their boxes can be told."""
    x0, y0, x1, y1 = box
    weights = [1.0 if is_cjk(letter) else 0.5 for letter in word]
    total, done = sum(weights), 0.0
    for start, end in pieces(word):
        part = sum(weights[start:end])
        a, b = done / total, (done + part) / total
        done += part
        if turn & 3 > 1:
            a, b = 1 - b, 1 - a
        if turn & 1 == 0:
            yield start, end, (x0 + (x1 - x0) * a, y0, x0 + (x1 - x0) * b, y1)
        else:
            yield start, end, (x0, y0 + (y1 - y0) * a, x1, y0 + (y1 - y0) * b)
