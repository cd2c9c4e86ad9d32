"""The printed lines of one PDF page, as MuPDF finds them, with the boxes of their words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Any

import pymupdf

from workbench.parsers._letters import before_mark, cleaned, has_cjk, is_cjk, pieces, rtl_count
from workbench.parsers.pdf_reading.right_to_left import right_to_left_chars, words_in_reading_order
from workbench.parsers.pdf_reading.word_gaps import blanks_between, seems_tight, split_at_gaps

# Ligatures are spelled out by MuPDF when PRESERVE_LIGATURES is left out; characters that a font does not explain
# come as U+FFFD, not as numbers that look like letters; pictures are not loaded.
_FLAGS = pymupdf.TEXT_MEDIABOX_CLIP
_SUPERSCRIPT, _BOLD = 1, 16
_MARK = re.compile(r"[\d*†‡§¶]{1,3}")
# Latin letters and the signs of print: nothing that clean-up would change, but for letters that are not composed.
_PLAIN = re.compile("[ -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]+")

_RIGHT = itemgetter(2)

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
    marks: bool = False
    spots: Sequence[tuple[float, float]] = ()
    """Where the cells of a table's row begin and end along it; empty for other lines."""


@dataclass(slots=True)
class PageLines:
    """What MuPDF finds on a page."""

    lines: list[Line]
    """In the order of the file."""
    text: str
    """All characters as MuPDF gives them, before any clean-up."""
    repeats: list[tuple[Box4, str]]
    """Lines that are drawn a second time at the place of an equal one, which is how some programs make bold letters."""


def page_lines(page: Any) -> PageLines:
    """Return the lines of a ``pymupdf.Page``. MuPDF leaves out what lies outside of what is displayed."""
    text_page = page.get_textpage(flags=_FLAGS)
    text = text_page.extractText()
    has_rtl = rtl_count(text) > 0
    if has_rtl:
        # Spelled out, a ligature is two letters at one place, of which the second may be taken for one drawn twice.
        text_page = page.get_textpage(flags=_FLAGS | pymupdf.TEXT_PRESERVE_LIGATURES)
        text = text_page.extractText()
    words = text_page.extractWORDS()
    if not words and not text.strip():
        return PageLines([], text, [])
    chars = right_to_left_chars(page, text_page) if has_rtl else {}
    result: list[Line] = []
    repeats: list[tuple[Box4, str]] = []
    # Places of lines whose text is drawn more than once.
    drawn: dict[str, _Places] = {}
    tight: dict[tuple[int, int], list[dict[str, Any]]] | None = None
    matched = list(_matched(text_page.extractDICT()["blocks"], words))
    for raw, count in Counter([entry[0] for entry in matched]).items():
        if count > 1:
            drawn[raw] = {}
    for raw, spans, direction, box, group in matched:
        if (places := drawn.get(raw)) is not None:
            if _is_near(places, box, spans[0]["size"]):
                repeats.append((box, raw))
                continue
            places.setdefault(_cell_of(box), []).append(box)
        if chars and (letters := chars.get(group[0][5:7])):
            group = words_in_reading_order(letters, spans[0]["size"]) or group
            raw = _with_blanks(group)
            # The spans' own letters are in the order of the file, and their places no longer those in the line.
            spans = [{**_main_span(spans), "text": raw}]
        elif direction[0] == 1 and seems_tight(raw, group):
            tight = tight or _chars_by_line(text_page)
            divided = split_at_gaps(tight.get(group[0][5:7], ()), group, spans[0]["size"])
            if len(divided) > len(group):
                group, raw = divided, " ".join([word[4] for word in divided])
                spans = [{**_main_span(spans), "text": raw}]
        line = _line(raw, spans, direction, group)
        if line is not None:
            result.append(line)
    return PageLines(result, text, repeats)


def _chars_by_line(text_page: Any) -> dict[tuple[int, int], list[dict[str, Any]]]:
    return {
        (block["number"], index): [char for span in line["spans"] for char in span["chars"]]
        for block in text_page.extractRAWDICT()["blocks"]
        for index, line in enumerate(block.get("lines", ()))
    }


def _with_blanks(group: list[Any]) -> str:
    """Return the words with blanks between them, but not before a sign that touches what it follows."""
    text = group[0][4]
    for before, word in pairwise(group):
        apart = max(word[0], before[0]) - min(word[2], before[2])
        height = before[3] - before[1]
        text += " " * (apart > 0.1 * height) + word[4]
    return str(text)


_Matched = tuple[str, list[dict[str, Any]], tuple[float, float], Box4, list[Any]]
"""A line's text, its spans, its direction, its box and its words."""


def _matched(blocks: list[dict[str, Any]], words: list[Any]) -> Iterator[_Matched]:
    """Yield each line with its words, which are told by MuPDF's number of block and line.

    The two lists do not hold the same characters (words leave control characters out), so they cannot be walked in
    step. Nothing that only one of them has is dropped.
    """
    firsts = [i for i, word in enumerate(words) if word[7] == 0]
    by_line = {words[a][5:7]: words[a:b] for a, b in pairwise([*firsts, len(words)])}
    for block in blocks:
        lines = block.get("lines")
        if not lines:
            continue
        number = block["number"]
        found: list[_Matched] = []
        fits = True
        for index, line in enumerate(lines):
            spans = line["spans"]
            raw = spans[0]["text"] if len(spans) == 1 else "".join([span["text"] for span in spans])
            group = by_line.get((number, index))
            if group is None:
                fits = fits and not raw.strip()
            else:
                fits = fits and group[0][4] in raw
                found.append((raw, spans, line["dir"], line["bbox"], group))
        if not fits:
            own = [group for (block_number, _), group in by_line.items() if block_number == number]
            found = list(_matched_by_text(lines, own))
        yield from found


