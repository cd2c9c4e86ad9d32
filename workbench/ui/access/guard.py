"""The check in front of Streamlit: which host a request names, and which web page sent it.

Streamlit checks the origin of a WebSocket, but lets every page of this machine in, and asks nobody for a host: a
page that points its own name to 127.0.0.1 (DNS rebinding) could read every document. Plain ASGI, so that the same
check stands before HTTP and WebSocket, whatever starts the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.ui.access.hosts import (
    DEFAULT_PORTS,
    VARIABLE,
    Authority,
    Hosts,
    hosts_of,
    parse_authority,
    parse_origin,
    without_default_port,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    # An address may name a table, a question or an access token: no other site is told.
    "referrer-policy": "same-origin",
}
"""What every answer carries. No page may show the workbench in a frame and have its buttons clicked unseen."""
CORE = "_stcore"
OPEN_CORE_ROUTES = ("health", "host-config", "stream", "upload_file", "bidi-components")
"""What the browser needs of Streamlit's own routes; metrics, script checks and the agent API stay shut."""
POLICY_VIOLATION = 1008


class Refusal(Exception):
    """A request that is not answered, with the HTTP status and the sentence that say why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Guard:
    """ASGI middleware that lets in what is meant for this server and comes from its own pages or from no page."""

    def __init__(self, app: ASGIApp, hosts: Hosts | None = None) -> None:
        self._app = app
        self._hosts = hosts if hosts is not None else hosts_of()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a refusal."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            check(scope, self._hosts)
        except Refusal as refusal:
            await refuse(scope, send, refusal)
            return
        await self._app(scope, receive, with_headers(send))


def check(scope: Scope, hosts: Hosts) -> None:
    """Raise ``Refusal`` unless the request is for this server and from one of its own pages or from no page."""
    headers = header_values(scope)
    path = scope["path"]
    # An address instead of a path is what proxies are sent; it would stand above the Host header.
    if not path.startswith("/"):
        raise Refusal(400, "A request for this server names a path, not an address.")
    _check_sender(scope, headers, *_check_host(scope, headers, hosts))
    _check_route(path)


def header_values(scope: Scope) -> Mapping[str, list[str]]:
    """Return lower-case header name → its values, in the order in which they came."""
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def web_scheme(scope: Scope) -> str:
    """Return ``http`` or ``https``, for a WebSocket too."""
    return "https" if scope.get("scheme") in ("https", "wss") else "http"


def _check_host(
    scope: Scope, headers: Mapping[str, list[str]], hosts: Hosts
) -> tuple[Authority, tuple[str, ...]]:
    """Return the host that was asked for, and the schemes under which its pages are served."""
    given = headers.get("host", [])
    host = parse_authority(given[0]) if len(given) == 1 else None
    if host is None:
        raise Refusal(
            400, "A request names one host in its Host header, such as localhost:8501; this one does not."
        )
    scheme, reached = web_scheme(scope), tuple(scope.get("server") or ("", None))
    if hosts.is_named(host, reached):
        # A proxy may hold the certificate: https outside, http here.
        return without_default_port(host, scheme), tuple(DEFAULT_PORTS)
    if hosts.is_own(host, scheme, reached):
        return without_default_port(host, scheme), (scheme,)
    raise Refusal(
        421,
        f"{host} is not an address that this server answers under. Open it as localhost with the port it serves,"
        f" or start it with {VARIABLE}={host}.",
    )


def _check_sender(
    scope: Scope, headers: Mapping[str, list[str]], host: Authority, schemes: tuple[str, ...]
) -> None:
    origins = headers.get("origin", [])
    method = scope["method"] if scope["type"] == "http" else ""
    if origins:
        origin = parse_origin(origins[0]) if len(origins) == 1 else None
        if origin is None or origin[0] not in schemes or origin[1] != host:
            raise Refusal(
                403, "This request was sent by a page of another address; only this server's own pages may."
            )
    elif method not in SAFE_METHODS:
        # Browsers always name the sender of these. A program that opens a connection can name one, too.
        raise Refusal(
            403, "A request that opens a connection or changes something names its page in an Origin header."
        )
    _check_fetch_metadata(headers, is_navigable=method in ("GET", "HEAD"))


def _check_fetch_metadata(headers: Mapping[str, list[str]], is_navigable: bool) -> None:
    """Refuse what another site embeds; a link from there to here is a navigation and may."""
    sites = headers.get("sec-fetch-site", [])
    if all(site in ("same-origin", "none") for site in sites):
        return
    navigates = headers.get("sec-fetch-mode") == ["navigate"] and headers.get("sec-fetch-dest") == [
        "document"
    ]
    if not (is_navigable and navigates):
        raise Refusal(403, "Another site may link to this server, but not use what it serves.")


def _check_route(path: str) -> None:
    _, found, below = path.partition(f"/{CORE}/")
    if found and below.split("/", 1)[0] not in OPEN_CORE_ROUTES:
        raise Refusal(404, "There is nothing at this address.")


def with_headers(send: Send) -> Send:
    """Return a ``send`` that adds the headers which every answer carries."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name.encode() for name in HEADERS}
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *_pairs(HEADERS)]}
        await send(message)

    return sent


def _pairs(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Answer with the sentence; a WebSocket is closed before it is accepted."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
        return
    body = f"{refusal}\n".encode()
    headers = {
        **HEADERS,
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "connection": "close",
    }
    await send({"type": "http.response.start", "status": refusal.status, "headers": _pairs(headers)})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
