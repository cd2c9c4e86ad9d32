"""PDF files, by PyMuPDF: reading order, whole words, headings, and a box for every word."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pymupdf
from PIL import Image
from pydantic import Field

from workbench.contracts import Parser
from workbench.errors import InputError, WorkbenchError
from workbench.parsers._pdf_assembly import assembled
from workbench.parsers._pdf_file import MUPDF_ERRORS, memory_errors, opened
from workbench.parsers._pdf_headings import headings
from workbench.parsers._pdf_pages import PagesRead, page_count, pages_read
from workbench.parsers._pdf_repeated import repeated_lines
from workbench.parsers._whole_text import check_length
from workbench.parsers.pdf_reading.completeness import margin_texts, page_letters
from workbench.parsers.pdf_reading.notes import (
    check_has_text,
    file_notes,
    is_unreadable,
    letter_notes,
    page_notes,
    uncounted_note,
)
from workbench.parsers.pdf_reading.titles import find_title
from workbench.records import Document, ParsedFile
from workbench.workers import Workers

_MOST_PIXELS = 3_000_000
_LONGEST_SIDE = 16_000  # WebP ends at 16,383
_PAGES_A_PART = 40
_SMALL_BYTES = 100_000
"""A smaller file is read in one piece: to ask first how many pages it has would take longer."""


class Pdf(Parser):
    """Read PDF files with text in them; scans need OCR first."""

    VERSION: ClassVar[int] = 4
    label: ClassVar[str] = "PDF"
    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)
    packages: ClassVar[tuple[str, ...]] = ("pymupdf",)

    remove_repeated: bool = Field(
        False, description="leave out running headers and footers: lines that repeat in the margins of pages"
    )
    join_hyphens: bool = Field(True, description="make words whole that are cut at the end of a line")

    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        return self.parse_source(data, name, document_id, uri, password)

    def parse_source(
        self, source: bytes | Path, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        """Return the same as ``parsed``; ``source`` may be the path of the file."""
        return self.assembled([pages_read(source, name, password)], name, document_id, uri)

    def parsed_by(
        self,
        workers: Workers,
        data: bytes,
        name: str,
        document_id: str,
        uri: str,
        *,
        timeout_s: float,
        memory_bytes: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> ParsedFile:
        """Return the same as ``parsed``, with the pages of one long file read by all workers at once.

        Each part has the whole time and memory to itself.
        """
        limits: dict[str, Any] = {
            "timeout_s": timeout_s,
            "memory_bytes": memory_bytes,
            "cancelled": cancelled,
        }
        if len(data) < _SMALL_BYTES or workers.size == 1:
            whole: ParsedFile = workers.result(self.parsed, data, name, document_id, uri, **limits)
            return whole
        with _on_disk(data) as source:
            count = workers.result(page_count, source, name, **limits)
            if count <= _PAGES_A_PART:
                short: ParsedFile = workers.result(
                    self.parse_source, source, name, document_id, uri, **limits
                )
                return short
            # Two parts a worker: one that is slow does not keep the others waiting for long.
            step = min(500, max(_PAGES_A_PART // 2, -(-count // (2 * workers.size))))
            tasks = [(source, name, None, first, first + step) for first in range(0, count, step)]
            parts: dict[int, PagesRead] = {}
            for index, part in workers.results(pages_read, tasks, **limits):
                if isinstance(part, WorkbenchError):
                    raise part
                parts[index] = part
        in_order = [parts[index] for index in range(len(tasks))]
        joined: ParsedFile = workers.result(self.assembled, in_order, name, document_id, uri, **limits)
        return joined

    def assembled(self, parts: Sequence[PagesRead], name: str, document_id: str, uri: str) -> ParsedFile:
        """Return the document made of all parts of a file, in order."""
        pages = [page for part in parts for page in part.pages]
        incomplete = next((part.incomplete for part in parts if part.incomplete), "")
        check_has_text(name, pages, incomplete)
        xfa_notice = parts[0].is_xfa_notice
        failed = tuple(page.number for page in pages if page.failed or is_unreadable(page) or xfa_notice)
        empty = tuple(page.number for page in pages if not page.text and not page.failed)
        is_repaired = any(part.is_repaired for part in parts)
        warnings = file_notes(incomplete, is_repaired=is_repaired, is_xfa_notice=xfa_notice)
        if parts[0].uncounted_pages:
            warnings.append(uncounted_note(parts[0].page_count, parts[0].uncounted_pages))
        warnings += page_notes(pages, incomplete)
        repeated = repeated_lines(pages)
        leave_out = self.remove_repeated
        if leave_out and _share(pages_lines=[page.lines for page in pages], repeated=repeated) > 0.5:
            leave_out = False
            warnings.append("Most of the text repeats in the margins of pages, so nothing was left out.")
        whole = assembled(pages, repeated, leave_out=leave_out, join_hyphens=self.join_hyphens)
        check_length(len(whole.text), name)
        omitted = [text for page in pages for text in page.omitted]
        if leave_out:
            omitted += margin_texts(pages, repeated)
        letters = tuple(page_letters(pages, whole, omitted))
        warnings += letter_notes(letters)
        found = headings(whole.text, whole.lines, parts[0].outline)
        metadata = parts[0].metadata
        document = Document(
            id=document_id,
            text=whole.text,
            pages=tuple(whole.pages),
            title=find_title(metadata.get("title", ""), found, whole.text, whole.lines, name),
            uri=uri,
            headings=tuple(found),
            metadata={key: value for key, value in metadata.items() if key != "title"},
        )
        return ParsedFile(
            document, whole.layout, empty, failed, tuple(warnings), letters, tuple(omitted), incomplete
        )

    def page_image(self, data: bytes, page: int, dpi: int = 110) -> bytes:
        with opened(data, "this file") as document:
            if not 1 <= page <= document.page_count:
                raise InputError(f"there is no page {page}: the file has {document.page_count}", "unknown")
            try:
                with memory_errors():
                    shown = document[page - 1]
                    width, height = max(shown.rect.width, 0.1), max(shown.rect.height, 0.1)
                    scale = min(
                        max(dpi, 1) / 72,
                        (_MOST_PIXELS / (width * height)) ** 0.5,
                        _LONGEST_SIDE / max(width, height),
                    )
                    pixels = shown.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)
            except MUPDF_ERRORS as error:
                raise InputError(f"page {page} is damaged and cannot be drawn", "damaged") from error
            image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=80, method=3)
        return buffer.getvalue()

    def unlocked(self, data: bytes, password: str | None) -> bytes:
        with opened(data, "the file", password) as document:
            # Asking ``needs_pass`` again would try the empty password and lose the key: the copy would hold no text.
            if not document.metadata.get("encryption"):
                return data
            try:
                return bytes(document.tobytes(encryption=pymupdf.PDF_ENCRYPT_NONE, no_new_id=True))
            except MUPDF_ERRORS as error:
                raise InputError(
                    "the file opens, but it is damaged and no copy can be made", "damaged"
                ) from error


@contextmanager
def _on_disk(data: bytes) -> Iterator[Path | bytes]:
    """Give the path of a temporary file with ``data``, or ``data`` itself where the disk is full.

    From a file each worker reads only the pages that it needs.
    """
    try:
        file = tempfile.NamedTemporaryFile(suffix=".pdf")  # noqa: SIM115  (closed below)
    except OSError:
        yield data
        return
    with file:
        try:
            file.write(data)
            file.flush()
        except OSError:
            yield data
        else:
            yield Path(file.name)


def _share(pages_lines: Sequence[list[str]], repeated: Sequence[frozenset[int]]) -> float:
    """Return which share of all letters stands in repeated lines."""
    total = sum(len(line) for lines in pages_lines for line in lines)
    part = sum(len(lines[i]) for lines, found in zip(pages_lines, repeated, strict=True) for i in found)
    return part / total if total else 0.0
