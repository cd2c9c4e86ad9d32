"""Serve the search box alone, on a port of its own, until the process is stopped."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from workbench.counts import counted
from workbench.errors import SettingsError
from workbench.ui.access.guard import Guard
from workbench.ui.access.hosts import Hosts, hosts_of, parse_authority
from workbench.ui.access.links import ANY_ADDRESS, authority, base_for_others, leads_here, network_address
from workbench.ui.demo.door import MIN_TOKEN_CHARACTERS, TOKEN_PARAMETER, AccessToken, Door, new_token
from workbench.ui.demo.offer import Offer, set_offer

MAIN = Path(__file__).parent / "main.py"
ROOT = Path(__file__).parent.parent.parent.parent
MAX_MESSAGE_MB = 1
"""A question is short. Streamlit would take 25 MB of a visitor's state, and 200 MB for a file."""
OPTIONS = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableAgentApi": False,
    "server.maxUploadSize": MAX_MESSAGE_MB,
    "server.maxWidgetStateSize": MAX_MESSAGE_MB,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "runner.postScriptGC": False,
    # It would name an address that others cannot open, and look it up outside.
    "logger.hideWelcomeMessage": True,
}
ONLY_HERE = (
    "Only this computer can open this address, so there is no link to send. To show the demo to others, start it with"
    " --host 0.0.0.0, or put it behind a proxy and name that in WORKBENCH_HOSTS."
)


@dataclass(frozen=True)
class Link:
    """A link to a demo, whether others can open it, and what to tell whoever sends it."""

    url: str
    is_for_others: bool
    explanation: str


@dataclass(frozen=True)
class DemoServer:
    """A demo of one table, or of two to compare blind, at an address of this computer."""

    workspace: Path
    host: str
    port: int
    tables: tuple[str, ...] = ()
    retriever: str = ""
    token: str | None = field(default=None, repr=False)
    hosts: Hosts = field(default_factory=hosts_of)

    def with_token(self, token: str | None) -> DemoServer:
        """Return the same server behind a token, a new one for None; raises ``SettingsError`` for one that is too short."""
        if token is not None and len(token) < MIN_TOKEN_CHARACTERS:
            raise SettingsError(
                f"the token has {counted(len(token), 'character')}: take {MIN_TOKEN_CHARACTERS} or more, drawn by chance"
            )
        return replace(self, token=token or new_token())

    def link(self, instead_of_token: str | None = None) -> Link:
        """Return the link to send, or the one for this computer where nobody else could open any."""
        shown = instead_of_token or (quote(self.token, safe="") if self.token else "")
        query = f"/?{TOKEN_PARAMETER}={shown}" if self.token else "/"
        bound = "127.0.0.1" if leads_here(self.host) else self.host
        base = base_for_others(bound, self.port, self.hosts, network=network_address())
        if base is None:
            here = "127.0.0.1" if self.host in ANY_ADDRESS else self.host
            return Link(f"http://{authority(here, self.port)}{query}", False, ONLY_HERE)
        who = "Whoever has this link" if self.token else "Whoever reaches this address"
        return Link(
            base + query, True, f"{who} can search these documents, and see the pages that are found."
        )

    def serve(self, on_start: Callable[[], None]) -> None:
        """Run until SIGTERM, which returns, or Ctrl-C, which raises ``KeyboardInterrupt``.

        ``on_start`` is called once the port is taken.
        """
        os.environ["WORKBENCH_WORKSPACE"] = str(self.workspace.absolute())
        # Streamlit reads the looks from the working directory.
        if (ROOT / ".streamlit").is_dir():
            os.chdir(ROOT)
        import streamlit as st
        from starlette.middleware import Middleware

        @asynccontextmanager
        async def started(_app: object) -> AsyncIterator[None]:
            on_start()
            yield

        access = AccessToken(self.token) if self.token else None
        checks = [Middleware(Guard, hosts=self._served_hosts()), Middleware(Door, access=access)]
        app = st.App(MAIN, middleware=checks, lifespan=started)
        sys.argv = [str(MAIN)]
        set_offer(Offer(self.tables, self.retriever))
        signal.signal(signal.SIGTERM, _end)
        try:
            app.run(config={"server.address": self.host, "server.port": self.port, **OPTIONS})
        except _Ended:
            pass
        finally:
            set_offer(None)

    def _served_hosts(self) -> Hosts:
        # An address that was given as a name is meant to be opened by that name.
        named = parse_authority(self.host)
        return Hosts((*self.hosts.named, replace(named, port=self.port))) if named else self.hosts


class _Ended(BaseException):
    """The process was asked to end."""


def _end(_number: int, _frame: FrameType | None) -> None:
    # Uvicorn shuts down first, then gives the signal back to whoever had it before.
    raise _Ended
