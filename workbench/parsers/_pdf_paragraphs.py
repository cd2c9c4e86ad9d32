"""Where lines run on and where they break: the paragraphs of one region of a page."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from workbench.parsers._pdf_lines import Line

RUN_ON, NEW_LINE, NEW_PARAGRAPH, NEW_REGION = range(4)
"""What stands before a line. The last is decided later: a sentence may run on over a column or a page."""

_BULLET_SIGNS = frozenset("•◦▪▫‣⁃●○■□◆►✓–—*·-")
_BULLET = re.compile(r"[•◦▪▫‣⁃●○■□◆►✓–—*·-]\s|[•◦▪‣●■►]")
_NUMBER = re.compile(
    r"(?:\(?\d{1,3}[.)]|\(?[A-Za-z][.)]|\(?[ivxIVX]{1,5}[.)]|\d{1,2}(?:\.\d{1,2}){1,4}\.?)\s"
)
_MARK_LETTERS = 7
"""So many letters a number before an item has at most, with its sign."""
_FOOTNOTE = re.compile(r"(?:\d{1,3}|[*†‡§¶]{1,3})\)? ?\S")
_LEADERS = re.compile(r"\.{4,}|(?:\. ){4,}|…{2,}")
_ENDS = frozenset(".!?:;。！？؟…")
_CLOSING = "\"'”’»)]"


def ends_sentence(text: str) -> bool:
    """Say whether a line may be the last of a sentence."""
    return text.rstrip(_CLOSING)[-1:] in _ENDS


def _has_leaders(text: str) -> bool:
    return (".." in text or ". ." in text or "……" in text) and _LEADERS.search(text) is not None


def _begins_with_number(text: str) -> bool:
    head = text[:_MARK_LETTERS]
    return ("." in head or ")" in head) and _NUMBER.match(text) is not None


def breaks(rows: list[Line]) -> tuple[list[int], list[bool]]:
    """Return what stands before each row of a region, and whether the row fills its line.

    A row fills its line when the first word of the next would not have fitted: whoever set the page had to go to
    a new line there. Where it would have fitted, the line was ended on purpose, and that is kept.
    """
    before = [NEW_REGION] + [RUN_ON] * (len(rows) - 1)
    far = max(1.02, 1.3 * _pitch(rows))
    for i, (a, b) in enumerate(pairwise(rows), start=1):
        size = a.size if a.size >= b.size else b.size
        step = (b.v - a.v) / size if size > 0 else 0.0
        if (
            step > far
            # Where every paragraph is one line, the usual way is the way between paragraphs.
            or (step > 1.6 and ends_sentence(a.text))
            or abs(a.size - b.size) > 0.08 * size
            or (a.bold != b.bold and not b.text[:1].islower())
        ):
            before[i] = NEW_PARAGRAPH
    full = [True] * len(rows)
    starts = [i for i, value in enumerate(before) if value != RUN_ON] + [len(rows)]
    widest = max([row.u1 for row in rows]) - min([row.u0 for row in rows])
    for first, last in pairwise(starts):
        _inner_breaks(rows, first, last, widest, before, full)
    # Rows of a table belong together even where rules or space stand between them.
    for i in range(1, len(rows)):
        if rows[i].cells > 1 and rows[i - 1].cells > 1 and rows[i].cells == rows[i - 1].cells:
            before[i] = NEW_LINE
    return before, full


def footnotes_start(rows: list[Line], before: list[int]) -> int:
    """Return the index of the first footnote at the end of a region, or the number of its rows."""
    if rows[-1].size >= 0.92 * max([row.size for row in rows]):
        return len(rows)
    letters: Counter[float] = Counter()
    for row in rows:
        letters[row.size] += len(row.text)
    main = letters.most_common(1)[0][0]
    first = len(rows)
    while first > 1 and rows[first - 1].size < 0.92 * main:
        first -= 1
    while first < len(rows) and not (before[first] == NEW_PARAGRAPH and _FOOTNOTE.match(rows[first].text)):
        first += 1
    return first


def _pitch(rows: list[Line]) -> float:
    """Return the usual way from line to line, as a multiple of the type size; headings and gaps do not count."""
    steps = sorted(
        [
            (b.v - a.v) / a.size
            for a, b in pairwise(rows)
            if a.size > 0 and abs(a.size - b.size) < 0.08 * a.size
        ]
    )
    return min(2.5, max(1.0, steps[int(0.3 * len(steps))])) if steps else 1.3


def _inner_breaks(
    rows: list[Line], first: int, last: int, widest: float, before: list[int], full: list[bool]
) -> None:
    """Find the breaks between rows ``first`` and ``last``, which stand in one block of even distances."""
    block = rows[first:last]
    left, right = min([row.u0 for row in block]), max([row.u1 for row in block])
    # A narrow block is a list, an address or a verse: lines of running text would go on to the margin.
    narrow = right - left < 0.45 * widest
    item = had_leaders = False
    for i in range(first, last):
        row = rows[i]
        text = row.text
        is_bullet = text[:1] in _BULLET_SIGNS and _BULLET.match(text) is not None
        row.marks = is_bullet or _begins_with_number(text)
        has_leaders = _has_leaders(text)
        if i > first:
            above = rows[i - 1]
            space = 0.25 * row.size
            fitted = above.u1 + space + row.first_width + 0.6 * row.size < right
            full[i - 1] = not fitted and not narrow
            if (
                row.cells > 1
                or above.cells > 1
                or has_leaders
                or had_leaders
                or (row.marks and (is_bullet or item or fitted or row.u0 < above.u0 - row.size))
            ):
                before[i] = NEW_LINE
            elif row.u0 - above.u0 > 0.8 * row.size and above.u0 - left < 0.5 * row.size and not item:
                # Set in: a paragraph begins, if the one above has come to an end.
                before[i] = NEW_PARAGRAPH if fitted or ends_sentence(above.text) else RUN_ON
            elif fitted or (narrow and right - above.u1 > row.first_width + space):
                before[i] = NEW_LINE
        had_leaders = has_leaders
        if before[i] != RUN_ON:
            item = row.marks
    if last - 1 >= first:
        full[last - 1] = not narrow and rows[last - 1].u1 > right - 0.1 * (right - left)
