"""``serve-demo`` as a program: what it refuses, what it serves and to whom, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import Waiter, free_port
from workbench.__main__ import INTERRUPTED, WRONG_USAGE, main
from workbench.config import Config, parsed
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
START_TIMEOUT_S = 90
ASKED = "Is half of the fare refunded?"


def config(name: str, size: int) -> Config:
    return parsed(
        f"version: 1\nname: {name}\nchunker: {{name: fixed_size, size_tokens: {size}}}\nembedder: {{name: hashing}}\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = Workspace(tmp_path_factory.mktemp("workspace"))
    here.add("fares.txt", b"The tram was late. Half of the fare is refunded. The depot opens at four.")
    for name, size in (("Small", 9), ("Secret", 40)):
        here.tables.build(config(name, size))
    return here.folder


class Demo:
    """A demo that runs in a process of its own."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbench", "serve-demo", "--json", *self._place(folder), *words],
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "WORKBENCH_WARM_UP": "off", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.ended: tuple[str, str] | None = None
        waiter = Waiter(START_TIMEOUT_S)
        while not self._answers():
            if self.process.poll() is not None or waiter.over():
                self.process.kill()
                pytest.fail(f"the demo did not start: {self.process.communicate()}")
            waiter.rest()
        assert self.process.stdout is not None
        self.said: dict[str, Any] = json.loads(self.process.stdout.readline())

    def _place(self, folder: Path) -> list[str]:
        return [f"--workspace={folder}", f"--port={self.port}"]

    def _answers(self) -> bool:
        try:
            return self.asked("/_stcore/health")[0] == 200
        except OSError:
            return False

    def asked(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Return status, text and headers of the answer to a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    def connected(self, cookie: str = "", origin: str = "") -> ClientConnection:
        """Return a WebSocket to the demo."""
        return connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            origin=origin or f"http://127.0.0.1:{self.port}",  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie} if cookie else {},
            subprotocols=["streamlit"],  # type: ignore[list-item]
            open_timeout=20,
            max_size=None,
        )

    def stop(self, number: int) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        self.ended = self.process.communicate(timeout=30)
        return self.process.returncode


def drawn(connection: ClientConnection, page_hash: str, page_name: str, query: str) -> str:
    """Run the page that is named, and return everything that was sent for it as text."""
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.page_script_hash = page_hash
    message.rerun_script.page_name = page_name
    connection.send(message.SerializeToString())
    sent = []
    while True:
        data = connection.recv(timeout=60)
        assert isinstance(data, bytes)
        found = ForwardMsg.FromString(data)
        sent.append(str(found))
        if found.WhichOneof("type") == "script_finished":
            return "\n".join(sent)


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    found = Demo(folder, "--table", "Small")
    yield found
    found.stop(signal.SIGTERM)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "0"], "is not a port from 1 to 65535"),
        (["--port", "99999"], "is not a port"),
        (["--port", "x"], "is not a port"),
        (["--table", "gone"], "no table is named 'gone'; there is "),
        (["--table", "Small", "--table", "Secret", "--table", "gone"], "no table is named 'gone'"),
        (["--host", "203.0.113.9"], "cannot be served"),
        (["--host", "no such name"], "is no address of this computer"),
        (["--retriever", "x"], "invalid choice"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_sentence(
    folder: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["--workspace", str(folder), "serve-demo", *words])
    except SystemExit as error:  # argparse
        status = int(str(error.code))
    assert status == WRONG_USAGE
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.out == ""


def test_a_workspace_without_tables_has_nothing_to_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(tmp_path), "serve-demo"]) == WRONG_USAGE
    assert "no table to search yet" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--workspace", str(folder), "serve-demo", "--port", port]) == WRONG_USAGE
    assert f"127.0.0.1 port {port} cannot be served (address already in use)" in capsys.readouterr().err


def test_a_short_token_of_the_environment_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_DEMO_TOKEN", "short")
    assert (
        main(["--workspace", str(folder), "serve-demo", "--token", "--port", str(free_port())]) == WRONG_USAGE
    )
    assert "take 16 or more" in capsys.readouterr().err


def test_no_page_hash_page_name_or_query_leads_to_another_page(demo: Demo) -> None:
    with demo.connected() as connection:
        for stem, url_path in (
            ("documents", "library"),
            ("sources", "feeds"),
            ("demo", "show"),
            ("search", "ask"),
        ):
            for page_hash in (
                "",
                calc_hash(url_path),
                calc_hash(stem),
                calc_hash(str(ROOT / "pages" / f"{stem}.py")),
            ):
                sent = drawn(
                    connection, page_hash, url_path, f"demo=Secret&way=keyword&page={stem}&view=mark"
                )
                assert "Ask the documents" in sent
                assert "stSidebar" not in sent
                assert "navigation {" not in sent
                for elsewhere in ("Upload", "Documents", "Sources", "Secret", "Build"):
                    assert f'"{elsewhere}' not in sent


