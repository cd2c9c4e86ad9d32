"""A table over the whole width of a page set in columns: columns end above it and begin again below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.parsers._pdf_lines import Line

_FEWEST_ROWS, _FEWEST_CELLS = 3, 3
_WIDTH = 0.4
"""The share of the page's text over which a table's rows reach, at least."""
_MOST_CELLS = 60
_PROSE_LETTERS = 25
_LINES_ABOVE = 8


@dataclass(slots=True)
class _Row:
    """What stands on one baseline."""

    first: int
    last: int
    """The half-open range of its lines."""
    v: float
    is_table: bool


def split_at_wide_tables(lines: list[Line]) -> list[tuple[list[Line], bool]]:
    """Return ``lines`` (sorted by ``v``) in parts, and whether each is a table with what belongs to it.

    A table is at least three rows of three cells or more over most of the width, none of which is running text.
    Titles and notes that stand between the text of the columns and a table go with the table.
    """
    left, right = min(line.u0 for line in lines), max(line.u1 for line in lines)
    rows = list(_rows(lines, left, right))
    parts: list[tuple[list[Line], bool]] = []
    done = 0
    for first, last in _runs(rows):
        begin = _begin_with_title(lines, rows, first, done, right - left)
        end = rows[last - 1].last
        if begin > done:
            parts.append((lines[done:begin], False))
        parts.append((lines[begin:end], True))
        done = end
    if done < len(lines):
        parts.append((lines[done:], False))
    return parts


def _rows(lines: Sequence[Line], left: float, right: float) -> Iterator[_Row]:
    width = right - left
    first = 0
    for i in range(1, len(lines) + 1):
        if i < len(lines) and lines[i].v - lines[first].v <= 0.3 * lines[first].size:
            continue
        parts = lines[first:i]
        is_table = (
            _FEWEST_CELLS <= len(parts) <= _MOST_CELLS
            and max([part.u1 for part in parts]) - min([part.u0 for part in parts]) > _WIDTH * width
            and not any(_is_prose(part, width) for part in parts)
        )
        yield _Row(first, i, lines[first].v, is_table)
        first = i


def _is_prose(line: Line, width: float) -> bool:
    return line.u1 - line.u0 > 0.3 * width and len(line.text) >= _PROSE_LETTERS


def _runs(rows: Sequence[_Row]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of rows that are a table; single lines between two of its rows do not end it."""
    at = 0
    while at < len(rows):
        if not rows[at].is_table:
            at += 1
            continue
        last, count, i = at + 1, 1, at + 1
        while i < len(rows) and i - last < 2:
            if rows[i].is_table:
                last, count = i + 1, count + 1
            i += 1
        if count >= _FEWEST_ROWS:
            yield at, last
        at = last


def _begin_with_title(
    lines: Sequence[Line], rows: Sequence[_Row], first: int, done: int, width: float
) -> int:
    """Return the index of the line where a table's title begins: below the text of all columns.

    A short line right under running text ends its paragraph and stays with it.
    """
    begin = rows[first].first
    for number in range(first - 1, -1, -1):
        row = rows[number]
        if row.first < done or row.is_table:
            break
        parts = lines[row.first : row.last]
        above = lines[max(0, row.first - _LINES_ABOVE) : row.first]
        if any(_is_prose(part, width) or _ends_paragraph(part, above, width) for part in parts):
            break
        begin = row.first
    return begin


def _ends_paragraph(line: Line, above: Sequence[Line], width: float) -> bool:
    """Say whether a short line is the last one of a paragraph: running text stands right above it."""
    for other in reversed(above):
        step = line.v - other.v
        if step > 1.5 * line.size:
            return False
        same_column = (
            abs(other.u0 - line.u0) < 2 * line.size and abs(other.size - line.size) < 0.08 * line.size
        )
        if step > 0.5 * line.size and same_column:
            return other.bold == line.bold and _is_prose(other, width)
    return False
