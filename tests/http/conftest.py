"""A web site on this machine, a clock that never waits, and a client that may talk to the site within small limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web_site import Clock, Site, serving
from workbench.http import AllowList, Http, Limits


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def http(site: Site, clock: Clock) -> Iterator[Http]:
    limits = Limits(size_bytes=10_000, unpacked_bytes=20_000)
    with Http(
        AllowList.parsed(site.allowed), limits, clock=clock, utc_s=lambda: 1_700_000_000.0, sleep=clock.sleep
    ) as found:
        yield found
