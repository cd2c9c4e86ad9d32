"""Running headers and footers: lines that come again and again at the same place in the margin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from workbench.parsers._pdf_pages import PageText

_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_MARGIN = 0.14
"""The share of the page's height, above and below, in which running lines stand."""
_FEWEST_PAGES = 3

_Place = tuple[str, int]


def repeated_lines(pages: Sequence[PageText]) -> list[frozenset[int]]:
    """Return, for every page, the indices of its lines that also stand on other pages, but for numbers."""
    found = [_margin_lines(page) for page in pages]
    counts: Counter[_Place] = Counter()
    for lines in found:
        counts.update({place for _, place in lines})
    few = max(_FEWEST_PAGES, len(pages) // 50)

    def often(place: _Place) -> bool:
        text, height = place
        # Places are rounded: a line near an edge of its step is counted with the neighbouring step.
        return sum(counts[text, height + step] for step in (-1, 0, 1)) >= few

    return [frozenset(index for index, place in lines if often(place)) for lines in found]


def _margin_lines(page: PageText) -> list[tuple[int, _Place]]:
    if page.height <= 0 or not page.text:
        return []
    tops, bottoms = page.line_boxes[:, 1], page.line_boxes[:, 3]
    in_margin = np.flatnonzero((bottoms < _MARGIN * page.height) | (tops > (1 - _MARGIN) * page.height))
    if not len(in_margin):
        return []
    lines = page.lines
    return [
        (index, (_DIGITS.sub("#", lines[index].casefold()), round(float(tops[index]) / 6)))
        for index in in_margin.tolist()
    ]
