"""The pages that a web site lists in its sitemap."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator

from workbench.contracts import Fault, ItemPage, Source, SourceAccess, SourceConnection
from workbench.counts import counted
from workbench.errors import ElsewhereError, InputError, ServiceError, SettingsError
from workbench.http import NOT_MODIFIED, Http, Response, checked_url, host_and_port, shown_url
from workbench.records import RawItem, SourceItem
from workbench.sources._globs import wanted
from workbench.sources._robots import Robots
from workbench.sources._sitemap_file import Entry, entries, version
from workbench.sources._web_page import canonical_url, content_type, file_name, marked

LARGEST_SITEMAP_BYTES = 52_428_800
"""What sitemaps.org allows, unpacked."""
MOST_SITEMAPS = 1_000
MOST_NAMED = 100
"""So many addresses that are not read are named, and so many sitemaps; of more it is said how many there are."""
LONGEST_CHAIN = 10
"""So many pages in a row may each call the next one proper; behind that none of them is believed."""
_SECRET = re.compile(
    r"(token|secret|passw(or)?d|passphrase|signature|credentials?|(api|access|auth|secret)key|session_?id|sessid|jwt)$"
    r"|(^|[^a-z])(key|sig|auth|authorization|pwd|pass|sid|session)$"
)
"""Names of what opens doors; the short ones only as words of their own: ``monkey`` holds no key."""
_ETAG, _DATE = "etag ", "date "


class Sitemap(Source):
    """Read the pages that a site lists in its sitemap, as its robots.txt allows"""

    label: ClassVar[str] = "Web site (sitemap)"
    url: str = Field(
        title="Address",
        examples=["https://www.example.org/sitemap.xml"],
        description="address of the sitemap, or of the site's first page: then robots.txt says where the sitemaps are",
        json_schema_extra={"public_address": True},
    )
    include: tuple[str, ...] = Field(
        (),
        strict=False,
        examples=["docs/**"],
        description="patterns of paths to read, such as docs/**; empty means all",
    )
    exclude: tuple[str, ...] = Field(
        (), strict=False, examples=["tag/**"], description="patterns of paths to leave out, such as tag/**"
    )
    more_hosts: tuple[str, ...] = Field(
        (),
        strict=False,
        examples=["docs.example.org"],
        description="other hosts whose pages and sitemaps may be read too, such as docs.example.org",
    )
    interval_s: float = Field(
        0.5,
        ge=0,
        le=3_600,
        description="least time between two requests to a host, in seconds; a longer crawl delay counts",
    )
    max_urls: int = Field(
        50_000,
        title="Most pages",
        ge=1,
        le=1_000_000,
        description="most pages to list; a larger site is not listed whole",
    )
    largest_mb: int = Field(
        50, title="Largest page (MB)", ge=1, le=1_000, description="largest page to read, in megabytes"
    )

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        try:
            checked = checked_url(url)
        except InputError as error:
            raise ValueError(f"url: {error}") from error
        # The address is part of every key in the ledger, and of what is shown.
        parts = urlsplit(checked)
        in_path = [part for part in re.split("[/;]", parts.path) if "=" in part]
        for part in (*re.split("[&;]", parts.query), *in_path):
            name = unquote(part.partition("=")[0])
            if _SECRET.search(name.lower()):
                raise ValueError(
                    f"url: a secret may not stand in an address, and {name!r:.40} looks like one"
                )
        return checked

    def place(self) -> str:
        """Return the sitemap's address."""
        return self.url

    def connection(self, access: SourceAccess) -> SourceConnection:
        """Return the site; nothing is asked of it yet."""
        return _Site(self, access)


