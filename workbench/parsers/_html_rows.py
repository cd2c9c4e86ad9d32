"""Rows of a table while a page is read: which column each cell is in, and whether the row holds data or layout."""

from __future__ import annotations

from typing import Any

MOST_SPANNED = 20
"""So many columns of a row may be there only because a cell spans several: beyond that it is layout, or mischief."""
_MOST_ROWS = 1_000


class Row:
    """One row. ``is_data``: until now no cell holds more than one paragraph, so that the row can be one line."""

    def __init__(self, table: Table, joint: int) -> None:
        self.in_cell = False
        self.cell_has_words = False
        self.is_data = True
        self.alt = ""
        """What the first picture of the cell stands for: the cell's text where there is no other."""
        self.joints: list[tuple[int, int, int]] = []
        """Of the first words of each cell: the place of what stands before them, its kind, and how many tabs."""
        self._table = table
        self._joint = joint
        self._cells = 0
        self._column = -1
        self._next_column = 0
        self._last_column = 0
        self._spanned = 0

    def open_cell(self, element: Any) -> None:
        """Go on to the next cell, past columns that cells of rows above reach down into."""
        self._skip_spanned()
        self._cells += 1
        self._column = self._next_column
        wide = min(_span(element, "colspan"), 1 + MOST_SPANNED - self._spanned)
        self._spanned += wide - 1
        self._next_column += wide
        high = _span(element, "rowspan")
        if high > 1:
            self._table.reach_down(self._column, wide, high)
        self.in_cell, self.cell_has_words, self.alt = True, False, ""

    def close_cell(self) -> None:
        """Note that what follows is in no cell."""
        self.in_cell = False

    def add_word(self, place: int, joint: int, *, starts_paragraph: bool) -> None:
        """Note the part of the page's text that stands before a word."""
        if not self.in_cell:
            self.is_data = False
        elif self.cell_has_words:
            self.is_data = self.is_data and not starts_paragraph
        else:
            self.joints.append((place, 0 if self.joints else self._joint, self._column - self._last_column))
            self._last_column = self._column
            self.cell_has_words = True

    def finish(self) -> None:
        """Count the columns behind the last cell that cells of rows above reach down into."""
        self._skip_spanned()

    @property
    def is_table_row(self) -> bool:
        """Whether the row is to be one line: data in at least two cells, some of them with words."""
        return self.is_data and self._cells > 1 and bool(self.joints)

    @property
    def tabs_left(self) -> int:
        """How many cells without words there are behind the last word."""
        return self._next_column - 1 - self._last_column

    def _skip_spanned(self) -> None:
        while self._next_column in self._table.spans and self._spanned < MOST_SPANNED:
            self._next_column += 1
            self._spanned += 1


class Table:
    """One table that is open: its row, and which columns are taken by cells of rows above."""

    def __init__(self) -> None:
        self.row: Row | None = None
        self.spans: dict[int, int] = {}
        """Column → for how many more rows a cell reaches down into it."""
        self._new_spans: dict[int, int] = {}

    def open_row(self, joint: int) -> Row:
        """Begin a row that is to stand behind ``joint``."""
        self.row = Row(self, joint)
        return self.row

    def close_row(self) -> Row | None:
        """End the row that is open, if one is, and return it."""
        row, self.row = self.row, None
        if row is None:
            return None
        row.finish()
        left = {column: rows - 1 for column, rows in self.spans.items() if rows > 1}
        self.spans = {**left, **self._new_spans}
        self._new_spans = {}
        return row

    def reach_down(self, column: int, wide: int, high: int) -> None:
        """Take the columns of a cell in the rows below it."""
        for one in range(column, column + wide):
            if len(self._new_spans) < MOST_SPANNED:
                self._new_spans[one] = high - 1


def _span(element: Any, name: str) -> int:
    """Return how many columns or rows a cell spans, as browsers read it."""
    value = (element.get(name) or "").strip()[:5]
    return min(max(1, int(value)), _MOST_ROWS) if value.isdecimal() else 1
