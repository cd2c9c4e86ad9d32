"""Opening a PDF: what may come instead of one, passwords, and damage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymupdf

from workbench.errors import InputError
from workbench.parsers.pdf_reading.page_tree import uncounted_pages

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

_LARGE_BYTES = 2 * 2**20
_NO_MEMORY = re.compile("alloc .*failed|bad_alloc|out of memory")

MUPDF_ERRORS: tuple[type[Exception], ...] = (
    pymupdf.mupdf.FzErrorBase,
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
)
"""What PyMuPDF raises for damaged files; it has no common base class."""


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn MuPDF's own word for too little memory into ``MemoryError``, which no reader takes for damage."""
    try:
        yield
    except MUPDF_ERRORS as error:
        if _NO_MEMORY.search(str(error)):
            raise MemoryError(str(error)) from error
        raise


@contextmanager
def opened(source: bytes | Path, name: str, password: str | None = None) -> Iterator[Any]:
    """Give the open ``pymupdf.Document``, which has at least one page and can be read; ``source`` may be its path.

    Raises ``InputError``: unsupported (not a PDF), damaged, or needs_password.
    """
    data = _head(source)
    size_bytes = len(source) if isinstance(source, bytes) else source.stat().st_size
    if not data:
        raise InputError(f"{name} is empty: it has no bytes at all; save or download it again", "damaged")
    if b"%PDF-" not in data[:1024]:
        raise InputError(f"{name} is not a PDF{_what_it_is(data)}; give the real file", "unsupported")
    try:
        with memory_errors():
            if isinstance(source, bytes):
                document = pymupdf.open(stream=source, filetype="pdf")
            else:
                document = pymupdf.open(str(source), filetype="pdf")
    except MUPDF_ERRORS as error:
        raise _damaged(name) from error
    try:
        if not document.is_pdf:
            raise InputError(f"{name} is not a PDF{_what_it_is(data)}; give the real file", "unsupported")
        if document.needs_pass and not document.authenticate(password or ""):
            raise InputError(
                f"{name} needs a password" if password is None else f"the password given for {name} is wrong",
                "needs_password",
            )
        try:
            with memory_errors():
                # Kept with the document, for the note: afterwards nobody sees that its count was wrong.
                document.uncounted_pages = uncounted_pages(document)
                page_count = document.page_count
        except MUPDF_ERRORS as error:
            raise _damaged(name) from error
        if page_count < 1:
            raise InputError(
                f"{name} is damaged: it has no pages; open it in another program and save it anew", "damaged"
            )
        yield document
    finally:
        document.close()
        # What MuPDF keeps of a large file is memory that this worker no longer has. After small ones there is little
        # to gain, and fonts that many files share would be read anew for each.
        if size_bytes >= _LARGE_BYTES:
            pymupdf.TOOLS.store_shrink(100)


def _head(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return source[:1024]
    with source.open("rb") as file:
        return file.read(1024)


def _damaged(name: str) -> InputError:
    return InputError(
        f"{name} is damaged or not complete; download it again, or save it anew with another program",
        "damaged",
    )


def _what_it_is(data: bytes) -> str:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return " but an SVG drawing"
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head:
        return " but a web page (perhaps a log-in or an error page was saved in its place)"
    if head.startswith(b"pk\x03\x04"):
        return " but a ZIP archive or an office document"
    if head.startswith((b"\x89png", b"\xff\xd8\xff", b"gif8")):
        return " but a picture"
    return ""
