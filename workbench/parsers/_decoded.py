"""Bytes → text: which encoding a text file is in."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from workbench.counts import counted

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESSED = "The file does not say in which encoding it is; it was read as {}. Save it as UTF-8."
# With what some codecs, which no page is in, take for signs of their own.
_ASCII = bytes(range(0x20, 0x7F)) + rb"\n +ADw- ~{!!~}"
_PATIENCE_BYTES = 1_000_000
_NOT_WINDOWS = re.compile(b"[\x81\x8d\x8f\x90\x9d]")


def decoded(data: bytes, declared: str | None = None) -> tuple[str, list[str]]:
    """Return the text and, where its encoding had to be guessed or broken letters replaced, a warning.

    A byte-order mark decides and is not text; else the declared encoding, else UTF-8, else a guess. In UTF-8 that
    is broken in a few places only those are replaced.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _replaced(data[len(mark) :], encoding)
    if (unmarked := _unmarked_utf16(data)) is not None:
        return data.decode(unmarked, "replace"), [_GUESSED.format(unmarked)]
    for encoding in filter(None, (_meant(declared), "utf-8")):
        try:
            return data.decode(encoding), []
        except UnicodeError:
            continue
    broken = data.decode("utf-8", "replace")
    whole = len(re.findall("[^\x00-\x7f\ufffd]", broken))
    if whole > 10 * broken.count("\ufffd"):
        return broken, [
            f"{counted(broken.count(chr(0xFFFD)), 'letter is damaged and was', 'letters are damaged and were')} replaced by a question mark sign."
        ]
    encoding = _guessed(data)
    text = data.decode(encoding, "replace")
    return text, [
        f"The file does not say in which encoding it is; it was read as {encoding}. Save it as UTF-8."
    ]


def _meant(declared: str | None) -> str | None:
    """Return the encoding that a declaration inside the file means, None for one that cannot be.

    A declaration that could be read is in ASCII letters, so the file is not in UTF-16, whatever it says; and Latin 1
    means Windows-1252. Both as browsers do: https://encoding.spec.whatwg.org/#names-and-labels
    """
    if declared is None:
        return None
    try:
        name = codecs.lookup(declared).name
        if _ASCII.decode(name) != _ASCII.decode("ascii"):
            return None
    except (LookupError, UnicodeError):
        return None
    return "cp1252" if name == "iso8859-1" else name


def _replaced(data: bytes, encoding: str) -> tuple[str, list[str]]:
    text = data.decode(encoding, "replace")
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return text, [f"Some letters are damaged: the file is not whole {encoding.upper()}."]
    return text, []


def _unmarked_utf16(data: bytes) -> str | None:
    """Return the kind of UTF-16 of a file without a mark in which nearly every other byte is zero."""
    head = data[:4096]
    if len(head) < 32:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if min(even, odd) > 0 or max(even, odd) < 0.4 * len(head) / 2:
        return None
    return "utf-16-be" if even else "utf-16-le"


def _guessed(data: bytes) -> str:
    """Return the encoding that the letters look like; Windows' Western one when nothing speaks against it."""
    head = data[:_PATIENCE_BYTES]
    if not _NOT_WINDOWS.search(head) and _looks_western(head):
        return "cp1252"
    best = from_bytes(head).best()
    return best.encoding if best is not None and best.encoding != "ascii" else "cp1252"


def _looks_western(head: bytes) -> bool:
    """Say whether the letters beyond ASCII stand alone among Latin ones, as accents do."""
    runs = re.findall(rb"[\x80-\xff]+", head)
    return sum(len(run) <= 2 for run in runs) >= 0.9 * len(runs)
