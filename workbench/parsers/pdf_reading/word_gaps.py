"""Words that touch: MuPDF takes narrow blanks between words for none, and finds no blank after letters of some scripts.

It adds a blank only after characters below U+0700 and those of U+2000 to U+20CF: not after Vietnamese or polytonic
Greek letters, Indian scripts and the letters of formulas. (Files with blanks of their own are not concerned.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

_LONG_ON_AVERAGE, _MORE, _FEWEST_CHARACTERS = 10.5, 4, 20
"""Lines that may hold words that touch: more characters per word (blank included) than any European language has, and
a few more in all. Shorter lines are not judged: one long word would be enough.
"""
_NO_BLANK_FROM = "\u0700"
_NO_BLANK_AFTER = re.compile("[\u0700-\u0dff\u10a0-\u16ff\u1c00-\u1fff]\\S")
_BLANK = 0.13
"""MuPDF's own least blank between words is 0.15 of the type size."""
_GAP = 0.07
"""The least blank between two words, in multiples of the type size; MuPDF takes less than 0.15 for none."""

Word = tuple[Any, ...]


def blanks_between(spans: Sequence[dict[str, Any]]) -> dict[int, float]:
    """Return where a blank is missing between two spans of a horizontal line: offset in the line → place along x.

    Spans end where the type changes, as it does from the letters of a formula to the words after it.
    """
    found: dict[int, float] = {}
    at = 0
    for span, following in pairwise(spans):
        at += len(span["text"])
        last, first = span["text"][-1:], following["text"][:1]
        if last < _NO_BLANK_FROM or last.isspace() or first.isspace():
            continue
        if following["bbox"][0] - span["bbox"][2] > _BLANK * span["size"]:
            found[at] = following["bbox"][0]
    return found


def seems_tight(raw: str, words: Sequence[Word]) -> bool:
    """Say whether a line may hold more words than ``words``, which are those of ``TextPage.extractWORDS``.

    A line that was squeezed to fit its width has only narrow blanks, so MuPDF misses many of them at once.
    """
    if not raw.isascii() and _NO_BLANK_AFTER.search(raw):
        return True
    if len(raw) < _FEWEST_CHARACTERS or len(raw) <= _LONG_ON_AVERAGE * len(words):
        return False
    letters = [len(word[4]) for word in words if word[4].rstrip(",.;:").isalpha()]
    return sum(letters) > max(0.6 * len(raw), _LONG_ON_AVERAGE * len(letters) + _MORE)


def split_at_gaps(chars: Sequence[dict[str, Any]], words: Sequence[Word], size: float) -> list[Word]:
    """Return the words of a horizontal line, divided where the gap between two letters is as wide as a blank.

    ``chars`` are the characters of the line from ``TextPage.extractRAWDICT``. A word whose letters all stand apart
    by the same gap is spaced out, and stays one word.
    """
    result: list[Word] = []
    at = 0
    visible = [char for char in chars if not char["c"].isspace()]
    for word in words:
        own = visible[at : at + len(word[4])]
        if "".join(char["c"] for char in own) != word[4]:
            return list(words)
        at += len(own)
        result += _divided(own, word, size)
    return result


def _divided(chars: Sequence[dict[str, Any]], word: Word, size: float) -> list[Word]:
    gaps = [b["bbox"][0] - a["bbox"][2] for a, b in pairwise(chars)]
    if not gaps:
        return [word]
    least = max(_GAP * size, median(gaps) + _GAP * size)
    cuts = [0, *(i for i, gap in enumerate(gaps, start=1) if gap >= least), len(chars)]
    if len(cuts) == 2:
        return [word]
    return [_word(chars[first:last], word) for first, last in pairwise(cuts)]


def _word(chars: Sequence[dict[str, Any]], word: Word) -> Word:
    text = "".join(char["c"] for char in chars)
    return (chars[0]["bbox"][0], word[1], chars[-1]["bbox"][2], word[3], text, *word[5:])
