"""Web addresses in one spelling, and how they may be shown."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from workbench.errors import InputError

LONGEST_URL_CHARACTERS = 4_096
_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_KEPT = "%/:@!$&'()*+,;=~-._"


def checked_url(url: str, base: str = "") -> str:
    """Return ``url`` absolute and in one spelling, without a fragment; raises ``InputError`` for what is not read.

    Lower-case host, no default port, letters beyond ASCII encoded, ``..`` resolved: equal addresses are equal texts.

    >>> checked_url("../b?q=ü#top", "HTTP://Example.org:80/a/c/d")
    'http://example.org/a/b?q=%C3%BC'
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        port = parts.port
    except ValueError as error:
        raise InputError(f"{_cut(url)} is not a web address", "refused") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        raise InputError(f"{_cut(url)} is not read: give an address with http:// or https://", "refused")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            f"{_shown(parts)} is not read: a user name or password may not stand in an address", "refused"
        )
    whole = urlunsplit(parts._replace(fragment=""))
    if _UNSAFE.search(whole) and (_UNSAFE.search(parts.netloc) or "\\" in whole):
        raise InputError(f"{_shown(parts)} is not a web address", "refused")
    if len(whole) > LONGEST_URL_CHARACTERS:
        raise InputError(
            f"{_shown(parts)[:80]}… is longer than {LONGEST_URL_CHARACTERS:,} characters", "too_large"
        )
    host = _ascii_host(parts.hostname)
    netloc = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    path = quote(_without_dots(parts.path) or "/", safe=_KEPT)
    return urlunsplit((scheme, netloc, path, quote(parts.query, safe=_KEPT + "?"), ""))


def host_and_port(url: str) -> tuple[str, int]:
    """Return both of a checked address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def origin(url: str) -> str:
    """Return scheme, host and port of a checked address: what robots.txt and credentials hold for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def shown_url(url: str) -> str:
    """Return an address for messages: no user name, no password, and of the query only the names.

    >>> shown_url("https://joe:pw@example.org/a?page=2&token=abc")
    'https://example.org/a?page=…&token=…'
    """
    try:
        return _shown(urlsplit(url))
    except ValueError:
        return "an address that cannot be read"


def _shown(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    names = [
        f"{name}{same}…" if same else "…"
        for name, same, _ in (p.partition("=") for p in parts.query.split("&"))
    ]
    text = f"{parts.scheme}://{host}{parts.path}" + (f"?{'&'.join(names)}" if parts.query else "")
    return "".join(letter if letter.isprintable() else "�" for letter in text[:300])


def _cut(url: str) -> str:
    """Return the head of something that may be no address at all, without what may be a secret in it."""
    # Of what is misspelled nobody knows where the host begins: not before the last @.
    _, at, rest = url.rpartition("@")
    if at:
        return repr(f"…@{re.split('[?#]', rest)[0]}"[:80])
    return repr((shown_url(url) if re.search("[?#]", url) else url)[:80])


def _ascii_host(host: str) -> str:
    bare = host.rstrip(".").lower()
    if ":" in bare:
        return f"[{bare}]"
    try:
        return bare.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InputError(f"{host!r:.80} is not a host name", "refused") from error


def _without_dots(path: str) -> str:
    """Return the path with ``.`` and ``..`` resolved (RFC 3986, 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments, start=1):
        if segment == "..":
            del kept[-1:]
        if segment not in (".", ".."):
            kept.append(segment)
        elif number == len(segments):
            kept.append("")
    return "/" + "/".join(kept)
