"""The door of a demo server, asked as an ASGI server asks it: the search box, who has the link, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from workbench.ui.demo.door import AccessToken, Door, new_token

TOKEN = "a-token-that-nobody-guesses"
ANSWERED, COOKIE = 200, "workbench_demo_8600"
Headers = Sequence[tuple[str, str]]


class Served:
    """A door with an app behind it, and what it answered."""

    def __init__(self, token: str | None = TOKEN, max_visitors: int = 2) -> None:
        self.access = AccessToken(token) if token else None
        self.reached: list[str] = []
        self.door = Door(self._app, self.access, max_visitors)
        self.inside = asyncio.Event()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope["path"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await receive()
            return
        await send({"type": "http.response.start", "status": ANSWERED, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def asked(
        self, path: str = "/", query: str = "", cookie: str = "", method: str = "GET", scheme: str = "http"
    ) -> tuple[int, dict[str, str], str]:
        """Return status, headers and text of the answer."""
        sent = asyncio.run(self._run(scope_of("http", path, query, cookie, method=method, scheme=scheme)))
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]).decode()

    def opened(self, cookie: str = "", query: str = "", path: str = "/_stcore/stream") -> bool:
        """Return whether a WebSocket is let in."""
        return (
            asyncio.run(self._run(scope_of("websocket", path, query, cookie)))[0]["type"]
            == "websocket.accept"
        )

    async def _run(self, scope: dict[str, Any]) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.disconnect"}

        await self.door(scope, receive, send)
        return sent


def scope_of(kind: str, path: str, query: str, cookie: str, **more: str) -> dict[str, Any]:
    return {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "server": ("127.0.0.1", 8600),
        "scheme": "http",
        "headers": [(b"cookie", cookie.encode())] if cookie else [],
        **more,
    }


def pass_of(served: Served) -> str:
    return served.asked(query=f"token={TOKEN}")[1]["set-cookie"].split(";")[0]


def test_the_token_of_a_link_becomes_a_pass_and_leaves_the_address() -> None:
    served = Served()
    status, headers, text = served.asked(query=f"q=a+b%26c&token={TOKEN}&q=%C3%BC")
    assert (status, headers["location"], text) == (303, "./?q=a+b%26c&q=%C3%BC", "")
    assert headers["cache-control"] == "no-store"
    name, *attributes = headers["set-cookie"].split("; ")
    assert name.startswith(f"{COOKIE}=")
    assert TOKEN not in name
    assert attributes == ["Path=/", "HttpOnly", "SameSite=Lax"]
    assert served.reached == []
    assert served.asked(cookie=name)[0] == ANSWERED
    assert served.opened(cookie=name)
    assert served.asked(query=f"token={TOKEN}")[1]["location"] == "./"


def test_a_pass_goes_over_https_only_where_it_was_given_there() -> None:
    assert "; Secure" in Served().asked(query=f"token={TOKEN}", scheme="https")[1]["set-cookie"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "token=",
        "token=wrong",
        f"token={TOKEN}x",
        f"token={TOKEN[:-1]}",
        f"token={TOKEN.upper()}",
        f"token={TOKEN}&token=wrong",
        f"token={TOKEN}&token={TOKEN}",
        f"Token={TOKEN}",
        "token=%00",
        "token=%ff%fe",
        "token=\u00fc",
    ],
)
def test_without_the_token_nothing_is_reached(query: str) -> None:
    served = Served()
    status, headers, text = served.asked(query=query)
    assert status == 403
    assert "Open the link as it was sent" in text
    assert "set-cookie" not in headers
    assert TOKEN not in text
    assert served.asked(path="/static/js/index.js", query=query)[0] == 403
    assert served.asked(path="/media/page.png", query=query)[0] == 403
    assert not served.opened(query=query)
    assert served.reached == []


def test_a_token_opens_no_connection_without_a_pass() -> None:
    served = Served()
    assert not served.opened(query=f"token={TOKEN}")
    assert served.asked(path="/media/page.png", query=f"token={TOKEN}")[0] == 403


def test_a_pass_is_good_for_the_server_that_gave_it() -> None:
    served, other = Served(), Served()
    own = pass_of(served)
    assert served.opened(cookie=f"a=b; {own}; c")
    assert not other.opened(cookie=own)
    for wrong in (
        own[:-1],
        own + "0",
        own.upper(),
        f"{COOKIE}=",
        f"{COOKIE}={TOKEN}",
        f"other={own.split('=')[1]}",
    ):
        assert not served.opened(cookie=wrong)
        assert served.asked(cookie=wrong)[0] == 403


def test_health_is_told_without_a_token() -> None:
    assert Served().asked("/_stcore/health")[0] == ANSWERED


def test_without_a_token_everybody_comes_in() -> None:
    served = Served(token=None)
    assert served.asked()[0] == ANSWERED
    assert served.asked(query="token=anything")[0] == ANSWERED
    assert served.opened()


@pytest.mark.parametrize(
    "path",
    [
        "/documents", "/library", "/feeds", "/ask", "/show", "/index.html", "/demo/", "//", "/_stcore/upload_file/a/b",
        "/_stcore/metrics", "/_stcore/agent/mcp", "/component/x/index.html", "/app/static/x", "/auth/login", "/static",
    ],
)  # fmt: skip
def test_there_is_nothing_but_the_search_box(path: str) -> None:
    served = Served(token=None)
    status, _, text = served.asked(path)
    assert (status, "Only the search box" in text) == (404, True)
    assert served.asked(path, method="PUT")[0] == 404
    assert not served.opened(path=path)
    assert served.reached == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_demo_takes_nothing_but_questions(method: str) -> None:
    for path in ("/", "/media/x", "/_stcore/stream"):
        assert Served(token=None).asked(path, method=method)[0] == 405


def test_one_more_visitor_than_there_is_room_for_waits_outside() -> None:
    served = Served(token=None, max_visitors=2)
    answers: list[str] = []

    async def visits() -> None:
        end = asyncio.Event()

        async def stay() -> Any:
            await end.wait()
            return {"type": "websocket.disconnect"}

        async def leave() -> Any:
            return {"type": "websocket.disconnect"}

        async def send(message: Any) -> None:
            answers.append(message["type"])

        scope = scope_of("websocket", "/_stcore/stream", "", "")
        inside = [asyncio.create_task(served.door(scope, stay, send)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await served.door(scope, leave, send)
        end.set()
        await asyncio.gather(*inside)
        await served.door(scope, leave, send)

    asyncio.run(visits())
    assert answers == ["websocket.accept", "websocket.accept", "websocket.close", "websocket.accept"]


def heard(*sent: Any) -> list[Any]:
    """Return what the app behind a door hears of what a visitor sends, until the visit ends."""
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not found or found[-1]["type"] == "websocket.receive":
            found.append(await receive())

    async def visit() -> None:
        queue = iter(
            [*({"type": "websocket.receive", **one} for one in sent), {"type": "websocket.disconnect"}]
        )

        async def receive() -> Any:
            return next(queue)

        async def send(message: Any) -> None: ...

        await Door(app)(scope_of("websocket", "/_stcore/stream", "", ""), receive, send)

    asyncio.run(visit())
    return found


def test_the_app_hears_of_a_visitor_what_a_search_box_needs_and_nothing_else() -> None:
    kinds = [field.name for field in BackMsg.DESCRIPTOR.fields]
    messages = {}
    for kind in kinds:
        message = BackMsg()
        field = getattr(message, kind)
        if isinstance(field, bool):
            setattr(message, kind, True)
        else:
            field.SetInParent()
        messages[kind] = {"bytes": message.SerializeToString()}
    passed = [BackMsg.FromString(one["bytes"]).WhichOneof("type") for one in heard(*messages.values())[:-1]]
    assert sorted(passed) == ["app_heartbeat", "rerun_script", "stop_script"]
    assert "clear_cache" in kinds
    assert heard({"bytes": b""}) == [{"type": "websocket.disconnect"}]


@pytest.mark.parametrize("frame", [{"text": "hello"}, {"bytes": b"\xff" * 20}, {"bytes": None, "text": ""}])
def test_what_is_no_message_is_heard_as_the_end_of_a_visit(frame: dict[str, Any]) -> None:
    assert heard(frame, {"bytes": BackMsg(app_heartbeat=True).SerializeToString()}) == [
        {"type": "websocket.disconnect", "code": 1007}
    ]


def test_tokens_are_long_and_no_two_are_alike() -> None:
    found = {new_token() for _ in range(100)}
    assert len(found) == 100
    assert min(map(len, found)) >= 32
