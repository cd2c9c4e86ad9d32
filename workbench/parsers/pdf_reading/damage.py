"""Whether a PDF that MuPDF repaired is complete: a missing end mark is harmless, a missing half is not."""

from __future__ import annotations

import re
from typing import Any

from workbench.counts import listed_pages

_TAIL_BYTES = 4096
_STARTXREF = re.compile(rb"startxref\s+(\d{1,15})")
_LINEAR_LENGTH = re.compile(rb"/Linearized\b[^>]{0,300}?/L\s+(\d{1,15})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
_MOST_PAGES = 20_000
"""Pages beyond this number are not looked at: looking takes time, and repaired files that long are rare."""


def missing_parts(document: Any, data: bytes) -> str:
    """Return why a repaired ``pymupdf.Document`` is incomplete, as a sentence without its end, or "".

    ``data`` are the bytes of its file. Only for repaired files: others may hold the same signs for other reasons.
    """
    if (declared := _LINEAR_LENGTH.search(data[:_TAIL_BYTES])) and int(declared[1]) > len(data):
        return f"the file says that it has {int(declared[1]):,} bytes, but {len(data):,} arrived"
    places = [int(place) for place in _STARTXREF.findall(data[-_TAIL_BYTES:])]
    if places and places[-1] >= len(data):
        return f"its list of parts should begin at byte {places[-1]:,}, but the file has {len(data):,}"
    if _is_cut(data, _STREAM, b"endstream") or _is_cut(data, _OBJECT, b"endobj"):
        return "the file ends in the middle of one of its parts"
    missing = _missing_pages(document)
    if missing:
        return f"{listed_pages(missing)} of {document.page_count:,} cannot be found in the file"
    return ""


def unfinished_update(data: bytes) -> str:
    """Return that a file ends in the middle of what was added behind its end, as notes and signatures are; "" else.

    Such a file opens without a repair: what it held before the update is all there.
    """
    end = data.rfind(b"%%EOF")
    if end < 0 or _STARTXREF.search(data, end) or not _OBJECT.search(data, end):
        return ""
    return "the file ends in the middle of changes that were added at its end"


def _is_cut(data: bytes, begin: re.Pattern[bytes], end: bytes) -> bool:
    """Say whether ``begin`` occurs after the last ``end``: the last stream or object of the file never ends."""
    after = data[data.rfind(end) + len(end) :] if end in data else data
    return begin.search(after) is not None


def _missing_pages(document: Any) -> list[int]:
    """Return the numbers of the pages that are gone, or whose contents are."""
    count = int(document.page_count)
    missing = []
    # Pages may share what they show, and a list of it: asking anew for each page takes quadratic time.
    known: dict[str, bool] = {}
    for index in range(min(count, _MOST_PAGES)):
        try:
            kind, value = document.xref_get_key(document.page_xref(index), "Contents")
            if value not in known:
                contents = _references(document, kind, value)
                known[value] = all(_is_there(document, xref) for xref in contents)
        except (RuntimeError, ValueError, IndexError):
            missing.append(index + 1)
            continue
        if not known[value]:
            missing.append(index + 1)
    kind, value = document.xref_get_key(document.pdf_catalog(), "Pages/Count")
    if kind == "int" and int(value) > count:
        missing += range(count + 1, min(int(value), count + _MOST_PAGES) + 1)
    return missing


def _references(document: Any, kind: str, value: str) -> list[int]:
    """Return the numbers of the objects that hold a page's contents; ``kind`` and ``value`` are its entry for them."""
    if kind == "null" or not value:
        return []
    found = [int(number) for number in re.findall(r"(\d+) \d+ R", value)]
    if kind == "xref" and found and not document.xref_is_stream(found[0]):
        # Not a stream but an object that lists several of them.
        return found + [int(number) for number in re.findall(r"(\d+) \d+ R", document.xref_object(found[0]))]
    return found


def _is_there(document: Any, xref: int) -> bool:
    if not 0 < xref < document.xref_length():
        return False
    return bool(document.xref_object(xref, compressed=True).strip() not in ("", "null"))
