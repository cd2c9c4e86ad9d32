"""Cells of a table shown apart: a document's text has tabs between them, and a tab looks like a blank."""

from __future__ import annotations

import html

CELL_GAP = "\u2003"
"""An em space: programs that draw text collapse a tab into a blank, but leave this as wide as it is."""

# The padding stands before the tab, so that cells still begin at its stops, below each other.
_GAP_HTML = '<span class="cell-gap" style="padding-inline-start: 0.9em">\t</span>'


def one_line(text: str) -> str:
    """Return a text on one line, runs of blanks as one, its cells an em space apart.

    >>> one_line("118\\t27 %\\n of all")
    '118\\u200327 % of all'
    """
    return CELL_GAP.join(filter(None, (" ".join(cell.split()) for cell in text.split("\t"))))


def cells_apart(text: str) -> str:
    """Return a text with an em space for every tab: for what draws plain text over several lines.

    >>> cells_apart("118\\t27 %\\n")
    '118\\u200327 %\\n'
    """
    return text.replace("\t", CELL_GAP)


def escaped_cells(text: str) -> str:
    """Return a text as HTML with its cells apart; what could be markup in it is escaped.

    >>> escaped_cells("<b>")
    '&lt;b&gt;'
    """
    return cells_in_html(html.escape(text))


def cells_in_html(markup: str) -> str:
    """Return escaped text with a wide gap at every tab; what is copied from the page still has the tabs."""
    return markup.replace("\t", _GAP_HTML)
