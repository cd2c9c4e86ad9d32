"""The check in front of the app, asked as an ASGI server asks it: which requests pass, and what the others are told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from workbench.errors import SettingsError
from workbench.ui.access.guard import HEADERS, Guard
from workbench.ui.access.hosts import hosts_of, parse_authority, parse_hosts

PORT = 8501
Headers = Sequence[tuple[str, str]]
ANSWERED = 200


def asked(
    headers: Headers,
    *,
    path: str = "/",
    method: str = "GET",
    hosts: str = "",
    reached: tuple[str, int | None] | None = ("127.0.0.1", PORT),
    scheme: str = "http",
) -> tuple[int, str, dict[str, str]]:
    """Return status, text and headers of the answer to an HTTP request."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "scheme": scheme,
        "server": reached,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    sent = run(scope, hosts)
    start = sent[0]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return (
        start["status"],
        body.decode(),
        {name.decode(): value.decode() for name, value in start["headers"]},
    )


def opened(headers: Headers, *, hosts: str = "", scheme: str = "ws", path: str = "/_stcore/stream") -> bool:
    """Return whether a WebSocket is let in; one that is not is closed before it was accepted."""
    scope = {
        "type": "websocket",
        "path": path,
        "scheme": scheme,
        "server": ("127.0.0.1", PORT),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    (only,) = run(scope, hosts)
    assert only["type"] in ("websocket.accept", "websocket.close")
    return bool(only["type"] == "websocket.accept")


def run(scope: dict[str, Any], hosts: str) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send(
            {"type": "http.response.start", "status": ANSWERED, "headers": [(b"X-Frame-Options", b"ALLOW")]}
        )
        await send({"type": "http.response.body", "body": b"the app"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(app, parse_hosts(hosts))(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8501",
        "LOCALHOST:8501",
        "localhost.:8501",
        "127.0.0.1:8501",
        "[::1]:8501",
        "[0:0:0:0:0:0:0:1]:8501",
        "[::ffff:127.0.0.1]:8501",
    ],
)
def test_every_spelling_of_a_loopback_name_with_the_own_port_is_answered(host: str) -> None:
    assert asked([("Host", host)])[0] == ANSWERED


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:8501", 421),
        ("evil.example", 421),
        ("localhost.evil.example:8501", 421),
        ("127.0.0.1.evil.example:8501", 421),
        ("localhost:3000", 421),
        ("localhost", 421),
        ("localhost:80", 421),
        ("192.168.1.5:8501", 421),
        ("0.0.0.0:8501", 421),
        ("[::2]:8501", 421),
        ("2130706433:8501", 421),
        ("0x7f.0.0.1:8501", 421),
        ("", 400),
        (" localhost:8501", 400),
        ("localhost:8501 ", 400),
        ("localhost..:8501", 400),
        ("localhost:", 400),
        ("localhost:0", 400),
        ("localhost:65537", 400),
        ("localhost:85010000", 400),
        ("localhost:-8501", 400),
        ("localhost:8501:8501", 400),
        ("localhost:8501, evil.example", 400),
        ("user@localhost:8501", 400),
        ("evil.example@localhost:8501", 400),
        ("localhost:8501@evil.example", 400),
        ("http://localhost:8501", 400),
        ("localhost:8501/", 400),
        ("localhost\\@evil.example:8501", 400),
        ("::1", 400),
        ("[::1", 400),
        ("[::1]8501", 400),
        ("[::1%25lo]:8501", 400),
        ("[127.0.0.1]:8501", 400),
        ("localh\u00f6st:8501", 400),
        ("localhost:\u00b2", 400),
        ("a" * 300 + ":8501", 400),
    ],
)
def test_a_host_that_is_not_served_is_refused_even_with_an_origin_to_match(host: str, status: int) -> None:
    found, text, headers = asked([("Host", host)])
    assert found == status
    assert text.endswith(".\n")
    assert headers["content-type"].startswith("text/plain")
    assert asked([("Host", host), ("Origin", f"http://{host}")])[0] == status
    assert not opened([("Host", host), ("Origin", f"http://{host}")])


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    own = ("Host", f"localhost:{PORT}")
    assert asked([])[0] == 400
    assert asked([own, own])[0] == 400
    assert asked([own, ("Host", "evil.example")])[0] == 400
    assert not opened([own, own, ("Origin", f"http://localhost:{PORT}")])


