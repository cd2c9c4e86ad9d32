"""A fetched page: which parser reads it, which letters it is in, and what it says its proper address is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Container
from email.message import Message
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from workbench.errors import InputError
from workbench.files import shown_name
from workbench.http import Response, checked_url, host_and_port, shown_url
from workbench.sources._readable import is_readable

_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
}
_UNCERTAIN = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})
_HEAD_BYTES = 200_000
_CHARSETS = re.compile(
    r"ascii|utf-8|utf-16(-[lb]e)?|iso8859-\d+|cp125\d|cp866|cp874|tis-620|koi8-[ru]|mac-(roman|cyrillic)"
    r"|gb2312|gbk|gb18030|big5|big5hkscs|euc_jp|iso2022_jp|shift_jis|cp932|euc_kr|cp949"
)
"""What pages are written in (https://encoding.spec.whatwg.org/#names-and-labels), under Python's names. Python knows
more: some of these are no letters at all, and punycode takes seconds for a page."""


def content_type(response: Response) -> tuple[str, str]:
    """Return the media type and the encoding (as Python calls it) that the answer declares, "" where it does not."""
    message = Message()
    message["content-type"] = response.headers.get("content-type", "")
    declared = "content-type" in response.headers
    return (message.get_content_type() if declared else ""), _charset(message)


def _charset(message: Message) -> str:
    """Return Python's name of the encoding that a header declares, "" for none and for one that no page is in."""
    try:
        name = codecs.lookup(message.get_content_charset() or "").name
    except (LookupError, ValueError):
        return ""
    return name if _CHARSETS.fullmatch(name) else ""


def file_name(response: Response) -> str:
    """Return a name whose ending decides the parser; raises ``InputError`` (unsupported) where none reads it."""
    kind, _ = content_type(response)
    last = PurePosixPath(unquote(urlsplit(response.url).path)).name
    if kind in _UNCERTAIN and is_readable(last):
        return shown_name(last)
    suffix = _SUFFIXES.get(kind, "")
    if not suffix and not kind:
        suffix = ".html" if response.data[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else ""
    if not suffix:
        raise InputError(
            f"{shown_url(response.url)} is {kind or 'of an unknown kind'}, which is not read", "unsupported"
        )
    return shown_name(f"{PurePosixPath(last).stem or host_and_port(response.url)[0]}{suffix}")


def marked(response: Response) -> bytes:
    """Return the bytes so that a parser, which sees no headers, reads the letters that the headers declare."""
    _, encoding = content_type(response)
    data = response.data
    if not encoding or data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    try:
        text = data.decode(encoding)
        return codecs.BOM_UTF8 + text.encode("utf-8")
    except UnicodeError:
        return data


def canonical_url(response: Response, known: Container[str] = ()) -> str:
    """Return the address that a page calls its own, that of the answer where it names none.

    One of another host counts only if it is among the ``known``: else a page could say anything of itself.
    """
    head = _Head()
    head.feed(response.data[:_HEAD_BYTES].decode("utf-8", "replace"))
    try:
        base = checked_url(head.base, response.url) if head.base else response.url
        found = checked_url(head.canonical, base) if head.canonical else response.url
    except InputError:
        return response.url
    same_host = host_and_port(found)[0] == host_and_port(response.url)[0]
    return found if same_host or found in known else response.url


class _Head(HTMLParser):
    """The two elements of a page's head that say where it stands; the first of each counts."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.canonical = ""
        self._in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # In the body anybody who may leave a comment could say where the page stands.
        self._in_body = self._in_body or tag == "body"
        if self._in_body:
            return
        found = dict(attrs)
        if tag == "base":
            self.base = self.base or found.get("href") or ""
        elif tag == "link" and "canonical" in (found.get("rel") or "").lower().split():
            self.canonical = self.canonical or found.get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_body = self._in_body or tag == "head"
