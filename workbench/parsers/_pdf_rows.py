"""Printed rows: what stands on one baseline, and the rows of tables whose cells have several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from operator import attrgetter

from workbench.parsers._letters import is_cjk
from workbench.parsers._pdf_centred import centred
from workbench.parsers._pdf_lines import Line

_MOST_CELLS = 60
"""A row with more parts is a drawing or an attack, and no table."""
_ALIGNED = 2
"""Points by which cells of one column may begin apart."""
_NEAR_ROWS = range(-2, 3)
_NOWHERE: frozenset[int] = frozenset()
_LEFT = attrgetter("u0")
_NEAREST = 0.5
_APART = 1.5
"""Blank between cells, in multiples of the type size: the first is enough where cells above or below begin alike, or figures end alike."""
_NEAREST_FIGURES = 0.22
"""The same between figures that both end where figures of other rows do: hardly more than a blank."""
_BULLETS = frozenset("•◦▪▫‣⁃●○■□◆►✓")
_FIGURE = re.compile(r"[^\w\s]?\d[\d.,:/%\u2019-]*[^\w\s]?")


def rows(lines: list[Line]) -> Iterator[Line]:
    """Yield one line per row of a region, ``lines`` being sorted from top to bottom.

    Parts on one baseline are joined, cells that stand apart by a tab. Lines that go on a table's cells are put where
    they belong, so that each row of the table is one line with its cells whole.
    """
    if all(_is_row_below(b, a) and a.u0 < b.u1 and b.u0 < a.u1 for a, b in pairwise(lines)):
        # Each line stands alone, below the one before: a column of text, by far the most common case.
        yield from lines
        return
    printed = _cells_apart(_printed(lines))
    # Where the parts of a row begin and end, once they are asked for.
    starts: dict[int, frozenset[int]] = {}
    ends: dict[int, frozenset[int]] = {}
    at = 0
    while at < len(printed):
        found = centred(printed, at)
        if found is not None:
            cells, at = found
            yield _joined(cells, min((cell[0] for cell in cells), key=lambda part: part.v))
            continue
        if len(printed[at]) == 1:
            yield printed[at][0]
            at += 1
            continue
        end = at + 1 + _wrapped(printed, at)
        for i in range(max(0, at - 2), min(len(printed), end + 2)):
            if i not in starts:
                row = printed[i] if len(printed[i]) <= _MOST_CELLS else []
                starts[i] = _points([part.u0 for part in row])
                ends[i] = _points([part.u1 for part in row]) if len(row) > 1 else _NOWHERE
        around = [*range(max(0, at - 2), at), *range(at + 1, min(len(printed), end + 2))]
        yield _row(
            printed[at:end],
            _NOWHERE.union(*[starts[i] for i in around]),
            _NOWHERE.union(*[ends[i] for i in around]),
        )
        at = end


def _printed(lines: list[Line]) -> list[list[Line]]:
    """Return what stands on one baseline, from the left."""
    rows: list[list[Line]] = []
    row: list[Line] = []
    for line in lines:
        if row and _is_row_below(line, row[0]):
            rows.append(row)
            row = []
        row.append(line)
    if row:
        rows.append(row)
    return [row if len(row) == 1 else sorted(row, key=_LEFT) for row in rows]


def _is_row_below(line: Line, first: Line) -> bool:
    """Say whether a line is not on the baseline of the row that begins with ``first``."""
    size = first.size if first.size > line.size else line.size
    return line.v - first.v > 0.45 * (size if size < 12.0 else 12.0)


def _cells_apart(printed: list[list[Line]]) -> list[list[Line]]:
    """Divide parts that hold two cells with little between them, where cells near above or below show it."""
    several = [i for i, row in enumerate(printed) if 1 < len(row) <= _MOST_CELLS]
    starts = {i: _points([part.u0 for part in printed[i][1:]]) for i in several}
    ends = {i: _points([part.u1 for part in printed[i]]) for i in several}
    result = list(printed)
    for i in sorted({i + step for i in several for step in _NEAR_ROWS}):
        if not 0 <= i < len(printed) or all(len(part.boxes) == 1 for part in printed[i]):
            continue
        around = [i + step for step in _NEAR_ROWS if i + step in starts]
        near = _NOWHERE.union(*[starts[j] for j in around])
        near_ends = _NOWHERE.union(*[ends[j] for j in around])
        result[i] = [piece for part in printed[i] for piece in _pieces(part, near, near_ends)]
    return result


def _points(places: list[float]) -> frozenset[int]:
    """Return the whole points that are nearest to some places."""
    return frozenset([round(place) for place in places])


def _is_near(place: float, points: frozenset[int]) -> bool:
    """Say whether a place is at most so far from one of ``points`` as cells of one column may begin apart."""
    at = round(place)
    return at in points or not points.isdisjoint(range(at - _ALIGNED, at + _ALIGNED + 1))


def _pieces(line: Line, starts: frozenset[int], ends: frozenset[int]) -> list[Line]:
    """Return a line in pieces: cut at wide blanks where cells of other rows begin or end.

    That is before one of ``starts`` or, at figures, after one of ``ends``.
    """
    boxes = line.boxes
    if len(boxes) == 1 or line.turn or line.u0 != boxes[0][0]:  # turned, or from right to left
        return [line]
    gaps = [b[0] - a[2] for a, b in pairwise(boxes)]
    narrowest = _NEAREST_FIGURES * line.size
    if max(gaps) <= narrowest:
        return [line]
    cuts = [0]
    least = (_least_of(gaps, line.size) if len(boxes) > 2 else _NEAREST) * line.size
    ends_column = _is_near(line.u1, ends)
    for i, gap in enumerate(gaps, start=1):
        if gap <= narrowest or (gap <= least and not ends_column):
            continue
        after_end = _is_near(boxes[i - 1][2], ends)
        if gap > least and ((ends_column and after_end) or _is_near(boxes[i][0], starts)):
            cuts.append(i)
        elif after_end:
            figures = _is_figure(line, i - 1), _is_figure(line, i)
            if (gap > least and any(figures)) or (ends_column and all(figures)):
                cuts.append(i)
    if len(cuts) == 1:
        return [line]
    return [_piece(line, first, last) for first, last in pairwise([*cuts, len(line.words)])]


def _piece(line: Line, first: int, last: int) -> Line:
    begin, end = line.words[first][0], line.words[last - 1][1]
    boxes = line.boxes[first:last]
    return replace(
        line,
        text=line.text[begin:end],
        u0=boxes[0][0],
        u1=max(box[2] for box in boxes),
        words=[(a - begin, b - begin) for a, b in line.words[first:last]],
        boxes=boxes,
        first_width=boxes[0][2] - boxes[0][0],
    )


def _least(line: Line) -> float:
    """Return how wide a blank before or after a cell is at least, in multiples of the type size."""
    return _least_of([b[0] - a[2] for a, b in pairwise(line.boxes)], line.size)


def _least_of(gaps: Sequence[float], size: float) -> float:
    usual = min(gaps, default=0.0) / (size or 1.0)
    # Typewriters leave 0.6 between words; a row of single words has no usual blank.
    return max(_NEAREST, 1.3 * usual) if usual < 0.65 else _NEAREST


def _is_figure(line: Line, word: int) -> bool:
    start, end = line.words[word]
    return _FIGURE.fullmatch(line.text, start, end) is not None


def _wrapped(printed: list[list[Line]], at: int) -> int:
    """Return how many printed lines below the one at ``at`` only go on its cells.

    Lines of a cell lie nearer to each other than rows do. Where all are equally near, as in a table with empty
    cells, nobody can tell, and nothing is joined.
    """
    first = printed[at]
    an_item = len(first) == 2 and len(first[0].text) < 4  # of a list
    if not 2 <= len(first) <= _MOST_CELLS or an_item:
        return 0
    end, step = at + 1, 0.0
    while end < len(printed) and _goes_on(first, printed[end]):
        way = _way(printed, end)
        if way > 1.6 * first[0].size or (step and abs(way - step) > 0.1 * first[0].size):
            break
        end, step = end + 1, way
    around = [i for i in (at, end) if 0 < i < len(printed)]
    return 0 if any(_way(printed, i) < 1.15 * step for i in around) else end - at - 1


def _way(printed: list[list[Line]], i: int) -> float:
    """Return how far a printed line stands below the one before."""
    return printed[i][0].v - printed[i - 1][0].v


def _goes_on(first: list[Line], below: list[Line]) -> bool:
    if len(below) >= len(first):
        return False
    size = first[0].size
    return all(abs(part.size - size) < 0.08 * size and _cell_of(first, part) is not None for part in below)


def _cell_of(row: list[Line], part: Line) -> int | None:
    """Return the index of the cell that a part stands below: it begins like it, or lies under it.

    A line that reaches into the next cell is none of a cell: a note under a table, or text under a run-in heading.
    """
    for i, other in enumerate(row):
        if i + 1 < len(row) and part.u1 > row[i + 1].u0 - _ALIGNED:
            continue
        inside = other.u0 - _ALIGNED <= part.u0 and part.u1 <= other.u1 + _ALIGNED
        if inside or abs(part.u0 - other.u0) <= _ALIGNED:
            return i
    return None


def _row(printed: list[list[Line]], starts: frozenset[int], ends: frozenset[int]) -> Line:
    """Return one line for a row, of which all but the first printed line go on its cells.

    ``starts`` and ``ends`` are those of the cells in the rows around it.
    """
    first = printed[0]
    if len(first) == 1:
        return first[0]
    main = max(first, key=_letter_count)
    size = main.size or 1.0  # a damaged page may have letters of no size
    cells: list[list[Line]] = [[first[0]]]
    cell_of = [0]
    for left, right in pairwise(first):
        gap = (right.u0 - left.u1) / size
        is_bullet = left is first[0] and left.text in _BULLETS
        if not is_bullet and (gap > _APART or _are_cells(left, right, gap, starts, ends)):
            cells.append([right])
        else:
            cells[-1].append(right)
        cell_of.append(len(cells) - 1)
    for part in (part for row in printed[1:] for part in row):
        place = _cell_of(first, part)
        assert place is not None  # else it would be a row of its own
        cells[cell_of[place]].append(part)
    return _joined(cells, main)


def _letter_count(line: Line) -> int:
    return len(line.text)


def _are_cells(left: Line, right: Line, gap: float, starts: frozenset[int], ends: frozenset[int]) -> bool:
    """Say whether two parts with little between them are two cells, as cells above and below show.

    ``gap`` is the blank between them in multiples of the type size.
    """
    if not gap > _NEAREST_FIGURES:
        return False
    after_end = _is_near(left.u1, ends)
    in_columns = after_end and _is_near(right.u1, ends)
    figures = _is_figure(left, -1), _is_figure(right, 0)
    # A total in bold is wider than the figures above it.
    if in_columns and all(figures):
        return True
    return gap > max(_least(left), _least(right)) and (
        in_columns or (after_end and any(figures)) or _is_near(right.u0, starts)
    )


def _joined(cells: list[list[Line]], main: Line) -> Line:
    """Return one line of these cells; ``main`` says where it stands."""
    first = cells[0][0]
    text, words, boxes = first.text, list(first.words), list(first.boxes)
    before = first
    for cell in cells:
        for part in cell:
            if part is first:
                continue
            text += "\t" if part is cell[0] else _joint(before, part)
            length = len(text)
            words += [(start + length, end + length) for start, end in part.words]
            boxes += part.boxes
            text += part.text
            before = part
    parts = cells[0] if len(cells) == 1 else [part for cell in cells for part in cell]
    return Line(
        text,
        first.u0,
        max([part.u1 for part in parts]),
        main.v,
        main.size,
        all(part.bold for part in parts),
        main.turn,
        words,
        boxes,
        first.first_width,
        len(cells),
        spots=[_ends_of(cell) for cell in cells] if len(cells) > 1 else (),
    )


def _ends_of(cell: list[Line]) -> tuple[float, float]:
    if len(cell) == 1:
        return cell[0].u0, cell[0].u1
    return min([part.u0 for part in cell]), max([part.u1 for part in cell])


def _joint(before: Line, part: Line) -> str:
    """Return what stands between two parts of one cell."""
    if part.v - before.v > 0.5 * before.size:  # the next line of the cell
        hyphen = before.text[-1] in "-\u2010" and part.text[0].islower()
        return "" if hyphen or (is_cjk(before.text[-1]) and is_cjk(part.text[0])) else " "
    touching = abs(part.u0 - before.u1) < 0.15 * before.size and part.size == before.size
    return "" if touching and before.text[-1].isalpha() and part.text[0].islower() else " "