@pytest.mark.parametrize(
    "path", ["http://evil.example/", "http://localhost:8501/", "*", "", "evil.example:443"]
)
def test_an_address_where_a_path_belongs_is_refused(path: str) -> None:
    assert asked([("Host", f"localhost:{PORT}")], path=path)[0] == 400


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Server"]
)
def test_what_a_proxy_might_have_written_opens_nothing(header: str) -> None:
    assert asked([("Host", "evil.example"), (header, f"localhost:{PORT}")])[0] == 421
    assert asked([("Host", f"localhost:{PORT}"), (header, "evil.example")])[0] == ANSWERED


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "http://localhost",
        "https://localhost:8501",
        "http://127.0.0.1:8501",
        "http://[::1]:8501",
        "http://evil.example:8501",
        "http://localhost:8501.evil.example",
        "http://localhost:8501@evil.example",
        "http://user@localhost:8501",
        "http://localhost:8501/",
        "http://localhost:8501 http://evil.example",
        "null",
        "",
        "file://",
        "chrome-extension://abcdefgh",
        "//localhost:8501",
        "localhost:8501",
        "HTTP://localhost:8501",
    ],
)
def test_a_page_of_another_address_is_refused_on_this_machine_too(origin: str) -> None:
    headers = [("Host", f"localhost:{PORT}"), ("Origin", origin)]
    for method in ("GET", "PUT", "DELETE", "POST", "OPTIONS"):
        status, text, _ = asked(headers, method=method, path="/_stcore/upload_file/session/file")
        assert (status, "page of another address" in text) == (403, True)
    assert not opened(headers)


def test_the_own_page_may_open_connections_and_change_things() -> None:
    for host in ("localhost:8501", "127.0.0.1:8501", "[::1]:8501"):
        headers = [("Host", host), ("Origin", f"http://{host}"), ("Sec-Fetch-Site", "same-origin")]
        assert opened(headers)
        assert asked(headers, method="PUT", path="/_stcore/upload_file/session/file")[0] == ANSWERED


def test_two_origins_are_refused() -> None:
    own = ("Origin", f"http://localhost:{PORT}")
    assert asked([("Host", f"localhost:{PORT}"), own, own])[0] == 403


