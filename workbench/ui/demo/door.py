"""The door of a demo server: which addresses are there at all, who has the access token, how many come in at once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from workbench.ui.access.guard import CORE, Refusal, header_values, refuse, web_scheme
from workbench.ui.demo.messages import only_questions

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN_PARAMETER = "token"  # noqa: S105 - the name, not a token
MIN_TOKEN_CHARACTERS = 16
MAX_VISITORS = 200
"""WebSockets at once; every open tab is one."""
PLACES = ("/", "/favicon.png", "/manifest.json")
FOLDERS = ("/static/", "/media/", f"/{CORE}/bidi-components/")
CORE_ROUTES = tuple(f"/{CORE}/{name}" for name in ("health", "host-config", "stream"))
HEALTH = f"/{CORE}/health"
NEEDS_LINK = "This demo is for those who have its link. Open the link as it was sent to you, with its token."


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


class AccessToken:
    """Compares tokens without telling by time how much of one was right, and knows who has shown it before."""

    def __init__(self, token: str) -> None:
        # Digests are of one length, and leave no token in memory that a message could show.
        self._key = secrets.token_bytes(32)
        self._token = self._digest(token)
        self.pass_value = self._digest("pass " + token).hex()
        """What a browser keeps instead of the token; another one after each start of the server."""

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()

    def is_token(self, text: str) -> bool:
        """Return whether this is the token."""
        return hmac.compare_digest(self._digest(text), self._token)

    def is_pass(self, text: str) -> bool:
        """Return whether this is what a browser got for the token."""
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self.pass_value.encode())


class Door:
    """ASGI middleware that lets visitors reach the search box and nothing else, with an access token if there is one."""

    def __init__(
        self, app: ASGIApp, access: AccessToken | None = None, max_visitors: int = MAX_VISITORS
    ) -> None:
        self._app = app
        self._access = access
        self._max_visitors = max_visitors
        self._visitors = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, exchange a token for a pass, or answer with a refusal."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check_place(scope)
            token = self._token(scope)
            if token is None:
                self._check_pass(scope)
        except Refusal as refusal:
            await refuse(scope, send, refusal)
            return
        if token is not None and self._access is not None:
            await self._give_pass(scope, send, self._access)
        elif scope["type"] == "websocket":
            await self._let_in(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check_place(self, scope: Scope) -> None:
        path = scope["path"]
        if path not in (*PLACES, *CORE_ROUTES) and not path.startswith(FOLDERS):
            raise Refusal(404, "Only the search box is here, at the address without a path.")
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            raise Refusal(405, "This demo takes no files.")

    def _token(self, scope: Scope) -> str | None:
        """Return the right token of a link; None where there is none to look at, and a refusal for a wrong one."""
        if self._access is None or scope["type"] != "http" or scope["path"] != "/":
            return None
        given = [value for name, value in _query(scope) if name == TOKEN_PARAMETER]
        if not given:
            return None
        if len(given) != 1 or not self._access.is_token(given[0]):
            raise Refusal(403, NEEDS_LINK)
        return given[0]

    def _check_pass(self, scope: Scope) -> None:
        if self._access is None or scope["path"] == HEALTH:
            return
        if not any(self._access.is_pass(value) for value in _cookies(scope)):
            raise Refusal(403, NEEDS_LINK)

    async def _give_pass(self, scope: Scope, send: Send, access: AccessToken) -> None:
        # The token leaves the address line, the history and what other sites are told; the rest of the link stays.
        rest = urlencode([pair for pair in _query(scope) if pair[0] != TOKEN_PARAMETER])
        secure = "; Secure" if web_scheme(scope) == "https" else ""
        cookie = f"{_cookie_name(scope)}={access.pass_value}; Path=/; HttpOnly; SameSite=Lax{secure}"
        headers = {
            "location": "./?" + rest if rest else "./",
            "set-cookie": cookie,
            "cache-control": "no-store",
            "content-length": "0",
        }
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 303, "headers": pairs})
        await send({"type": "http.response.body", "body": b""})

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._visitors >= self._max_visitors:
            await refuse(scope, send, Refusal(503, "Too many visitors are here at once."))
            return
        self._visitors += 1
        try:
            await self._app(scope, only_questions(receive), send)
        finally:
            self._visitors -= 1


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _cookie_name(scope: Scope) -> str:
    # Browsers do not tell ports apart: two demos on one machine must not take each other's passes away.
    return f"workbench_demo_{(scope.get('server') or ('', 0))[1]}"


def _cookies(scope: Scope) -> list[str]:
    """Return the passes in a request."""
    name, found = _cookie_name(scope), []
    for header in header_values(scope).get("cookie", []):
        for pair in header.split(";"):
            try:
                cookie = SimpleCookie(pair)
            except CookieError:
                continue
            if name in cookie:
                found.append(cookie[name].value)
    return found
