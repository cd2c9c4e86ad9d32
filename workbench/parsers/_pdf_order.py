"""The order in which the lines of a page are read: columns beside each other, headings over them."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from statistics import median

from workbench.parsers._letters import has_cjk, rtl_count
from workbench.parsers._pdf_lines import Line
from workbench.parsers._pdf_rows import rows
from workbench.parsers.pdf_reading.table_columns import fill_empty_cells
from workbench.parsers.pdf_reading.wide_tables import split_at_wide_tables

_MOST_LINES = 4000
"""A page with more lines than this is a drawing or an attack; it is read from top to bottom."""
_MOST_UNDER_COLUMNS = 100
"""So many lines may stand between columns and a wide line below; looking through all would take quadratic time."""
_DEEPEST = 3
_TOP_LEFT = attrgetter("v", "u0")
_LONG_LETTERS = 18
"""A line of running text has so many letters at least."""
_FEWEST_LONG = 3
"""So many such lines a column has at least."""


def regions(lines: list[Line]) -> Iterator[list[Line]]:
    """Yield the parts of a page in reading order, each a list of whole printed rows from top to bottom.

    Text that is turned another way than most of the page comes last, one turn after the other.
    """
    by_turn: dict[int, list[Line]] = {}
    for line in lines:
        by_turn.setdefault(line.turn, []).append(line)
    groups = list(by_turn.items())
    if len(groups) > 1:
        groups.sort(key=lambda item: (item[0] > 3, -sum(len(x.text) for x in item[1])))
    for _, group in groups:
        text = "".join([line.text for line in group])
        if 2 * rtl_count(text) > len(text):
            _mirror(group)
        group.sort(key=_TOP_LEFT)
        for part in _columns(group, 0):
            yield fill_empty_cells(list(rows(part)))


def _mirror(lines: list[Line]) -> None:
    """Turn the line ends round, so that what is read first lies left."""
    for line in lines:
        line.u0, line.u1 = -line.u1, -line.u0


def _columns(lines: list[Line], depth: int) -> Iterator[list[Line]]:
    """Yield ``lines`` (sorted by ``v``) in parts: what spans the page ends the columns above it."""
    if not 5 < len(lines) < _MOST_LINES or depth >= _DEEPEST:
        yield lines
        return
    if depth == 0 and (parts := _parts_by_wide_tables(lines)):
        for part, is_table in parts:
            yield from [part] if is_table else _columns(part, 1)
        return
    gutter, bands = _gutter(lines)
    if gutter is None:
        yield lines
        return
    loose: list[Line] = []
    for band, columnar in bands:
        if not columnar:
            loose += band
            continue
        if loose:
            yield from _columns(loose, depth + 1)
            loose = []
        yield from _columns([line for line in band if line.u1 <= gutter + 1], depth + 1)
        yield from _columns([line for line in band if line.u1 > gutter + 1], depth + 1)
    if loose:
        yield from _columns(loose, depth + 1)


def _parts_by_wide_tables(lines: list[Line]) -> list[tuple[list[Line], bool]]:
    """Return the parts between tables that reach over the gutter of columns, and whether each is such a table.

    Empty where there are no columns, or no such table.
    """
    found = split_at_wide_tables(lines)
    if len(found) == 1:
        return []
    gutters = (_gutter(part)[0] for part, is_table in found if not is_table and len(part) > 5)
    gutter = next((at for at in gutters if at is not None), None)
    if gutter is None:
        return []
    parts: list[tuple[list[Line], bool]] = []
    for part, is_table in found:
        is_wide = is_table and min(line.u0 for line in part) < gutter < max(line.u1 for line in part) - 1
        if parts and not is_wide and not parts[-1][1]:
            parts[-1] = (parts[-1][0] + part, False)
        else:
            parts.append((part, is_wide))
    return parts if len(parts) > 1 else []


_Band = tuple[list[Line], bool]
"""Some consecutive lines, and whether they are set in columns."""


def _gutter(lines: list[Line]) -> tuple[float | None, list[_Band]]:
    """Return where the best gap between two columns ends, and the bands there; None for a page that has none."""
    long = [(line.u0, line.u1) for line in lines if _is_long(line.text)]
    if len(long) < 2 * _FEWEST_LONG:
        return None, []
    begins, ends = [line.u0 for line in lines], [line.u1 for line in lines]
    left = min(begins)
    width = max(ends) - left
    if width <= 0:
        return None, []
    starts = sorted([begin for begin in begins if begin > left + 0.2 * width])
    candidates: list[float] = []
    first = 0
    for i in range(1, len(starts) + 1):
        if i == len(starts) or starts[i] - starts[i - 1] > 2:
            if i - first >= 3:
                candidates.append(starts[first])
            first = i
    best: float | None = None
    best_bands: list[_Band] = []
    most = 0
    for at in candidates[:12]:
        # Both columns need long lines; in a table most candidates have none on one side, and bands cost far more.
        gutter = at - 2
        if (
            sum([u1 <= gutter + 1 for _, u1 in long]) < _FEWEST_LONG
            or sum([u0 >= gutter and u1 > gutter + 1 for u0, u1 in long]) < _FEWEST_LONG
        ):
            continue
        # No more lines can be columns than do not cross the gutter.
        if sum([u0 >= at - 2 or u1 <= at - 1 for u0, u1 in zip(begins, ends, strict=True)]) <= most:
            continue
        bands = list(_bands(lines, gutter))
        read = sum([len(band) for band, columnar in bands if columnar])
        if read > most:
            best, best_bands, most = gutter, bands, read
    return best, best_bands


def _bands(lines: list[Line], gutter: float) -> Iterator[_Band]:
    """Yield the stretches between lines that cross the gutter, and whether each is set in columns."""
    done = 0
    for i in [i for i, line in enumerate(lines) if line.u0 < gutter and line.u1 > gutter + 1]:
        if done < i:
            band = lines[done:i]
            yield from _ended(band, _end_of_columns(band, gutter, under_all=False), gutter)
        yield [lines[i]], False
        done = i + 1
    if done < len(lines):
        band = lines[done:]
        yield from _ended(band, _end_of_columns(band, gutter, under_all=True), gutter)


def _ended(band: list[Line], end: int, gutter: float) -> Iterator[_Band]:
    if end:
        yield band[:end], _columnar(band[:end], gutter)
    if end < len(band):
        yield band[end:], False


def _end_of_columns(band: list[Line], gutter: float, *, under_all: bool) -> int:
    """Return how many lines of a band are columns: a heading may end them, and a table under it.

    A wide line follows the band, or with ``under_all`` nothing: there only the rows of a table tell.
    """
    alone = [
        i
        for i in range(max(0, len(band) - _MOST_UNDER_COLUMNS), len(band))
        if band[i].u0 < gutter and _stands_alone(band, i)
    ]
    if not alone:
        return len(band)
    size, bold = median(line.size for line in band), median(line.bold for line in band)

    def heads(line: Line) -> bool:
        return line.size > 1.1 * size or (line.bold and not bold)

    for i in alone:
        if heads(band[i]):
            rest = band[i + 1 :]
            # Below a heading inside a column there is text of the column; here there are cells on both sides, or nothing.
            right = [other for other in rest if other.u0 >= gutter]
            rows = {round(other.v) for other in rest if other.u1 <= gutter + 1}
            in_rows = bool(right) and all(_is_beside(other, rows) for other in right)
            ends = in_rows if under_all else bool(right) or all(map(heads, rest))
            if ends and not _columnar(band[i:], gutter):
                return i
    return len(band)


def _stands_alone(band: list[Line], i: int) -> bool:
    line = band[i]
    over = band[i - 1].v if i else line.v - 2 * line.size
    under = band[i + 1].v if i + 1 < len(band) else line.v + line.size
    return line.v - over > 1.6 * line.size and under - line.v > 0.5 * line.size


def _columnar(band: list[Line], gutter: float) -> bool:
    """Say whether both sides look like running text, and not like cells of a table."""
    if len(band) < 6:
        return False
    left = [line for line in band if line.u1 <= gutter + 1]
    right = [line for line in band if line.u1 > gutter + 1]
    if min(len(left), len(right)) < 3 or not (_prose(left) and _prose(right)):
        return False
    gap = min([line.u0 for line in right]) - max([line.u1 for line in left])
    beside = min(left[-1].v, right[-1].v) - max(left[0].v, right[0].v)
    size = median([line.size for line in band])
    return gap > 0.6 * size and beside > 0 and not _tabular(left, right, size)


def _tabular(left: list[Line], right: list[Line], size: float) -> bool:
    """Say whether these are rows of long cells: each on one baseline, far apart, most of them beginning anew."""
    left_rows, right_rows = ({round(line.v) for line in side} for side in (left, right))
    if not all(_is_beside(line, left_rows) for line in right):
        return False
    named = [line for line in left if _is_beside(line, right_rows)]
    gap = min([line.u0 for line in right]) - max([line.u1 for line in named])
    begun = sum([line.text[0].isupper() or line.text[0].isdigit() for line in (*named, *right)])
    return gap > 3 * size and 3 * begun > 2 * (len(named) + len(right))


def _is_beside(line: Line, rows: set[int]) -> bool:
    """Say whether a line stands on one of the heights ``rows``, or a point from it."""
    row = round(line.v)
    return row in rows or row - 1 in rows or row + 1 in rows


def _prose(column: list[Line]) -> bool:
    """Say whether most letters stand in lines that are long and fill the column; a table may lie between them."""
    half = 0.5 * max([line.u1 - line.u0 for line in column])
    texts = [line.text for line in column]
    sizes = [len(text) * (2 if not text.isascii() and has_cjk(text) else 1) for text in texts]
    long = [
        size
        for line, size in zip(column, sizes, strict=True)
        if size >= _LONG_LETTERS and line.u1 - line.u0 >= half
    ]
    return len(long) >= _FEWEST_LONG and sum(long) >= 0.6 * sum(sizes)


def _is_long(text: str) -> bool:
    """Say whether a line may be one of running text; Chinese ones have half as many letters."""
    length = len(text)
    return length >= _LONG_LETTERS or (length >= _LONG_LETTERS // 2 and has_cjk(text))