def test_without_an_origin_pages_are_read_but_nothing_is_opened_or_changed() -> None:
    host = ("Host", f"localhost:{PORT}")
    assert asked([host])[0] == ANSWERED
    assert asked([host], path="/_stcore/health")[0] == ANSWERED
    assert asked([host], method="HEAD", path="/_stcore/health")[0] == ANSWERED
    for method in ("POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE"):
        assert asked([host], method=method, path="/_stcore/upload_file/session/file")[0] == 403
    assert not opened([host])


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_other_sites_may_link_to_pages_but_embed_and_send_nothing(site: str) -> None:
    host, sent_by = ("Host", f"localhost:{PORT}"), ("Sec-Fetch-Site", site)
    link = [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
    assert asked([host, sent_by, *link])[0] == ANSWERED
    assert asked([host, sent_by, ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")])[0] == 403
    assert asked([host, sent_by, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")])[0] == 403
    assert asked([host, sent_by])[0] == 403
    own = ("Origin", f"http://localhost:{PORT}")
    for method in ("PUT", "POST", "DELETE"):
        assert asked([host, own, sent_by, *link], method=method)[0] == 403
    assert not opened([host, own, sent_by])


def test_an_address_that_was_typed_is_answered() -> None:
    headers = [("Host", f"localhost:{PORT}"), ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate")]
    assert asked(headers)[0] == ANSWERED


def test_the_ip_address_a_connection_arrived_at_is_served_with_its_port() -> None:
    for reached in (("192.168.1.5", PORT), ("::ffff:192.168.1.5", PORT)):
        assert asked([("Host", "192.168.1.5:8501")], reached=reached)[0] == ANSWERED
        assert asked([("Host", "192.168.1.5:8502")], reached=reached)[0] == 421
        assert asked([("Host", "192.168.1.6:8501")], reached=reached)[0] == 421
    assert asked([("Host", "[fd00::5]:8501")], reached=("fd00::5", PORT))[0] == ANSWERED
    assert asked([("Host", "localhost")], reached=("127.0.0.1", 80))[0] == ANSWERED
    assert asked([("Host", "localhost")], reached=("127.0.0.1", 443), scheme="https")[0] == ANSWERED
    for nothing in (None, ("/run/socket", None)):
        assert asked([("Host", "localhost:8501")], reached=nothing)[0] == 421


def test_named_hosts_are_served_under_the_own_port_and_those_of_the_web() -> None:
    for host in ("search.example", "SEARCH.example.", "search.example:8501", "search.example:443"):
        assert asked([("Host", host)], hosts="search.example")[0] == ANSWERED
    for host in ("search.example:3000", "a.search.example", "example", "search.example.evil.example"):
        assert asked([("Host", host)], hosts="search.example")[0] == 421
    # A proxy holds the certificate.
    assert opened([("Host", "search.example"), ("Origin", "https://search.example")], hosts="search.example")
    assert not opened(
        [("Host", "search.example"), ("Origin", "https://evil.example")], hosts="search.example"
    )
    assert not opened(
        [("Host", "search.example"), ("Origin", "https://search.example:8443")], hosts="search.example"
    )


def test_a_named_host_with_a_port_is_served_under_that_port_only() -> None:
    named = "search.example:9000, [fd00::5]:9000,localhost:80"
    for host in ("search.example:9000", "[fd00::5]:9000", "localhost", "localhost:80", "localhost:8501"):
        assert asked([("Host", host)], hosts=named)[0] == ANSWERED
    for host in ("search.example", "search.example:8501", "[fd00::5]:8501", "localhost:9000"):
        assert asked([("Host", host)], hosts=named)[0] == 421


@pytest.mark.parametrize(
    "entry",
    ["*", "http://search.example", "search.example/", "search.example:port", "a b", "*.example", "::1"],
)
def test_an_entry_that_is_no_host_is_told(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"WORKBENCH_HOSTS names .* write host or host:port"):
        hosts_of({"WORKBENCH_HOSTS": f"search.example, {entry}"})


def test_no_named_host_is_the_same_as_none() -> None:
    assert hosts_of({}).named == hosts_of({"WORKBENCH_HOSTS": " , "}).named == ()


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/script-health-check",
        "/_stcore/agent/interact",
        "/_stcore/agent/mcp",
        "/_stcore/agent/openapi.json",
        "/_stcore/",
        "/below/_stcore/metrics",
        "/_stcore/metrics/",
        "/_stcore/anything-new",
    ],
)
def test_routes_for_operators_are_shut(path: str) -> None:
    status, text, headers = asked([("Host", f"localhost:{PORT}")], path=path)
    assert status == 404
    assert "X-Frame-Options".lower() in headers
    assert text.endswith(".\n")


def test_every_answer_says_that_no_other_page_may_frame_it() -> None:
    for host in ("localhost:8501", "evil.example:8501", ""):
        headers = asked([("Host", host)])[2]
        assert headers["content-security-policy"] == "frame-ancestors 'none'"
        assert headers["x-frame-options"] == "DENY"
        assert HEADERS.items() <= headers.items()
        assert "X-Frame-Options" not in headers


def test_a_refusal_of_a_head_request_has_no_body() -> None:
    assert asked([("Host", "evil.example")], method="HEAD")[:2] == (421, "")


def test_what_is_no_request_passes() -> None:
    passed: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["type"])

    async def nothing(*_: Any) -> Any: ...

    asyncio.run(Guard(app, parse_hosts(""))({"type": "lifespan"}, nothing, nothing))
    assert passed == ["lifespan"]


def test_an_address_is_written_in_one_way() -> None:
    assert str(parse_authority("LOCALHOST.:08501")) == "localhost:8501"
    assert str(parse_authority("[0::1]:1")) == "[::1]:1"
