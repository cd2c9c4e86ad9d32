"""A sitemap file → addresses with the time of their last change, and further sitemaps (sitemaps.org, 0.9)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from workbench.errors import InputError
from workbench.http import GZIP_MAGIC, unpacked

MOST_ELEMENTS = 2_000_000
_DEEPEST = 20
_BLOCK_BYTES = 16_384
_CONTAINERS = {"urlset": "url", "sitemapindex": "sitemap"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One address as it stands in the file. ``is_sitemap``: it leads to another sitemap, not to a page."""

    location: str
    changed: str = ""
    is_sitemap: bool = False


def entries(data: bytes, name: str, unpacked_bytes: int) -> Iterator[Entry]:
    """Yield the entries of a sitemap: XML or one address a line, packed by gzip or not.

    Raises ``InputError`` as soon as it breaks off: what was yielded before is then not all. A document type, and with
    it every entity, is refused.
    """
    if data.startswith(GZIP_MAGIC):
        data = unpacked(data, unpacked_bytes, name)
    head = data[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:8].lower().startswith((b"http://", b"https://")):
        yield from _line_entries(data, name)
        return
    try:
        yield from _xml_entries(data, name)
    except (ParseError, ValueError, LookupError) as error:
        # Defusedxml's exceptions are ValueErrors too.
        if isinstance(error, DefusedXmlException):
            raise InputError(
                f"{name} declares a document type, which no sitemap needs: it is not read"
            ) from error
        raise InputError(f"{name} is damaged, or no sitemap: {error}") from error


def _line_entries(data: bytes, name: str) -> Iterator[Entry]:
    # Line by line: a list of all lines would take many times the memory of the file.
    count = 0
    for line in io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", errors="replace"):
        if location := line.strip():
            count += 1
            if count > MOST_ELEMENTS:
                raise InputError(f"{name} is no sitemap: it has too many lines", "too_large")
            yield Entry(location)


class _Blocks(io.BytesIO):
    """A file that is read in larger and larger blocks while none of them ends an element.

    Given a comment or an attribute in many small blocks, expat before 2.6 reads it from its beginning with each of
    them: quadratic time, two minutes for fifty megabytes.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._size_bytes = _BLOCK_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next block, twice as large as the one before."""
        self._size_bytes *= 2
        return super().read(self._size_bytes)

    def start_small(self) -> None:
        """Go on with small blocks, so that little of the file is held as elements."""
        self._size_bytes = _BLOCK_BYTES


def _xml_entries(data: bytes, name: str) -> Iterator[Entry]:
    open_elements: list[Any] = []
    fields: dict[str, str] = {}
    wanted = ""
    count = 0
    blocks = _Blocks(data)
    for event, element in iterparse(blocks, events=("start", "end"), forbid_dtd=True):
        blocks.start_small()
        if event == "start":
            count += 1
            if not open_elements and not (wanted := _CONTAINERS.get(tag := _local(element.tag), "")):
                raise InputError(f"{name} is no sitemap: it begins with <{tag[:40]}>")
            if count > MOST_ELEMENTS or len(open_elements) == _DEEPEST:
                raise InputError(f"{name} is no sitemap: it has too many elements", "too_large")
            open_elements.append(element)
            continue
        open_elements.pop()
        if len(open_elements) == 2:
            if (tag := _local(element.tag)) in ("loc", "lastmod"):
                fields[tag] = (element.text or "").strip()
        elif len(open_elements) == 1:
            if _local(element.tag) == wanted and fields.get("loc"):
                yield Entry(fields["loc"], fields.get("lastmod", ""), wanted == "sitemap")
            fields = {}
        if open_elements:
            # What is finished is forgotten, whatever it is, or all of the file would be held.
            del open_elements[-1][:]


def _local(tag: str) -> str:
    """Return a tag without its namespace: many sitemaps have a wrong one, or none."""
    return tag.rpartition("}")[2].lower()


def version(changed: str, now: datetime) -> str:
    """Return the version that a last change stands for, "" where it says too little to skip fetching.

    A day alone does not tell a second change on that day from the first, so it counts once the day is over
    everywhere; so does midnight sharp, which is a day written in full. A time in the future tells nothing.

    >>> version("2024-05-01", datetime(2024, 5, 9, tzinfo=UTC))
    'lastmod 2024-05-01T00:00:00+00:00'
    >>> version("2024-05-01", datetime(2024, 5, 1, 12, tzinfo=UTC))
    ''
    """
    try:
        moment = datetime.fromisoformat(changed)
        is_day = moment.time() == time()
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        settled = moment + timedelta(days=2) if is_day else moment
    except (ValueError, OverflowError):
        return ""
    return f"lastmod {moment.isoformat()}" if settled <= now else ""
