"""The rows of a table, each a document."""

from __future__ import annotations

import codecs
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from workbench.contracts import Fault, ItemPage, Source, SourceAccess, SourceConnection
from workbench.contracts.source import LONGEST_ITEM_ID_CHARACTERS
from workbench.counts import counted
from workbench.errors import InputError, ServiceError, SettingsError
from workbench.files import shown_name
from workbench.records import RawItem, SourceItem, digest
from workbench.sources._csv_rows import Form, Row, form, rows
from workbench.sources._local_files import Stamp, place_of, stamp, version

PAGE_ROWS = 1_000


class CsvFile(Source):
    """Read a table; each row is a document, whatever its place in the file."""

    label: ClassVar[str] = "Table (CSV)"
    path: str = Field(
        min_length=1,
        examples=["/srv/tickets.csv"],
        description="the file; a relative path starts at the config's folder",
    )
    id_column: str = Field(
        min_length=1,
        title="Column with the id",
        examples=["ticket"],
        description="column that tells the rows apart for good",
    )
    text_columns: tuple[str, ...] = Field(
        min_length=1,
        strict=False,
        title="Columns with the text",
        examples=["subject, body"],
        description="columns that hold the text, in the order in which they are read",
    )
    title_column: str = Field(
        "", title="Column with the title", description="column with the title; empty means the row's id"
    )
    metadata_columns: tuple[str, ...] = Field(
        (),
        strict=False,
        title="Columns with metadata",
        examples=["product, author"],
        description="columns kept with the document, such as product or author",
    )
    text_format: Literal["txt", "md", "html"] = Field("txt", description="how the text is written")
    encoding: str = Field("", description="such as utf-8 or cp1252; empty means it is found out")
    separator: str = Field("", max_length=1, description="sign between cells; empty means it is found out")

    def place(self) -> str:
        """Return the file as the config writes it."""
        return PurePosixPath(self.path).as_posix()

    def connection(self, access: SourceAccess) -> SourceConnection:
        """Return the table; it is opened when it is listed."""
        return _Table(self, access)


@dataclass(frozen=True, slots=True)
class _Content:
    item_id: str
    text: str
    title: str
    metadata: Mapping[str, str]
    version: str


