"""Running headers and footers: lines that come again and again at the same place in the margin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

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
    result = []
    for index, line in enumerate(page.lines):
        top, bottom = float(page.line_boxes[index, 1]), float(page.line_boxes[index, 3])
        if bottom < _MARGIN * page.height or top > (1 - _MARGIN) * page.height:
            result.append((index, (_DIGITS.sub("#", line.casefold()), round(top / 6))))
    return result