def test_the_address_chooses_neither_table_nor_retriever(demo: Demo) -> None:
    with demo.connected() as connection:
        plain = drawn(connection, "", "", f"q={ASKED}")
        other = drawn(connection, "", "", f"q={ASKED}&demo=Secret&demo=Small&way=keyword")
    assert "refunded" in plain
    # The other table has all of the text in one chunk.
    assert "opens at four. " not in plain
    assert plain.count("demo-card-one") == other.count("demo-card-one") > 0
    assert "Compare two, blind" not in other


def test_a_visitor_neither_asks_for_files_nor_empties_what_others_use(demo: Demo) -> None:
    with demo.connected() as connection:
        for message in (
            BackMsg(load_git_info=True),
            BackMsg(clear_cache=True),
            BackMsg(set_run_on_save=True),
            BackMsg(file_urls_request={"request_id": "1", "file_names": ["a"]}),  # type: ignore[arg-type]
            BackMsg(debug_shutdown_runtime=True),
            BackMsg(),
            BackMsg(app_heartbeat=True),
        ):
            connection.send(message.SerializeToString())
        sent = ""
        # All that was said before is answered before this.
        while "heartbeat_ack" not in sent:
            data = connection.recv(timeout=60)
            assert isinstance(data, bytes)
            sent += str(ForwardMsg.FromString(data))
    assert "git_info_changed" not in sent
    assert "file_urls_response" not in sent


def test_what_is_no_message_ends_the_visit_of_whoever_sent_it(demo: Demo) -> None:
    for nonsense in ("text", b"\xff" * 20):
        with demo.connected() as connection, demo.connected() as other:
            connection.send(nonsense)
            # A test that waits too long is ended from outside: nothing but the end of the connection ends this.
            with suppress(ConnectionClosed):
                for _ in connection:
                    pass
            assert "Ask the documents" in drawn(other, "", "", "")


def test_a_question_beyond_all_bounds_is_refused_in_words(demo: Demo) -> None:
    with demo.connected() as connection:
        sent = drawn(connection, "", "", "q=" + "x" * 5_000)
    assert "A question has 500 characters at most; this one has 5,000." in sent
    assert "demo-card-one" not in sent


@pytest.mark.parametrize(
    "path", ["/library", "/feeds", "/show", "/_stcore/metrics", "/_stcore/upload_file/a/b", "/app/static/a"]
)
def test_no_other_address_is_served(demo: Demo, path: str) -> None:
    status, text, _ = demo.asked(path)
    assert status == 404
    assert text.endswith(".\n")


def test_the_guard_stands_before_the_demo_too(demo: Demo) -> None:
    assert demo.asked("/", Host=f"evil.example:{demo.port}")[0] == 421
    assert demo.asked("/", Origin="http://localhost:3000")[0] == 403
    assert demo.asked("/")[2]["x-frame-options"] == "DENY"
    with pytest.raises(InvalidStatus, match="403"):
        demo.connected(origin="http://localhost:3000")


def test_a_demo_on_loopback_has_no_link_to_send(demo: Demo) -> None:
    assert demo.said == {"url": f"http://127.0.0.1:{demo.port}/", "for_others": False}


def test_a_token_lets_in_who_has_it_and_is_in_no_log(folder: Path) -> None:
    demo = Demo(folder, "--token")
    try:
        link = urlsplit(demo.said["url"])
        token = link.query.removeprefix("token=")
        assert len(token) >= 32
        assert demo.asked("/")[0] == 403
        assert demo.asked("/?token=wrong")[0] == 403
        with pytest.raises(InvalidStatus, match="403"):
            demo.connected()
        status, _, headers = demo.asked(f"/?{link.query}&q=tram")
        assert (status, headers["location"]) == (303, "./?q=tram")
        cookie = headers["set-cookie"].split(";")[0]
        assert demo.asked("/", Cookie=cookie)[0] == 200
        with demo.connected(cookie) as connection:
            assert "Ask the documents" in drawn(connection, "", "", "")
            # Somebody is still there when the server is stopped.
            assert demo.stop(signal.SIGTERM) == 0
        assert demo.ended is not None
        assert token not in "".join(demo.ended)
        assert "the demo is stopped" in demo.ended[1]
        assert "Traceback" not in demo.ended[1]
    finally:
        if demo.process.poll() is None:
            demo.process.kill()


def test_ctrl_c_ends_it_as_it_ends_every_command(folder: Path) -> None:
    demo = Demo(folder, WORKBENCH_DEMO_TOKEN="not asked for")
    assert demo.asked("/")[0] == 200
    with demo.connected():
        # Somebody is still there.
        assert demo.stop(signal.SIGINT) == INTERRUPTED
    assert demo.ended is not None
    assert "Traceback" not in demo.ended[1]
