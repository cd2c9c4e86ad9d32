"""A web site on this machine whose pages are functions, and a clock that never waits."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Page = Callable[["Visitor"], None]


@dataclass
class Clock:
    """Seconds that pass only by sleeping; ``step_s`` passes with every look at the clock."""

    now: float = 1_000.0
    step_s: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


class Visitor(BaseHTTPRequestHandler):
    """One request, as a page sees it."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_POST(self) -> None:
        self.site.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.do_GET()

    def do_GET(self) -> None:
        self.site.asked.append(self.path)
        self.site.headers.append(dict(self.headers.items()))
        page = self.site.pages.get(self.path.partition("?")[0])
        try:
            if page is None:
                self.answer(b"no such page", 404)
            else:
                page(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self, data: bytes, status: int = 200, **headers: str) -> None:
        """Send everything; ``_`` in the names of headers stands for ``-``."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status != 304:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass
class Site:
    """Pages by path; ``asked``, ``headers`` and ``bodies`` (of POST) tell what was asked for, in order."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def allowed(self) -> str:
        return f"127.0.0.1:{self.port}"

    def put(self, path: str, data: bytes | str, status: int = 200, **headers: str) -> None:
        """Let ``path`` answer with this; ``{site}`` in a text becomes the site's address."""
        text = data.replace("{site}", self.url).encode() if isinstance(data, str) else data
        filled = {name: value.replace("{site}", self.url) for name, value in headers.items()}
        self.pages[path] = lambda visitor: visitor.answer(text, status, **filled)

    def put_in_turn(self, path: str, *pages: Page) -> None:
        """Let ``path`` answer with each page in turn, then with the last for ever."""
        left = list(pages)

        def page(visitor: Visitor) -> None:
            (left.pop(0) if len(left) > 1 else left[0])(visitor)

        self.pages[path] = page


@contextmanager
def serving(ssl_context: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Run a site until the end of the block, over TLS if a context is given."""
    site = Site()
    handler = type("SiteVisitor", (Visitor,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *about: None  # type: ignore[method-assign]
    if ssl_context is not None:
        server.socket = ssl_context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    site.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def answering(data: bytes, status: int = 200, **headers: str) -> Page:
    """Return a page for ``put_in_turn``."""
    return lambda visitor: visitor.answer(data, status, **headers)
