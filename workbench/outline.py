"""Where a text may be cut without harm: graphemes, words, lines and paragraphs, found without a model.

Every step looks at each character a constant number of times, whatever the text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import regex

from workbench.analysis import Ranges, TextAnalysis
from workbench.spans import Offsets, distinct, united

VERSION = 1

CodePoints = npt.NDArray[np.uint32]
Marks = npt.NDArray[np.bool_]
NARROW_CHARACTERS = 30
NONE: Ranges = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The parts of one text, coarse to fine. Blanks are in no word, so in no gap between parts is text lost.

    ``paragraphs`` are divided by blank lines, ``lines`` by line ends that were not put there to fill a
    column, ``words`` by blanks and before every ideograph. ``graphemes`` holds only those of several code points:
    the ones that a cut could break.
    """

    paragraphs: Ranges
    lines: Ranges
    words: Ranges
    graphemes: Ranges


def outline(analysis: TextAnalysis) -> Outline:
    """Return the parts of the analysed text, found once."""
    # One array with the lengths of its parts ahead; found faster than a file is read.
    kept = analysis.ranges(f"outline {VERSION} {regex.__version__}", _outline, on_disk=False)
    paragraphs, lines, words = np.cumsum([2, *kept[:2].ravel()[:3]]).tolist()[1:]
    return Outline(kept[2:paragraphs], kept[paragraphs:lines], kept[lines:words], kept[words:])


def _outline(text: str) -> Ranges:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    graphemes = long_graphemes(text, codes)
    words = _words(codes, graphemes)
    ends = _line_ends(codes, words)
    paragraphs = _joined(words, ends >= 2)
    lines = _joined(words, _real_line_ends(text, words, ends))
    counts = np.array([[len(paragraphs), len(lines)], [len(words), len(graphemes)]], np.int64)
    return np.concatenate([counts, paragraphs, lines, words, graphemes])


# ── graphemes ────────────────────────────────────────────────────────────────────────────────────────────────────

# Two neighbours hold together only if one of them is of these kinds (UAX 29), or they are CR and LF.
_JOINING = "".join(
    f"\\p{{Grapheme_Cluster_Break={kind}}}"
    for kind in ("Extend", "ZWJ", "SpacingMark", "Prepend", "Regional_Indicator", "L", "V", "T", "LV", "LVT")
)
_FIRST_JOINING = 0x300


def long_graphemes(text: str, codes: CodePoints) -> Ranges:
    """Return the graphemes of more than one code point."""
    joining = _joining(text, codes)
    if not len(joining):
        return NONE
    # Runs of joining characters with at most one other between them, and one more on each side: whatever
    # is not in a run is a grapheme by itself.
    gaps = np.flatnonzero(np.diff(joining) > 2)
    firsts = np.maximum(joining[np.concatenate([[0], gaps + 1])] - 1, 0)
    lasts = np.minimum(joining[np.concatenate([gaps, [len(joining) - 1]])] + 2, len(text))
    grapheme = regex.compile(r"\X")
    found = [
        (start + piece.start(), start + piece.end())
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        for start, run in _short_of_flags(text[first:last], first)
        for piece in grapheme.finditer(run)
        if piece.end() - piece.start() > 1
    ]
    return np.array(found, np.int64).reshape(-1, 2)


_FLAGS_AT_ONCE = 64
_MANY_FLAGS = regex.compile(rf"\p{{Regional_Indicator}}{{{2 * _FLAGS_AT_ONCE},}}")


def _short_of_flags(run: str, start: int) -> Iterator[tuple[int, str]]:
    """Yield ``run`` with its place; where it holds flag upon flag, in parts of a few flags each.

    Flags are pairs, counted from the first one: looking for the end of each, ``\\X`` counts all those before it.
    """
    cuts = [
        place
        for flags in (_MANY_FLAGS.finditer(run) if len(run) > 2 * _FLAGS_AT_ONCE else ())
        for place in range(flags.start() + 2 * _FLAGS_AT_ONCE, flags.end(), 2 * _FLAGS_AT_ONCE)
    ]
    for first, last in pairwise([0, *cuts, len(run)]):
        yield start + first, run[first:last]


def _joining(text: str, codes: CodePoints) -> Offsets:
    """Return the places of characters that may hold together with a neighbour."""
    joins = np.zeros(len(codes), np.bool_)
    if "\r\n" in text:
        joins |= codes == 0x0D
    if not text.isascii():
        rare = codes >= _FIRST_JOINING
        seen = np.zeros(sys.maxunicode + 1, np.bool_)
        seen[codes[rare]] = True
        kinds = regex.findall(f"[{_JOINING}]", "".join(map(chr, np.flatnonzero(seen).tolist())))
        table = np.zeros(sys.maxunicode + 1, np.bool_)
        table[[ord(kind) for kind in kinds]] = True
        joins |= table[codes]
    return np.flatnonzero(joins)


def snapped(offsets: Offsets, graphemes: Ranges) -> Offsets:
    """Return the offsets, those inside a grapheme moved to its beginning."""
    if not len(graphemes):
        return offsets
    holder = np.maximum(np.searchsorted(graphemes[:, 0], offsets, side="left") - 1, 0)
    inside = (graphemes[holder, 0] < offsets) & (offsets < graphemes[holder, 1])
    return np.where(inside, graphemes[holder, 0], offsets)


def outside_graphemes(offsets: Offsets, graphemes: Ranges) -> Offsets:
    """Return the offsets that do not lie inside one of the ``graphemes``."""
    if not len(graphemes):
        return offsets
    whole: Offsets = offsets[snapped(offsets, graphemes) == offsets]
    return whole


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────

