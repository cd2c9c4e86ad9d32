"""CSV text ↔ rows: any common encoding and delimiter in, one safe form out."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.counts import counted
from workbench.errors import InputError

LARGEST_CELL_CHARACTERS = 64 * 2**20
MOST_RESTARTS = 100
# Some spreadsheets take the wide forms of East Asian keyboards for the signs themselves.
_DANGEROUS = re.compile(r"^'*[=+\-@\t\r\n＝＋－＠]")
_MADE_HARMLESS = re.compile(r"^'+[=+\-@\t\r\n＝＋－＠]")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; ``original`` undoes it for every text.

    >>> harmless("=1+1"), harmless("'=1+1"), harmless("it's")
    ("'=1+1", "''=1+1", "it's")
    """
    return "'" + cell if _DANGEROUS.match(cell) else cell


def original(cell: str) -> str:
    """Return the cell as it was before ``harmless``.

    >>> original("'=1+1"), original("''=1+1"), original("it's")
    ('=1+1', "'=1+1", "it's")
    """
    return cell[1:] if _MADE_HARMLESS.match(cell) else cell


def decoded(data: bytes) -> tuple[str, str | None]:
    """Return the text of a file and, where its encoding had to be guessed, a sentence on that."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace"), None
    if data.startswith((b"%PDF", b"\xd0\xcf\x11\xe0")) or data[:4000].count(0) > 100:
        raise InputError(
            "this is not a text file; questions come as CSV, JSONL or a zipped BEIR folder", "unsupported"
        )
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogatepass"), None
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "the file is not UTF-8; it was read as Windows-1252"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a CSV file by column name; ``problem`` says why it cannot be read."""

    line: int
    cells: Mapping[str, str]
    problem: str = ""

    def get(self, *names: str) -> str:
        """Return the first of these cells that is not empty."""
        return next((self.cells[name] for name in names if self.cells.get(name)), "")

    def whole_number(self, name: str) -> int | None:
        """Return the cell as a number, None when it is empty; raises ``ValueError`` for anything else."""
        text = self.cells.get(name, "").strip()
        return int(text) if text else None


def column(name: str) -> str:
    """Return a column's name without regard to case, blanks and dashes: ``Expected text`` is ``expected_text``."""
    return re.sub(r"[\s_\-]+", "_", name.strip().strip("\ufeff").casefold()).strip("_")


def header(text: str) -> tuple[list[str], str]:
    """Return the columns of the first line that is not empty, and the delimiter between them."""
    csv.field_size_limit(LARGEST_CELL_CHARACTERS)
    for line in io.StringIO(text, newline=""):
        if line.strip():
            tries = [_cells(line, mark) for mark in ",;\t"]
            best = max(range(3), key=lambda i: (len(tries[i]), -i))
            return [column(original(cell)) for cell in tries[best]], ",;\t"[best]
    return [], ","


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line, none for a line that is no row."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def rows(text: str, columns: Sequence[str], delimiter: str, *, has_header: bool = True) -> Iterator[Row]:
    """Yield the records. A quote that is never closed costs its own line, not the rest of the file."""
    csv.field_size_limit(LARGEST_CELL_CHARACTERS)
    lines = list(io.StringIO(text, newline=""))
    at, restarts, skip = 0, 0, has_header
    while at < len(lines):
        reader = csv.reader(lines[at:], delimiter=delimiter, strict=True)
        done = 0
        try:
            for cells in reader:
                first, done = at + done + 1, reader.line_num
                if skip and any(cells):
                    skip = False
                elif any(cells):
                    yield _row(first, cells, columns)
            return
        except csv.Error:
            at += done
        restarts += 1
        if restarts > MOST_RESTARTS:
            yield Row(at + 1, {}, f"more than {MOST_RESTARTS} broken lines: the rest was not read")
            return
        broken = lines[at]
        if broken.count('"') % 2:
            yield Row(at + 1, {}, "a quotation mark is opened and never closed")
        else:
            yield _row(at + 1, _cells(broken, delimiter), columns)
        at += 1


def _row(line: int, cells: Sequence[str], columns: Sequence[str]) -> Row:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        return Row(
            line,
            {},
            f"{counted(len(cells), 'cell')} for {counted(len(columns), 'column')}: put quotation marks around commas",
        )
    return Row(line, {name: original(cell) for name, cell in zip(columns, cells, strict=False)})


def written(columns: Sequence[str], records: Iterable[Sequence[object]]) -> bytes:
    """Return a CSV file in UTF-8 with harmless cells, lines ended as RFC 4180 says."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for record in records:
        writer.writerow([harmless(str(value)) if isinstance(value, str) else value for value in record])
    return out.getvalue().encode("utf-8", "surrogatepass")