class _Site(SourceConnection):
    def __init__(self, settings: Sitemap, access: SourceAccess) -> None:
        super().__init__(settings.name)
        self._settings = settings
        self._access = access
        self._http = access.http or Http()
        self._robots = Robots(self._http, access.cancelled)
        self._hosts = {host_and_port(settings.url)[0], *(host.lower() for host in settings.more_hosts)}
        for host in self._hosts:
            self._http.pace.slow_down(host, settings.interval_s)
        self._wanted = wanted(settings.include, settings.exclude)
        self._lock = threading.Lock()
        self._listed: set[str] = set()
        self._called: dict[str, str] = {}
        """Page → the address that it calls its own, "" for one that cannot be read."""

    def pages(self, cursor: str = "") -> Iterator[ItemPage]:
        """Yield the pages, a sitemap at a time. One that cannot be read is a fault, taken to be as long as the others."""
        todo = self._first()
        met = set(todo)
        self._listed.clear()
        self._called.clear()
        shut = _Shut()
        unread = 0
        lists = 0
        while todo:
            here = todo.pop()
            count = len(self._listed)
            items: list[SourceItem] = []
            problems: list[str] = []
            try:
                for entry in self._entries(here):
                    self._access.check()
                    try:
                        url = checked_url(entry.location, here)
                        self._check_host(url)
                    except InputError as error:
                        if entry.is_sitemap:
                            # Which pages it lists, nobody knows.
                            shut.add(shown_url(entry.location), error)
                            continue
                        problem = str(error)
                    else:
                        problem = ""
                        if not entry.is_sitemap:
                            found, problem = self._item(url, entry.changed)
                            items += [found] if found else []
                        elif url not in met:
                            met.add(url)
                            todo.append(url)
                            if len(met) > MOST_SITEMAPS:
                                break
                    if problem:
                        # A sitemap may name millions.
                        unread += 1
                        if unread <= MOST_NAMED:
                            problems.append(problem)
            except InputError as error:
                if len(met) == 1:
                    raise
                shut.add(shown_url(here), error)
            lists += len(self._listed) > count
            if len(met) > MOST_SITEMAPS:
                raise InputError(
                    f"{shown_url(self._settings.url)} leads to more than {MOST_SITEMAPS:,} sitemaps",
                    "too_large",
                )
            yield ItemPage(tuple(items), problems=tuple(problems))
        each = max(1, round(len(self._listed) / max(1, lists)))
        more = unread - MOST_NAMED
        yield ItemPage(
            problems=(f"{counted(more, 'more address is', 'more addresses are')} not read either",)
            if more > 0
            else (),
            faults=shut.faults(each),
            complete=lists > 0 or not shut.count,
        )

    def read(self, item: SourceItem, validator: str = "") -> RawItem | None:
        """Return the page's bytes, None where the server says that it has not changed.

        Raises ``ElsewhereError`` for a page that calls another listed one its proper address, if that can be read.
        """
        headers = {}
        if validator.startswith(_ETAG):
            headers["If-None-Match"] = validator.removeprefix(_ETAG)
        elif validator.startswith(_DATE):
            headers["If-Modified-Since"] = validator.removeprefix(_DATE)
        response = self._response(item.item_id, self._settings.largest_mb * 10**6, headers, self._check)
        if response.status == NOT_MODIFIED:
            if not headers:
                raise ServiceError(f"{shown_url(item.item_id)} answered 304 to a question that was not asked")
            return None
        name, address = self._named(response)
        kind, _ = content_type(response)
        proper = self._proper(item.item_id, address)
        if proper != item.item_id:
            raise ElsewhereError(
                f"{shown_url(item.item_id)} is another address of {shown_url(proper)}, which is read", proper
            )
        is_page = name.lower().endswith((".html", ".htm"))
        data = marked(response) if kind.startswith("text/") or is_page else response.data
        return RawItem(data, name, address, content_type=kind, validator=_validator(response))

    def close(self) -> None:
        """Close the connections, unless they were lent."""
        if self._access.http is None:
            self._http.close()

    def _first(self) -> list[str]:
        """Return the sitemaps to begin with."""
        url = self._settings.url
        if urlsplit(url).path != "/":
            return [url]
        named = [checked_url(found, url) for found in self._robots.sitemaps(url)]
        for found in named:
            self._check_host(found)
        return list(dict.fromkeys(named)) or [checked_url("/sitemap.xml", url)]

    def _entries(self, url: str) -> Iterator[Entry]:
        # Not held against robots.txt: it is made for programs, and somebody named it here or there.
        response = self._response(url, LARGEST_SITEMAP_BYTES, {}, self._check_host)
        yield from entries(response.data, shown_url(url), LARGEST_SITEMAP_BYTES)

    def _item(self, url: str, changed: str) -> tuple[SourceItem | None, str]:
        """Return the page as an item and what is wrong with it, None if it is not wanted, not allowed or listed already."""
        path = urlsplit(url).path.lstrip("/")
        if url in self._listed or not self._wanted(path):
            return None, ""
        if not self._robots.allows(url):
            return None, f"{shown_url(url)} is not read: the site's robots.txt asks not to"
        if len(self._listed) >= self._settings.max_urls:
            raise SettingsError(
                f"{shown_url(self._settings.url)} lists more than {counted(self._settings.max_urls, 'page')}: raise max_urls"
            )
        self._listed.add(url)
        now = datetime.fromtimestamp(self._http.utc_s(), UTC)
        return SourceItem(url, version(changed, now), path or "/", url), ""

    def _response(
        self, url: str, limit_bytes: int, headers: dict[str, str], check: Callable[[str], None]
    ) -> Response:
        limits = replace(self._http.limits, size_bytes=limit_bytes, unpacked_bytes=limit_bytes)
        return self._http.get(url, headers, limits=limits, check=check, cancelled=self._access.cancelled)

    def _check(self, url: str) -> None:
        """Raise for an address, or one it redirects to, on another site or closed by robots.txt."""
        self._check_host(url)
        self._robots.check(url)

    def _check_host(self, url: str) -> None:
        host = host_and_port(url)[0]
        if host not in self._hosts:
            raise InputError(
                f"{shown_url(url)} is on another site; list {host} in more_hosts to read it", "refused"
            )

    def _named(self, response: Response) -> tuple[str, str]:
        """Return the file name of an answer, and the address that it calls its own."""
        name = file_name(response)
        is_page = name.lower().endswith((".html", ".htm"))
        return name, canonical_url(response, self._listed) if is_page else response.url

    def _proper(self, item_id: str, address: str) -> str:
        """Return the listed page that stands for this one, which calls ``address`` its own: most often itself.

        Followed from page to page, and each is asked: one that cannot be read stands for nobody. Of a circle the
        first in the alphabet stays, whichever of them is read first.
        """
        with self._lock:
            self._called[item_id] = address
        met = [item_id]
        while address != met[-1] and address in self._listed:
            if address in met:
                return min(met[met.index(address) :])
            if len(met) == LONGEST_CHAIN:
                return item_id
            beyond = self._called_by(address)
            if not beyond:
                break
            met.append(address)
            address = beyond
        return met[-1]

    def _called_by(self, url: str) -> str:
        """Return the address that a listed page calls its own, "" where it cannot be read."""
        with self._lock:
            known = self._called.get(url)
        if known is None:
            try:
                response = self._response(url, self._settings.largest_mb * 10**6, {}, self._check)
                known = self._named(response)[1]
            except InputError:
                known = ""
            with self._lock:
                self._called[url] = known
        return known


class _Shut:
    """The sitemaps that cannot be read: the first are kept with the reason, all are counted."""

    def __init__(self) -> None:
        self.count = 0
        self._named: list[tuple[str, str]] = []

    def add(self, url: str, error: InputError) -> None:
        """Count one more."""
        self.count += 1
        if len(self._named) < MOST_NAMED:
            self._named.append((url, str(error)))

    def faults(self, each: int) -> tuple[Fault, ...]:
        """Return them as faults of about ``each`` items; the last one stands for all that are not named."""
        found = [Fault(url, message, each) for url, message in self._named]
        if more := self.count - len(found):
            name = counted(more, "more sitemap")
            found.append(Fault(name, f"{name} cannot be read either", more * each))
        return tuple(found)


def _validator(response: Response) -> str:
    if etag := response.headers.get("etag"):
        return _ETAG + etag
    if date := response.headers.get("last-modified"):
        return _DATE + date
    return ""
