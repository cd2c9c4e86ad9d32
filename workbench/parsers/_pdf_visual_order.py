"""Right-to-left lines whose words come in the order in which they lie on the page, as browsers write them."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

from workbench.parsers._letters import rtl_count


def in_reading_order(raw: str, words: list[Any]) -> tuple[str, list[Any]]:
    """Return a line and its words, which begin with their boxes, as they are read.

    They come as they are unless every right-to-left word lies right of the one before.
    """
    rtl = [word for word in words if rtl_count(word[4])]
    if len(rtl) < 2 or 2 * rtl_count(raw) <= sum(letter.isalpha() for letter in raw):
        return raw, words
    if any(b[0] <= a[0] for a, b in pairwise(rtl)):
        return raw, words
    read: list[Any] = []
    for is_foreign, group in groupby(sorted(words, key=lambda word: -word[0]), _is_foreign):
        run = list(group)
        # Words of another script run from left to right among the others; figures do not.
        read += reversed(run) if is_foreign else run
    text = read[0][4]
    for a, b in pairwise(read):
        apart = max(a[0], b[0]) - min(a[2], b[2])
        text += " " * (apart > 0.1 * (b[3] - b[1])) + b[4]
    return text, read


def _is_foreign(word: Any) -> bool:
    return not rtl_count(word[4]) and any(letter.isalpha() for letter in word[4])
