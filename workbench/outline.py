"""Where a text may be cut without harm: graphemes, words, lines and paragraphs, found without a model.

Every function looks at each character a constant number of times, whatever the text; ``outline`` keeps the
answers in the memory of the analysis.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import regex

from workbench.analysis import Ranges, TextAnalysis
from workbench.spans import Offsets

VERSION = 1

CodePoints = npt.NDArray[np.uint32]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The parts of one text, coarse to fine. Blanks are in no word, so in no gap between parts is text lost.

    ``paragraphs`` are divided by blank lines, ``lines`` by line ends that were not put there to fill a
    column, ``words`` by blanks and before every ideograph. ``graphemes`` holds only those of several code points.
    """

    paragraphs: Ranges
    lines: Ranges
    words: Ranges
    graphemes: Ranges


def outline(analysis: TextAnalysis) -> Outline:
    """Return the parts of the analysed text, found once."""

    def kept(name: str, split: Any) -> Ranges:
        # Found faster than a file is read.
        return analysis.ranges(f"{name} {VERSION} {regex.__version__}", split, on_disk=False)

    graphemes = kept("graphemes", long_graphemes)
    words = kept("words", lambda text: _words(text, graphemes))
    return Outline(
        kept("paragraphs", lambda text: _joined_words(text, words, _line_ends(text, words) >= 2)),
        kept("lines", lambda text: _joined_words(text, words, _real_line_ends(text, words))),
        words,
        graphemes,
    )


# ── graphemes ────────────────────────────────────────────────────────────────────────────────────────────────────


def long_graphemes(text: str) -> Ranges:
    r"""Return the graphemes of more than one code point (UAX 29): the only ones that a cut could break.

    >>> long_graphemes("e\u0301a\r\n").tolist()
    [[0, 2], [3, 5]]
    """
    if text.isascii() and "\r\n" not in text:
        return np.zeros((0, 2), np.int64)
    gathered, grapheme = _grapheme_patterns()
    return _ranges(
        [
            piece.span()
            for run in gathered.finditer(text)
            for piece in grapheme.finditer(text, run.start(), run.end())
            if piece.end() - piece.start() > 1
        ]
    )


@cache
def _grapheme_patterns() -> tuple[Any, Any]:
    # Two neighbours hold together only if one of them is of these kinds: runs around them are looked at closely,
    # the rest of the text is skipped at the speed of a character class.
    kinds = ("Extend", "ZWJ", "SpacingMark", "Prepend", "Regional_Indicator", "L", "V", "T", "LV", "LVT")
    joining = "[\\r" + "".join(f"\\p{{Grapheme_Cluster_Break={kind}}}" for kind in kinds) + "]"
    other = joining.replace("[", "[^", 1)
    run = f"{other}?{joining}++(?:{other}{joining}++)*+{other}?"
    return regex.compile(run, regex.DOTALL), regex.compile(r"\X")


def snapped(offsets: Offsets, graphemes: Ranges) -> Offsets:
    """Return the offsets, those inside a grapheme moved to its beginning."""
    if not len(graphemes):
        return offsets
    holder = np.maximum(np.searchsorted(graphemes[:, 0], offsets, side="left") - 1, 0)
    inside = (graphemes[holder, 0] < offsets) & (offsets < graphemes[holder, 1])
    return np.where(inside, graphemes[holder, 0], offsets)


def outside_graphemes(offsets: Offsets, graphemes: Ranges) -> Offsets:
    """Return the offsets that do not lie inside one of the ``graphemes``."""
    whole: Offsets = offsets[snapped(offsets, graphemes) == offsets]
    return whole


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────

