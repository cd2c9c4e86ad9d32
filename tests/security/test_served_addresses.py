"""The check in front of the app, on real servers: both ways of starting have it."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, Servers

pytestmark = pytest.mark.slow

WAYS = {"its own": ("workbench.ui.server",), "Streamlit's": ("streamlit", "run", str(ROOT / "app.py"))}
NAMED = "search.example, other.example:9000"
HEALTH, STREAM = "/_stcore/health", "/_stcore/stream"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    found = Servers(lambda: tmp_path_factory.mktemp("server"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module", params=WAYS)
def port(request: pytest.FixtureRequest, servers: Servers, folder: str) -> int:
    """The port of the workbench, started in one way and in the other."""
    return int(
        servers.address(
            WAYS[request.param], WORKBENCH_WORKSPACE=folder, WORKBENCH_HOSTS=NAMED, WORKBENCH_WARM_UP="off"
        ).rpartition(":")[2]
    )


def sent(port: int, *lines: str) -> tuple[int, str]:
    """Send a request as it is and return status and everything that came back; 0 for an answer that is none."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        connection.settimeout(10)
        data = b""
        while b"\r\n\r\n" not in data or not data.startswith(b"HTTP/1.1 101"):
            block = connection.recv(65_536)
            if not block:
                break
            data += block
    text = data.decode("latin-1")
    return (int(text.split()[1]) if text.startswith("HTTP/") else 0), text


def asked(port: int, host: str, path: str = HEALTH, *headers: str) -> tuple[int, str]:
    return sent(port, f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers)


def opened(port: int, host: str, origin: str | None) -> int:
    """Return the status of the answer to a WebSocket's handshake."""
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    ]
    sender = [f"Origin: {origin}"] if origin is not None else []
    return sent(port, f"GET {STREAM} HTTP/1.1", f"Host: {host}", *upgrade, *sender)[0]


def test_the_own_addresses_are_answered(port: int) -> None:
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]"):
        assert asked(port, f"{host}:{port}")[0] == 200
        assert opened(port, f"{host}:{port}", f"http://{host}:{port}") == 101
    for host in ("search.example", f"search.example:{port}", "other.example:9000"):
        assert asked(port, host)[0] == 200
        assert opened(port, host, f"https://{host}") == 101
    assert "html" in asked(port, f"127.0.0.1:{port}", "/")[1]
    assert "html" in asked(port, f"127.0.0.1:{port}", "/cuts")[1]


def test_a_name_that_somebody_else_points_here_is_refused_although_the_origin_matches(port: int) -> None:
    for host in (f"evil.example:{port}", "evil.example", f"localhost.evil.example:{port}", "localhost:3000"):
        for path in ("/", HEALTH, "/cuts", "/media/x.png", "/_stcore/host-config"):
            status, text = asked(port, host, path, f"Origin: http://{host}")
            assert status == 421
            assert "WORKBENCH_HOSTS" in text
        assert opened(port, host, f"http://{host}") == 403


def test_other_web_apps_of_this_machine_are_refused(port: int) -> None:
    for origin in ("http://localhost:3000", f"https://localhost:{port}", "null", "http://evil.example"):
        assert asked(port, f"localhost:{port}", HEALTH, f"Origin: {origin}")[0] == 403
        assert opened(port, f"localhost:{port}", origin) == 403
    assert opened(port, f"localhost:{port}", None) == 403
    upload = "/_stcore/upload_file/session/file"
    put = [f"PUT {upload} HTTP/1.1", f"Host: localhost:{port}", "Connection: close", "Content-Length: 0"]
    for header in ("Origin: http://localhost:3000", "Sec-Fetch-Site: cross-site", "X-None: 1"):
        status, text = sent(port, *put, header)
        assert status == 403
        assert "XSRF" not in text


def test_what_no_browser_sends_is_refused(port: int) -> None:
    own = f"Host: localhost:{port}"
    for lines in (
        [f"GET {HEALTH} HTTP/1.1", "Connection: close"],
        [f"GET {HEALTH} HTTP/1.0"],
        [f"GET {HEALTH} HTTP/1.1", own, own, "Connection: close"],
        [f"GET {HEALTH} HTTP/1.1", own, "Host: evil.example", "Connection: close"],
        [f"GET http://evil.example{HEALTH} HTTP/1.1", own, "Connection: close"],
        [f"GET {HEALTH} HTTP/1.1", f"Host: user@localhost:{port}", "Connection: close"],
        [f"GET {HEALTH} HTTP/1.1", "Host: ", "Connection: close"],
    ):
        assert sent(port, *lines)[0] in (400, 421)
    assert asked(port, "evil.example", HEALTH, f"X-Forwarded-Host: localhost:{port}")[0] == 421


def test_every_answer_forbids_frames_and_operators_routes_are_shut(port: int) -> None:
    for path, status in (("/", 200), (HEALTH, 200), ("/media/none.png", 404), ("/_stcore/metrics", 404)):
        found, text = asked(port, f"localhost:{port}", path)
        assert found == status
        assert "content-security-policy: frame-ancestors 'none'" in text
        assert text.lower().count("x-frame-options: deny") == 1
    for path in ("/_stcore/script-health-check", "/_stcore/agent/openapi.json", "/_stcore/metrics/"):
        assert asked(port, f"localhost:{port}", path)[0] == 404


@pytest.mark.parametrize("way", WAYS)
def test_a_list_of_hosts_that_cannot_be_read_is_told_before_anything_is_served(
    way: str, folder: str, unused: Callable[[], int]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *WAYS[way], f"--server.port={unused()}", "--server.headless=true"],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_WORKSPACE": folder, "WORKBENCH_HOSTS": "http://search.example"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert "WORKBENCH_HOSTS names 'http://search.example', which is no host" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def unused() -> Callable[[], int]:
    from tests.browser.conftest import free_port

    return free_port


def test_it_starts_from_another_folder(folder: str, tmp_path: Path, servers: Servers) -> None:
    # The name of the package must be found, and the looks of Streamlit be read, wherever one stands.
    done = subprocess.run(
        [sys.executable, "-c", "import app; print(type(app.app).__name__, len(app.app._user_middleware))"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["App", "1"], done.stderr