def _matched_by_text(lines: list[dict[str, Any]], groups: list[list[Any]]) -> Iterator[_Matched]:
    """Yield the lines of a block with the words that have the same text: their numbers do not fit.

    A line that only one of the lists has shifts the numbers of those after it.
    """
    left = {n: "".join(word[4] for word in group) for n, group in enumerate(groups)}
    for line in lines:
        raw = "".join(span["text"] for span in line["spans"])
        text = "".join(raw.split())
        if not text:
            continue
        same = next((n for n, other in left.items() if other in text), None)
        if same is None:
            group = [(*line["bbox"], word) for word in raw.split()]
        else:
            group = groups[same]
            del left[same]
        yield raw, line["spans"], line["dir"], line["bbox"], group
    for n in left:
        group = groups[n]
        raw = " ".join(word[4] for word in group)
        box = _around([word[:4] for word in group])
        size = 0.8 * (group[0][3] - group[0][1])
        span = {"text": raw, "size": size, "flags": 0, "font": "", "origin": (box[0], box[3]), "bbox": box}
        yield raw, [span], (1.0, 0.0), box, group


def _around(boxes: list[Box4]) -> Box4:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


_NEAREST = 2.0
"""Points within which an equal line is one drawn again, or less for small type."""
_Places = dict[tuple[int, int], list[Box4]]
"""Boxes by a grid of that width, so that a thousand equal lines are not compared with each other."""


def _cell_of(box: Box4) -> tuple[int, int]:
    return int(box[0] // _NEAREST), int(box[1] // _NEAREST)


def _is_near(places: _Places, box: Box4, size: float) -> bool:
    """Say whether an equal line was drawn at nearly the same place."""
    near = min(_NEAREST, 0.15 * size)
    column, row = _cell_of(box)
    return any(
        abs(other[0] - box[0]) <= near and abs(other[1] - box[1]) <= near
        for x in (column - 1, column, column + 1)
        for y in (row - 1, row, row + 1)
        for other in places.get((x, y), ())
    )


def _line(
    raw: str, spans: list[dict[str, Any]], direction: tuple[float, float], group: list[Any]
) -> Line | None:
    turn = 0 if direction[0] == 1 else _turn(direction)
    main = spans[0]
    size = main["size"]
    cuts: dict[int, float] | None = None
    if len(spans) > 1:
        if len({span["size"] for span in spans}) > 1:
            main = _main_span(spans)
            size = main["size"]
        if any(span["flags"] & _SUPERSCRIPT for span in spans):
            cuts = _mark_cuts(spans)
        if turn == 0 and not raw.isascii():
            cuts = (cuts or {}) | blanks_between(spans)
    plain = [word[4] for word in group]
    text = " ".join(plain)
    if not cuts and _is_plain(raw) and (raw == text or raw.split() == plain):
        ranges: list[tuple[int, int]] = []
        at = 0
        for length in map(len, plain):
            ranges.append((at, at + length))
            at += length + 1
        boxes: list[Box4] = [word[:4] for word in group]
    else:
        text, ranges, boxes = _cleaned_line(raw, group, cuts or {}, turn)
        if not text:
            return None
    first = boxes[0]
    if turn == 0:
        u0, u1 = min(boxes)[0], max(map(_RIGHT, boxes))
        v, width = main["origin"][1], first[2] - first[0]
    else:
        u0, u1 = _along(boxes, turn)
        x, y = main["origin"]
        v = (y, -x, -y, x)[turn & 3]
        width = first[2] - first[0] if turn & 1 == 0 else first[3] - first[1]
    bold = _is_bold_font(main) and (
        len(spans) == 1 or all(_is_bold_font(span) for span in spans if span["text"].strip())
    )
    return Line(text, u0, u1, v, size, bold, turn, ranges, boxes, width)


def _is_plain(raw: str) -> bool:
    """Say whether clean-up would leave every word as it is."""
    if raw.isascii():
        return raw.isprintable()
    return _PLAIN.fullmatch(raw) is not None and unicodedata.is_normalized("NFC", raw)


def _main_span(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first span of the type size in which most of a line is set."""
    lengths: dict[float, int] = {}
    for span in spans:
        size = span["size"]
        lengths[size] = lengths.get(size, 0) + len(span["text"])
    size = max(lengths, key=lengths.__getitem__)
    return next(span for span in spans if span["size"] == size)


def _is_bold_font(span: dict[str, Any]) -> bool:
    return bool(span["flags"] & _BOLD) or "bold" in span["font"].lower()


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

    A mark after a word of three letters or more, after a year or after punctuation; so ``km²`` and ``R²`` keep theirs.
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


def _cleaned_line(
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