_BLANKS = [code for code in range(sys.maxunicode + 1) if chr(code).isspace()]
_IDEOGRAPHS = (
    (0x3041, 0x3096),
    (0x30A1, 0x30FA),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def code_points(text: str) -> CodePoints:
    """Return the code points as ``(n,) uint32``."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


def _blank(codes: CodePoints) -> Marks:
    table = np.zeros(_BLANKS[-1] + 2, np.bool_)
    table[_BLANKS] = True
    blank: Marks = table[np.minimum(codes, len(table) - 1)]
    return blank


def _words(text: str, graphemes: Ranges) -> Ranges:
    codes = code_points(text)
    solid = ~_blank(codes)
    change = np.flatnonzero(np.diff(solid, prepend=False, append=False))
    starts, ends = change[0::2].astype(np.int64), change[1::2].astype(np.int64)
    if not text.isascii():
        # Scripts without blanks between words: every ideograph may begin a piece.
        ideograph = np.zeros(len(codes), np.bool_)
        for first, last in _IDEOGRAPHS:
            ideograph |= (codes >= first) & (codes <= last)
        return divided(
            np.stack([starts, ends], axis=1), outside_graphemes(np.flatnonzero(ideograph), graphemes)
        )
    return np.stack([starts, ends], axis=1)


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
    starts = np.union1d(ranges[:, 0], inside)
    ends = np.union1d(ranges[:, 1], inside)
    return np.stack([starts, ends], axis=1)


def fitted(ranges: Ranges, words: Ranges) -> Ranges:
    """Return the ranges without blanks at their ends, empty ones left out."""
    if not len(ranges) or not len(words):
        return np.zeros((0, 2), np.int64)
    first = np.searchsorted(words[:, 1], ranges[:, 0], side="right")
    last = np.searchsorted(words[:, 0], ranges[:, 1], side="left") - 1
    kept = first <= last
    starts = np.maximum(ranges[kept, 0], words[first[kept], 0])
    ends = np.minimum(ranges[kept, 1], words[last[kept], 1])
    return np.stack([starts, ends], axis=1)


# ── lines and paragraphs ─────────────────────────────────────────────────────────────────────────────────────────


def _line_ends(text: str, words: Ranges) -> Offsets:
    """Return how many line ends stand before each word; a paragraph separator counts as two."""
    codes = code_points(text)
    weights = np.isin(codes, (0x0A, 0x0D, 0x85, 0x2028)).astype(np.int64)
    weights[codes == 0x2029] = 2
    weights[:-1][(codes[:-1] == 0x0D) & (codes[1:] == 0x0A)] = 0
    over = np.concatenate([[0], np.cumsum(weights)])
    before = np.zeros(len(words), np.int64)
    before[1:] = over[words[1:, 0]] - over[words[:-1, 1]]
    return before


def _real_line_ends(text: str, words: Ranges) -> Marks:
    """Mark the words that begin a line of their own: items, verses, code.

    The text of a PDF also has line ends where a column was full. There the next word would not have fitted into
    the line before; where it would have, the writer meant the line to end, unless a small letter goes on after
    a letter, a figure or a comma.
    """
    ends = _line_ends(text, words)
    marks: Marks = ends >= 1
    if not len(words) or not marks.any():
        return marks
    firsts = np.concatenate([[0], np.flatnonzero(marks)])
    firsts = np.unique(firsts)
    lasts = np.concatenate([firsts[1:], [len(words)]]) - 1
    widths = words[lasts, 1] - words[firsts, 0]
    # The column is as wide as the widest line of the paragraph.
    paragraph = np.cumsum(ends[firsts] >= 2)
    column = np.zeros(int(paragraph[-1]) + 1, np.int64)
    np.maximum.at(column, paragraph, widths)
    needed = widths[:-1] + 1 + words[firsts[1:], 1] - words[firsts[1:], 0]
    # Letters differ in width: a tenth is left for that.
    wrapped = needed * 10 > column[paragraph[:-1]] * 9
    borders = zip(words[lasts[:-1], 1].tolist(), words[firsts[1:], 0].tolist(), strict=True)
    wrapped |= [text[b].islower() and (text[a - 1].isalnum() or text[a - 1] in ",-") for a, b in borders]
    marks[firsts[1:]] = ~wrapped | (ends[firsts[1:]] >= 2)
    return marks


def _joined_words(text: str, words: Ranges, begins: Marks) -> Ranges:
    if not len(words):
        return np.zeros((0, 2), np.int64)
    firsts = np.union1d([0], np.flatnonzero(begins))
    lasts = np.concatenate([firsts[1:], [len(words)]]) - 1
    return np.stack([words[firsts, 0], words[lasts, 1]], axis=1)


def _ranges(pairs: list[tuple[int, int]]) -> Ranges:
    return np.array(pairs, np.int64).reshape(-1, 2)
