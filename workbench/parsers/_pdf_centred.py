"""Rows of tables whose cells are centred from top to bottom: cells of two lines and of one share no baseline."""

from __future__ import annotations

from itertools import pairwise

from workbench.parsers._pdf_lines import Line

_MOST_LINES = 40
"""A cell with more lines is no cell."""


def centred(printed: list[list[Line]], at: int) -> tuple[list[list[Line]], int] | None:
    """Return the cells of the row that begins with the printed line at ``at``, from the left, and where it ends.

    None where there is no such row.
    One stands apart from what is above and below, and the middle of every cell is at one height.
    """
    leading = _leading(printed, at)
    if leading is None or (at and _way(printed, at) <= 1.05 * leading):
        return None
    end = at + 1
    while end < len(printed) and end - at <= _MOST_LINES and _way(printed, end) <= 1.05 * leading:
        end += 1
    parts = [part for row in printed[at:end] for part in row]
    size = parts[0].size
    if end - at > _MOST_LINES or any(abs(part.size - size) > 0.25 * size for part in parts):
        return None
    cells = _cells(parts)
    if len(cells) < 2 or len({len(cell) for cell in cells}) == 1:
        return None
    middles = [(cell[0].v + cell[-1].v) / 2 for cell in cells]
    if max(middles) - min(middles) > 0.12 * size:
        return None
    even = all(abs(b.v - a.v - leading) < 0.1 * size for cell in cells for a, b in pairwise(cell))
    # Figures below each other are rows of their own beside a cell that spans them.
    figures = any(
        len(cell) > 1 and not any(letter.isalpha() for part in cell for letter in part.text) for cell in cells
    )
    return (cells, end) if even and not figures else None


def _way(printed: list[list[Line]], i: int) -> float:
    return printed[i][0].v - printed[i - 1][0].v


def _leading(printed: list[list[Line]], at: int) -> float | None:
    """Return how far the first part that goes on below does so: one or two printed lines down, with others between."""
    if len(printed[at]) > _MOST_LINES:
        return None
    for row in printed[at + 1 : at + 3]:
        for part in row[:_MOST_LINES]:
            for above in printed[at]:
                if part.u0 < above.u1 and above.u0 < part.u1:
                    way = part.v - above.v
                    return way if 0.9 * part.size < way < 1.5 * part.size else None
    return None


def _cells(parts: list[Line]) -> list[list[Line]]:
    """Return the parts by column, each from top to bottom."""
    cells: list[list[Line]] = []
    end = 0.0
    for part in sorted(parts, key=lambda part: part.u0):
        if not cells or part.u0 > end:
            cells.append([])
            end = part.u1
        cells[-1].append(part)
        end = max(end, part.u1)
    for cell in cells:
        cell.sort(key=lambda part: part.v)
    return cells