class _Table(SourceConnection):
    def __init__(self, settings: CsvFile, access: SourceAccess) -> None:
        super().__init__(settings.name)
        self._settings = settings
        self._access = access
        self._path = place_of(access.folder, settings.path)
        self._lock = threading.Lock()
        self._form: tuple[Stamp, Form] | None = None
        self._places: tuple[Stamp, dict[str, str]] | None = None

    def pages(self, cursor: str = "") -> Iterator[ItemPage]:
        """Yield the rows in their order. A row without an id is a fault that hides: whose it is, nobody knows."""
        before, how = self._now()
        first: dict[str, int] = {}
        items: list[SourceItem] = []
        problems = [f"{self._path.name}: {how.guessed}"] if how.guessed else []
        faults: list[Fault] = []
        for row in self._rows(how):
            self._access.check()
            try:
                item = self._item(row, how)
            except InputError as error:
                # Rows without text are no documents; of other broken rows it is not known which they are.
                if error.status == "no_text":
                    problems.append(str(error))
                else:
                    faults.append(Fault(self._label(row), str(error)))
                continue
            if (number := first.setdefault(item.item_id, row.number)) != row.number:
                label = self._label(row)
                twice = f"{label} has the id of row {number}, {item.item_id!r:.60}; row {number} counts"
                faults.append(Fault(label, twice, hides=False))
            else:
                items.append(item)
            if len(items) + len(problems) + len(faults) >= PAGE_ROWS:
                yield ItemPage(tuple(items), problems=tuple(problems), faults=tuple(faults))
                items, problems, faults = [], [], []
        if self._now()[0] != before:
            raise ServiceError(f"{self._path.name} was written while it was read; try again")
        yield ItemPage(tuple(items), problems=tuple(problems), faults=tuple(faults), complete=True)

    def read(self, item: SourceItem, validator: str = "") -> RawItem | None:
        """Return the row's text, found by its place in the file, or by its id where that has changed."""
        try:
            now, how = self._now()
        except (InputError, SettingsError) as error:
            # Whoever writes the file anew may take the old one away first: that says nothing of the row.
            raise ServiceError(f"{error}; try again") from error
        try:
            found = self._content(self._row(item, now, how), how)
        except InputError:
            if not self._is_at_rest(now):
                raise ServiceError(f"{self._path.name} is being written; try again") from None
            raise
        return RawItem(
            _bytes(found.text),
            f"{shown_name(found.item_id.replace('/', '_'))}.{self._settings.text_format}",
            self._uri(found.item_id),
            found.title,
            found.metadata,
            version=found.version,
        )

    def _now(self) -> tuple[Stamp, Form]:
        """Return the file's time and size, and how it is written, found out again whenever these change."""
        try:
            found = self._path.stat()
            # A pipe is waited for, and a device may have no end. What the kernel shows as files has no size.
            if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
                raise InputError(f"{self._settings.path} is not a file, but a pipe or a device", "refused")
            if stat.S_ISREG(found.st_mode) and not found.st_size:
                raise InputError(
                    f"{self._path.name} is empty: its first row must name the columns", "no_text"
                )
            now = stamp(found)
            with self._lock:
                if self._form is None or self._form[0] != now:
                    s = self._settings
                    needed = dict.fromkeys(
                        [s.id_column, *s.text_columns, *s.metadata_columns, s.title_column]
                    )
                    self._form = now, form(self._path, [n for n in needed if n], s.encoding, s.separator)
                return self._form
        except FileNotFoundError as error:
            raise InputError(f"there is no file {self._settings.path}; is the path right?", "gone") from error
        except OSError as error:
            raise ServiceError(f"{self._settings.path} cannot be read: {error.strerror}") from error

    def _is_at_rest(self, then: Stamp) -> bool:
        """Say whether the file is still that of ``then``, and nobody is likely to be writing it."""
        now_ns = time.time_ns()
        try:
            found = self._path.stat()
        except OSError:
            return False
        return stamp(found) == then and version(found, now_ns) != ""

    def _rows(self, how: Form) -> Iterator[Row]:
        """Yield the rows below the header."""
        yield from islice(rows(self._path, how), 1, None)

    def _item(self, row: Row, how: Form) -> SourceItem:
        found = self._content(row, how)
        return SourceItem(
            found.item_id,
            found.version,
            f"{self._path.name} › {found.item_id}",
            self._uri(found.item_id),
            found.title,
            size_bytes=len(_bytes(found.text)),
            metadata=found.metadata,
            handle=f"{row.offset}:{row.number}",
        )

    def _content(self, row: Row, how: Form) -> _Content:
        """Return what the settings take from a row; raises ``InputError`` for one without id or text."""
        extra = [cell for cell in row.cells[len(how.columns) :] if cell.strip()]
        if extra or len(row.cells) < len(how.columns):
            raise InputError(
                f"{self._label(row)} has {counted(len(row.cells), 'cell')}, and the header has {len(how.columns)}; is a cell "
                f"with {how.separator!r} in it not in quotation marks?"
            )
        cells = dict(zip(how.columns, row.cells, strict=False))
        settings = self._settings
        item_id = cells[settings.id_column].strip()
        if not item_id:
            raise InputError(f"{self._label(row)} has nothing in the column {settings.id_column!r}")
        if len(item_id) > LONGEST_ITEM_ID_CHARACTERS or "\x00" in item_id:
            raise InputError(f"{self._label(row)} has an id that cannot be kept: {item_id!r:.40}")
        text = "\n\n".join(cells[name].strip() for name in settings.text_columns if cells[name].strip())
        if not text:
            raise InputError(f"{self._label(row)} has no text", "no_text")
        title = cells[settings.title_column].strip() if settings.title_column else ""
        metadata = {name: cells[name].strip() for name in settings.metadata_columns}
        version = digest([text, title, metadata, settings.text_format])
        return _Content(item_id, text, title or item_id, metadata, version)

    def _row(self, item: SourceItem, now: Stamp, how: Form) -> Row:
        """Return the row of an item: where it was listed if it is still there, else where its id is now."""
        if item.handle and (row := self._at(item.handle, item, how)) is not None:
            return row
        with self._lock:
            if self._places is None or self._places[0] != now:
                found: dict[str, str] = {}
                for row in self._rows(how):
                    with suppress(InputError):
                        found.setdefault(self._content(row, how).item_id, f"{row.offset}:{row.number}")
                self._places = now, found
            handle = self._places[1].get(item.item_id, "")
        row = self._at(handle, replace(item, version=""), how) if handle else None
        if row is None:
            raise InputError(f"{self._path.name} has no row {item.item_id!r:.60} any more", "gone")
        return row

    def _at(self, handle: str, item: SourceItem, how: Form) -> Row | None:
        """Return the row that begins at this place, None where it is not the item's (or not its version) any more."""
        offset, _, number = handle.partition(":")
        try:
            row = next(rows(self._path, how, int(offset), int(number)), None)
            found = self._content(row, how) if row is not None else None
        except InputError:
            return None
        if found is None or found.item_id != item.item_id or (item.version and found.version != item.version):
            return None
        return row

    def _label(self, row: Row) -> str:
        return f"{self._path.name}, row {row.number}"

    def _uri(self, item_id: str) -> str:
        return f"{self._path.as_uri()}#{quote(item_id, safe='')}"


def _bytes(text: str) -> bytes:
    # The mark at its head says to every parser that this is UTF-8.
    return codecs.BOM_UTF8 + text.encode("utf-8", "replace")
