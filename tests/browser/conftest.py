"""A real server and a real browser for what only they can show."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright

ROOT = Path(__file__).parent.parent.parent
APPS = Path(__file__).parent / "apps"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SERVER_FLAGS = (
    "--server.headless=true",
    "--server.address=127.0.0.1",
    "--browser.gatherUsageStats=false",
    "--server.fileWatcherType=none",
)
START_TIMEOUT_S = 60
HARMLESS = ("_stcore/health", "_stcore/host-config")
"""A deep link makes Streamlit ask for these below the page's own path first: 404, and nothing comes of it."""


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


class Servers:
    """Servers of this test run: one for each command and environment, all stopped at its end."""

    def __init__(self, logs: Callable[[], Path]) -> None:
        self._logs = logs
        self._started: dict[tuple[object, ...], tuple[subprocess.Popen[bytes], str]] = {}

    def address(self, module: Sequence[str], **environment: str) -> str:
        """Start ``python -m module … --server.port=…``, wait until it answers, return its address."""
        wanted = (tuple(module), tuple(sorted(environment.items())))
        if wanted in self._started:
            return self._started[wanted][1]
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        log = self._logs() / "log.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module, f"--server.port={port}", *SERVER_FLAGS],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._started[wanted] = (process, address)
        waiter = Waiter(START_TIMEOUT_S)
        while not _healthy(address):
            if process.poll() is not None or waiter.over():
                pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")
            waiter.rest()
        return address

    def stop(self) -> None:
        """Stop every server that was started here."""
        for process, _ in self._started.values():
            process.terminate()
        for process, _ in self._started.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of this test run."""
    found = Servers(lambda: tmp_path_factory.mktemp("server"))
    yield found
    found.stop()


@pytest.fixture(scope="session")
def streamlit_server(servers: Servers) -> Callable[..., str]:
    """Run a script with ``streamlit run`` and return its address. One server a script."""
    return lambda script, **environment: servers.address(("streamlit", "run", str(script)), **environment)


@pytest.fixture(scope="session")
def serve(servers: Servers) -> Callable[..., str]:
    """Run the workbench as ``make run`` does and return its address. One server an environment."""
    return lambda **environment: servers.address(("workbench.ui.server",), **environment)


class Waiter:
    """Rest between two looks at something, up to a limit."""

    def __init__(self, limit_s: float) -> None:
        self._clock = time.monotonic
        self._end = self._clock() + limit_s
        self._never = threading.Event()

    def over(self) -> bool:
        """Return whether the limit has passed."""
        return self._clock() > self._end

    def rest(self) -> None:
        """Wait a tenth of a second."""
        self._never.wait(0.1)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@dataclass
class Watch:
    """What must not happen while a page is open."""

    console: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Note errors of the console and stop requests that leave this machine."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.route("**/*", self._route)

    def _said(self, message: ConsoleMessage) -> None:
        where = str(message.location.get("url", ""))
        harmless = "404" in message.text and any(path in where for path in HARMLESS)
        if message.type == "error" and not harmless:
            self.console.append(f"{message.text} ({where})")

    def _route(self, route: Route, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.outside.append(request.url)
            route.abort()
        else:
            route.continue_()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages of a given width and colour scheme; at the end, fail on console errors and outside requests."""
    contexts = []
    watch = Watch()

    def opened(width: int = 1440, height: int = 900, scheme: str = "light", scale: float = 1) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            device_scale_factor=scale,
            accept_downloads=True,
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        watch.follow(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert watch.outside == []
    assert watch.console == []


@pytest.fixture
def browser_page(new_page: Callable[..., Page]) -> Page:
    """A page of 1440 × 900 pixels in the light theme."""
    return new_page()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Return the folder for screenshots: ``WORKBENCH_PICTURES``, else a temporary one."""
    folder = Path(os.environ.get("WORKBENCH_PICTURES") or tempfile.mkdtemp(prefix="workbench-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