_IDEOGRAPHS = (
    (0x3041, 0x3096),
    (0x30A1, 0x30FA),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


@cache
def _tables() -> tuple[Any, Any]:
    """Return which code points are blanks, and how many line ends each is; the last entry is for all above."""
    codes = range(0x3001)
    blanks = np.array([chr(code).isspace() for code in codes] + [False])
    ends = np.zeros(len(blanks), np.uint8)
    ends[[0x0A, 0x0D, 0x85, 0x2028]] = 1
    ends[0x2029] = 2
    return blanks, ends


def _looked_up(codes: CodePoints, table: Any) -> Any:
    return table[np.minimum(codes, len(table) - 1)]


def _words(codes: CodePoints, graphemes: Ranges) -> Ranges:
    solid = ~_looked_up(codes, _tables()[0])
    change = np.flatnonzero(np.diff(solid, prepend=False, append=False)).astype(np.int64)
    words = change.reshape(-1, 2)
    # Scripts without blanks between words: every ideograph may begin a piece.
    ideograph = np.zeros(len(codes), np.bool_)
    if len(codes) and int(codes.max()) >= _IDEOGRAPHS[0][0]:
        for first, last in _IDEOGRAPHS:
            ideograph |= (codes >= first) & (codes <= last)
    return divided(words, outside_graphemes(np.flatnonzero(ideograph), graphemes))


def divided(ranges: Ranges, cuts: Offsets) -> Ranges:
    """Return the ranges cut at the ``cuts`` that lie inside them; ranges are disjoint, both are increasing.

    >>> divided(np.array([[0, 4], [5, 9]]), np.array([2, 4, 5, 7])).tolist()
    [[0, 2], [2, 4], [5, 7], [7, 9]]
    """
    if not len(cuts) or not len(ranges):
        return ranges
    holder = np.searchsorted(ranges[:, 0], cuts, side="left") - 1
    inside = cuts[(holder >= 0) & (cuts < ranges[np.maximum(holder, 0), 1])]
    if not len(inside):
        return ranges
    return np.stack([united(ranges[:, 0], inside), united(ranges[:, 1], inside)], axis=1)


def fitted(ranges: Ranges, words: Ranges) -> Ranges:
    """Return the ranges without blanks at their ends, empty ones left out."""
    if not len(ranges) or not len(words):
        return NONE
    first = np.searchsorted(words[:, 1], ranges[:, 0], side="right")
    last = np.searchsorted(words[:, 0], ranges[:, 1], side="left") - 1
    kept = first <= last
    starts = np.maximum(ranges[kept, 0], words[first[kept], 0])
    ends = np.minimum(ranges[kept, 1], words[last[kept], 1])
    return np.stack([starts, ends], axis=1)


# ── lines and paragraphs ─────────────────────────────────────────────────────────────────────────────────────────


def _line_ends(codes: CodePoints, words: Ranges) -> Offsets:
    """Return how many line ends stand before each word; a paragraph separator counts as two."""
    weights = _looked_up(codes, _tables()[1])
    weights[:-1][(codes[:-1] == 0x0D) & (codes[1:] == 0x0A)] = 0
    # Few characters are line ends: whatever is counted between words, is counted on those alone.
    places = np.flatnonzero(weights)
    over = np.concatenate([np.zeros(1, np.int64), np.cumsum(weights[places], dtype=np.int64)])
    before = np.zeros(len(words), np.int64)
    following = np.searchsorted(words[:, 0], places, side="right")
    inner = (following > 0) & (following < len(words))
    np.add.at(before, following[inner], np.diff(over)[inner])
    return before


def _real_line_ends(text: str, words: Ranges, ends: Offsets) -> Marks:
    """Mark the words that begin a line of their own: items, verses, code.

    The text of a PDF also has line ends where a column was full. There the next word would not have fitted into
    the line before; where it would have, the writer meant the line to end, unless a small letter goes on after
    a letter, a figure or a comma.
    """
    marks: Marks = ends >= 1
    if not marks.any():
        return marks
    firsts = united(np.zeros(1, np.int64), np.flatnonzero(marks))
    lasts = np.concatenate([firsts[1:], [len(words)]]) - 1
    # The column is as wide as the widest line of the paragraph.
    paragraph = np.cumsum(ends[firsts] >= 2)
    column = np.zeros(int(paragraph[-1]) + 1, np.int64)
    np.maximum.at(column, paragraph, words[lasts, 1] - words[firsts, 0])
    needed = words[lasts[:-1], 1] - words[firsts[:-1], 0] + 1 + words[firsts[1:], 1] - words[firsts[1:], 0]
    # Letters differ in width: a tenth is left for that. Nobody sets running text in a narrow column.
    available = column[paragraph[:-1]]
    wrapped = (needed * 10 > available * 9) & (available >= NARROW_CHARACTERS)
    borders = zip(words[lasts[:-1], 1].tolist(), words[firsts[1:], 0].tolist(), strict=True)
    wrapped |= [text[b].islower() and (text[a - 1].isalnum() or text[a - 1] in ",-") for a, b in borders]
    marks[firsts[1:]] = ~wrapped | (ends[firsts[1:]] >= 2)
    return marks


def _joined(words: Ranges, begins: Marks) -> Ranges:
    if not len(words):
        return NONE
    firsts = distinct(np.concatenate([np.zeros(1, np.int64), np.flatnonzero(begins)]))
    lasts = np.concatenate([firsts[1:], [len(words)]]) - 1
    return np.stack([words[firsts, 0], words[lasts, 1]], axis=1)
