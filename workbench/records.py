"""The records that flow from a source to a hit, in flow order. All are frozen.

Ranges are half-open ``(start, end)`` in code points of ``Document.text``; pages and ranks count from 1;
lengths on a page are PDF points (1/72 inch) from the top left corner of the page as it is displayed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""``(n, dim) float32``, rows of length 1, finite, never zero."""


def digest(value: Any) -> str:
    """Return 32 hex digits of blake2b over the canonical JSON of ``value``.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(canonical.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def content_digest(data: bytes) -> str:
    """Return 32 hex digits of blake2b over raw bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def text_digest(text: str) -> str:
    """Return 32 hex digits of blake2b over the UTF-8 of ``text``."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair. To say so at every call would cost more than the digest of a chunk.
        data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceItem:
    """What a source says of one item without fetching it.

    ``item_id`` is stable: renaming or moving changes ``path``, never the id, where the source has such ids.
    ``version``: equal means unchanged, its name and address included (an ETag, a time and a size); "" means that only
    fetching it can tell.
    ``path``: where people find it, such as ``tariffs/2024.pdf``. ``handle``: how ``read`` finds it within this
    run; neither compared nor kept.
    """

    item_id: str
    version: str = ""
    path: str = ""
    uri: str = ""
    title: str = ""
    size_bytes: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    handle: str = ""


@dataclass(frozen=True, slots=True)
class RawItem:
    """One fetched item. ``name`` has the ending that decides the parser.

    ``version``: that of the bytes read where the source can say, else "": then the listed one holds.
    ``validator``: what a later read may give to hear "not changed" (RFC 9110, 8.8), or "".
    """

    data: bytes
    name: str
    uri: str = ""
    title: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    version: str = ""
    validator: str = ""


@lru_cache(maxsize=16)
def long_text_digest(text: str) -> str:
    """Return ``text_digest``, remembered for the last few texts: every config asks for that of the same documents."""
    return text_digest(text)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as a range of the document's text; neighbours touch, so every character is on one page."""

    number: int
    start: int
    end: int
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading as a range of the text; level 1 is the highest."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points of the displayed page."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the words of a document stand on its pages.

    ``starts, ends``: ``(n,) int64`` ranges in the text, increasing and disjoint. ``pages``: ``(n,) int32``
    page numbers. ``lines``: ``(n,) int32``, words of one printed line share a number. ``boxes``: ``(n, 4)
    float32`` ``x0, y0, x1, y1``. All empty for documents without pages.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    pages: npt.NDArray[np.int32]
    lines: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float32]

    @classmethod
    def empty(cls) -> Layout:
        """Return the layout of a text that was never on paper."""
        whole = np.zeros(0, np.int64)
        small = np.zeros(0, np.int32)
        return cls(whole, whole.copy(), small, small.copy(), np.zeros((0, 4), np.float32))

    def rectangles(self, start: int, end: int) -> list[Box]:
        """Return one box per printed line that the range touches, in reading order."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left"))
        boxes: list[Box] = []
        line: tuple[int, int] | None = None
        for i in range(first, last):
            x0, y0, x1, y1 = (float(v) for v in self.boxes[i])
            page = int(self.pages[i])
            if line == (page, int(self.lines[i])):
                b = boxes[-1]
                boxes[-1] = Box(page, min(b.x0, x0), min(b.y0, y0), max(b.x1, x1), max(b.y1, y1))
            else:
                boxes.append(Box(page, x0, y0, x1, y1))
                line = (page, int(self.lines[i]))
        return boxes

    def range_under(self, box: Box) -> tuple[int, int] | None:
        """Return the text range of the words whose centre lies inside ``box``, or None when there is none."""
        cx = (self.boxes[:, 0] + self.boxes[:, 2]) / 2
        cy = (self.boxes[:, 1] + self.boxes[:, 3]) / 2
        inside = (self.pages == box.page) & (cx >= box.x0) & (cx <= box.x1) & (cy >= box.y0) & (cy <= box.y1)
        found = np.flatnonzero(inside)
        if found.size == 0:
            return None
        return int(self.starts[found].min()), int(self.ends[found].max())


@dataclass(frozen=True, slots=True)
class Document:
    """One text, normalised once by its parser."""

    id: str
    text: str
    pages: tuple[Page, ...]
    title: str
    uri: str
    headings: tuple[Heading, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def text_hash(self) -> str:
        """The digest of the text: two documents with the same one are cut and embedded alike."""
        return long_text_digest(self.text)

    def page_at(self, offset: int) -> int:
        """Return the number of the page that holds the character at ``offset`` (1 for a text without pages)."""
        low, high = 0, len(self.pages) - 1
        if high < 0:
            return 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.pages[middle].start <= offset:
                low = middle
            else:
                high = middle - 1
        # Blank pages share a start with their successor: the search ends on the last of them, which is right.
        return self.pages[low].number

    def pages_at(self, offsets: npt.NDArray[np.int64]) -> list[int]:
        """Return ``page_at`` for many offsets."""
        if not self.pages:
            return [1] * len(offsets)
        starts = np.array([page.start for page in self.pages], np.int64)
        numbers = np.array([page.number for page in self.pages], np.int64)
        found: list[int] = numbers[np.maximum(np.searchsorted(starts, offsets, side="right") - 1, 0)].tolist()
        return found


@dataclass(frozen=True, slots=True)
class PageLetters:
    """How many letters and digits of a page are in the text, and how many the file has for it.

    What is left out on purpose (text drawn twice, headers by setting) counts on neither side. Both are counted as
    ``str.isalnum`` code points before any clean-up.
    """

    page: int
    kept: int
    on_page: int

    @property
    def is_short(self) -> bool:
        """Whether less than 98 % is kept."""
        return self.kept < 0.98 * self.on_page


@dataclass(frozen=True, slots=True)
class OmittedText:
    """Printed text that is on a page and, on purpose, not in the document's text."""

    box: Box
    text: str
    reason: str
    """Such as "header or footer" or "drawn twice"."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a parser makes of one file."""

    document: Document
    layout: Layout
    empty_pages: tuple[int, ...] = ()
    failed_pages: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    letters: tuple[PageLetters, ...] = ()
    """One entry per page that could be read; empty for formats whose letters are not counted."""
    omitted: tuple[OmittedText, ...] = ()
    incomplete: str = ""
    """Why the file is incomplete, as a sentence without its end, such as "the file was cut off"; else ""."""

    @property
    def short_pages(self) -> tuple[PageLetters, ...]:
        """The pages of which letters are missing in the text."""
        return tuple(page for page in self.letters if page.is_short)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document; ``text == document.text[start:end]`` always holds."""

    id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    page_start: int
    page_end: int
    token_count: int


@dataclass(frozen=True, slots=True)
class Query:
    """A typed question."""

    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """What is shown of a document around a hit: a range of its text that holds the chunk."""

    start: int
    end: int
    token_count: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A found chunk. ``score`` is higher-is-better and comparable within one list only; ``parts`` sum to it."""

    chunk: Chunk
    rank: int
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, float] = field(default_factory=dict)
    """What the parts were made from, such as a cosine before it was standardised."""
    also: tuple[Chunk, ...] = ()
    """Other chunks with a near-identical text, which are no hits of their own, best first."""
    context: Context | None = None
    """What is to be shown instead of the chunk alone; None for the chunk itself."""

    @property
    def shown(self) -> Context:
        """The range of the document that is shown for this hit."""
        return self.context or Context(self.chunk.start, self.chunk.end, self.chunk.token_count)


@dataclass(frozen=True, slots=True)
class Judgment:
    """A range of a document that answers a question: the truth that scores every configuration."""

    question_id: str
    document_id: str
    start: int
    end: int
    grade: int = 1
