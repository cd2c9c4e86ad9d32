"""What a site asks of programs that read it: robots.txt (RFC 9309), its crawl delay included."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from protego import Protego

from workbench.errors import InputError, ServiceError
from workbench.http import PRODUCT, Http, host_and_port, origin, shown_url

LONGEST_DELAY_S = 3_600.0
_LARGEST_BYTES = 1_000_000


class Robots:
    """The rules of every site that is met, fetched once each; threads may share it."""

    def __init__(self, http: Http, cancelled: Callable[[], bool]) -> None:
        self._http = http
        self._cancelled = cancelled
        self._rules: dict[str, Protego] = {}
        self._lock = threading.Lock()

    def allows(self, url: str) -> bool:
        """Say whether the address may be read.

        Raises ``ServiceError`` while the site does not answer, ``InputError`` where it asks for endless waits.
        """
        return self._of(url).can_fetch(url, PRODUCT)

    def check(self, url: str) -> None:
        """Raise ``InputError`` for an address that may not be read."""
        if not self.allows(url):
            raise InputError(f"{shown_url(url)} is not read: the site's robots.txt asks not to", "refused")

    def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the site of ``url`` names."""
        return list(self._of(url).sitemaps)

    def _of(self, url: str) -> Protego:
        site = origin(url)
        with self._lock:
            if site not in self._rules:
                self._rules[site] = Protego.parse(self._text(site))
            rules = self._rules[site]
        delay_s = float(rules.crawl_delay(PRODUCT) or 0)
        if delay_s > LONGEST_DELAY_S:
            raise InputError(
                f"{site} is not read: its robots.txt asks for {delay_s:,.0f} seconds between two requests",
                "refused",
            )
        self._http.pace.slow_down(host_and_port(url)[0], delay_s)
        return rules

    def _text(self, site: str) -> str:
        limits = replace(self._http.limits, size_bytes=_LARGEST_BYTES, unpacked_bytes=_LARGEST_BYTES)
        try:
            answer = self._http.get(f"{site}/robots.txt", limits=limits, cancelled=self._cancelled)
        except InputError as error:
            if error.status in ("too_large", "damaged"):
                raise ServiceError(f"{error}: without it nothing of {site} is read") from error
            # RFC 9309, 2.3.1.3: a site without robots.txt may be read; 2.3.1.4: one in trouble may not.
            return ""
        return answer.data.decode("utf-8", "replace")
