"""A table in a text file, read row by row: encoding, separator, and where in the file each row begins."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from workbench.errors import InputError, ServiceError, SettingsError

SEPARATORS = (",", ";", "\t", "|")
LONGEST_ROW_CHARACTERS = 20_000_000
_SAMPLE_BYTES = 256_000
_BLOCK_BYTES = 1 << 20
_NOT_WESTERN = re.compile(b"[\x81\x8d\x8f\x90\x9d]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written. ``start``: bytes of the mark at its head. ``guessed``: a sentence, where it is a guess."""

    encoding: str
    separator: str
    columns: tuple[str, ...]
    start: int = 0
    guessed: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``number`` counts as a spreadsheet does: the header is row 1. ``offset``: its first byte."""

    number: int
    offset: int
    cells: tuple[str, ...]


def form(path: Path, needed: Sequence[str], encoding: str = "", separator: str = "") -> Form:
    """Return how the file is written; what is not given is found out.

    The separator is the one that makes the needed columns appear in the header: no counting of commas. Raises
    ``SettingsError`` that names the columns there are, or ``InputError`` for a file without a header.
    """
    with path.open("rb") as file:
        start, marked = _mark(file.read(4))
        found, guessed = (marked, "") if marked else _encoding(file, encoding)
    headers: dict[str, tuple[str, ...]] = {}
    for candidate in (separator,) if separator else SEPARATORS:
        first = next(rows(path, Form(found, candidate, (), start)), None)
        if first is None:
            raise InputError(f"{path.name} is empty: its first row must name the columns", "no_text")
        headers[candidate] = tuple(cell.strip() for cell in first.cells)
        if set(needed) <= set(headers[candidate]):
            break
    else:
        best = max(headers.values(), key=len)
        missing = ", ".join(repr(name) for name in needed if name not in best)
        raise SettingsError(
            f"{path.name} has no column {missing}; it has: {', '.join(best[:40])}. "
            "If these look wrong, set separator or encoding"
        )
    columns = headers[candidate]
    if twice := [name for name in needed if columns.count(name) > 1]:
        raise SettingsError(f"{path.name} has more than one column {twice[0]!r}: rename one of them")
    return Form(found, candidate, columns, start, guessed)


def rows(path: Path, form: Form, offset: int = 0, number: int = 0) -> Iterator[Row]:
    """Yield rows with something in them, from the one that begins at ``offset`` and is row ``number``.

    0 for both begins with the header. Raises ``InputError`` that names the row which cannot be read, and
    ``ServiceError`` for a file that cannot be opened or read just now.
    """
    try:
        yield from _rows(path, form, offset, number)
    except OSError as error:
        raise ServiceError(f"{path.name} cannot be read just now: {error.strerror}; try again") from error


def _rows(path: Path, form: Form, offset: int, number: int) -> Iterator[Row]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW_CHARACTERS))
    with path.open("rb") as binary:
        binary.seek(offset or form.start)
        lines = _Lines(binary, form.encoding, offset or form.start)
        # Strict: a quote that is never closed would silently swallow all rows after it.
        reader = csv.reader(lines, delimiter=form.separator, strict=True)
        here = number or 1
        while True:
            begin = lines.offset
            try:
                lines.row_characters = 0
                cells = next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path.name}, row {here}: this is not {form.encoding}; set encoding, or save the file as UTF-8"
                ) from error
            except csv.Error as error:
                raise InputError(
                    f"{path.name}, row {here}: {error}; is a quotation mark not closed?"
                ) from error
            if any(cell.strip() for cell in cells):
                yield Row(here, begin, tuple(cells))
            here += 1


class _Lines:
    """The lines of a file as text, knowing at which byte the next one begins."""

    def __init__(self, file: BinaryIO, encoding: str, offset: int) -> None:
        self.offset = offset
        self.row_characters = 0
        self._encoding = encoding
        # newline="": line ends inside of a quoted cell stay what they are.
        self._text = io.TextIOWrapper(file, encoding=encoding, newline="")

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_ROW_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self.row_characters += len(line)
        if self.row_characters > LONGEST_ROW_CHARACTERS:
            raise csv.Error(f"it is longer than {LONGEST_ROW_CHARACTERS:,} characters")
        self.offset += len(line.encode(self._encoding))
        return line


def _mark(head: bytes) -> tuple[int, str]:
    """Return the length of a byte-order mark and the encoding it stands for; 0 and "" where there is none."""
    return next(((len(mark), name) for mark, name in _BOMS if head.startswith(mark)), (0, ""))


def _encoding(file: BinaryIO, wished: str) -> tuple[str, str]:
    """Return the encoding of a file without a mark, and a sentence where it had to be guessed."""
    file.seek(0)
    sample = file.read(_SAMPLE_BYTES)
    if wished:
        return _usable(wished, sample), ""
    broken = _broken_utf8(file)
    if broken is None:
        return "utf-8", ""
    # The bytes that Windows' Western encoding leaves undefined; without them it is by far the likeliest.
    best = from_bytes(broken).best() if _NOT_WESTERN.search(broken) else None
    encoding = _usable(best.encoding if best else "cp1252", broken)
    return encoding, f"it is not UTF-8 and was read as {encoding}; set encoding, or save it as UTF-8"


def _usable(encoding: str, sample: bytes) -> str:
    """Return the encoding under Python's name; raises ``SettingsError`` where bytes and letters cannot be counted off."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise SettingsError(
            f"encoding ({encoding!r:.40}) is not known; utf-8 and cp1252 are the usual ones"
        ) from error
    name = "utf-8" if name == "utf-8-sig" else name
    whole = sample[: sample.rfind(b"\n") + 1]
    try:
        same = len(whole.decode(name, "replace").encode(name, "replace")) == len(whole)
    except (UnicodeError, AttributeError, TypeError, LookupError):
        same = False
    if not same and not name.startswith(("utf-8", "utf-16-", "utf-32-")):
        raise SettingsError(f"a table in the encoding {encoding} cannot be read row by row; save it as UTF-8")
    return name


def _broken_utf8(file: BinaryIO) -> bytes | None:
    """Return the first part of the file that is not UTF-8, None for a file that is."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        block = file.read(_BLOCK_BYTES)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            return block or b"\xff"
        if not block:
            return None
