"""Empty cells of tables: a row that has nothing in a column keeps the tab of that column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from workbench.parsers._pdf_lines import Line

_FEWEST_ROWS, _FEWEST_COLUMNS = 2, 3
_MOST_COLUMNS = 60


def fill_empty_cells(rows: Sequence[Line]) -> list[Line]:
    """Return the rows of a region, with one more tab for each empty cell of a table.

    A table is a run of rows with several cells each. Its columns are told by the row with most cells; where a cell
    would lie in two columns, or two cells in one, nobody can tell, and the rows stay as they are.
    """
    if all(row.cells < _FEWEST_COLUMNS for row in rows):
        return list(rows)
    result: list[Line] = []
    for run in _runs(rows):
        columns = _columns(run)
        result += run if columns is None else [_filled(row, columns) for row in run]
    return result


def _runs(rows: Sequence[Line]) -> Iterator[list[Line]]:
    run: list[Line] = []
    for row in rows:
        if run and (row.cells < 2 or run[-1].cells < 2 or row.v - run[-1].v > 4 * row.size):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _columns(run: Sequence[Line]) -> list[tuple[float, float]] | None:
    """Return where the columns lie, or None where no cell is empty or the columns cannot be told."""
    most = max(row.cells for row in run)
    if len(run) < _FEWEST_ROWS or not _FEWEST_COLUMNS <= most <= _MOST_COLUMNS:
        return None
    if all(row.cells == most for row in run):
        return None
    columns = list(next(row for row in run if row.cells == most).spots)
    for row in run:
        places = _places(row.spots, columns)
        if places is None:
            return None
        for place, (u0, u1) in zip(places, row.spots, strict=True):
            low, high = columns[place]
            columns[place] = (min(low, u0), max(high, u1))
    if any(a[1] >= b[0] for a, b in pairwise(columns)):
        return None
    # Cells seen early may lie in a column that only grew later.
    return columns if all(_places(row.spots, columns) is not None for row in run) else None


def _places(cells: Sequence[tuple[float, float]], columns: Sequence[tuple[float, float]]) -> list[int] | None:
    """Return the column of each cell, or None where that cannot be told."""
    found: list[int] = []
    for u0, u1 in cells:
        touched = [i for i, (low, high) in enumerate(columns) if u0 < high and low < u1]
        if len(touched) != 1 or (found and touched[0] <= found[-1]):
            return None
        found.append(touched[0])
    return found


def _filled(row: Line, columns: Sequence[tuple[float, float]]) -> Line:
    if row.cells == len(columns):
        return row
    places = _places(row.spots, columns) or []
    cells = row.text.split("\t")
    wanted = [""] * len(columns)
    for place, cell in zip(places, cells, strict=True):
        wanted[place] = cell
    # Each word moves by the tabs that come before its cell.
    shifts, before = [], 0
    for number, place in enumerate(places):
        before += place - (places[number - 1] + 1 if number else 0)
        shifts.append(before)
    words = []
    tabs = at = 0
    for start, end in row.words:
        # From where the last word began: counting from the row's beginning takes quadratic time.
        tabs += row.text.count("\t", at, start) if start >= at else -row.text.count("\t", start, at)
        at = start
        words.append((start + shifts[tabs], end + shifts[tabs]))
    return replace(row, text="\t".join(wanted), words=words, cells=len(columns))
