"""A link for others begins with an address that others reach, or there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import SettingsError
from workbench.ui.access.hosts import parse_hosts
from workbench.ui.access.links import base_for_others, is_loopback, leads_here
from workbench.ui.demo.server import ONLY_HERE, DemoServer

PORT = 8501


@pytest.mark.parametrize(
    ("bound", "hosts", "opened_at", "network", "base"),
    [
        ("127.0.0.1", "", "http://localhost:8501/ask", "10.0.0.5", None),
        ("localhost", "", "", "10.0.0.5", None),
        ("::1", "", "http://[::1]:8501/", "10.0.0.5", None),
        ("127.0.0.1", "localhost:80", "", "10.0.0.5", None),
        ("0.0.0.0", "", "http://localhost:8501/ask", "10.0.0.5", "http://10.0.0.5:8501"),
        ("", "", "", "10.0.0.5", "http://10.0.0.5:8501"),
        ("::", "", "", "fd00::5", "http://[fd00::5]:8501"),
        ("0.0.0.0", "", "", None, None),
        ("10.0.0.7", "", "", "10.0.0.5", "http://10.0.0.7:8501"),
        ("0.0.0.0", "search.example", "", "10.0.0.5", "http://search.example:8501"),
        ("0.0.0.0", "search.example:9000", "", "10.0.0.5", "http://search.example:9000"),
        ("127.0.0.1", "search.example", "", None, "http://search.example"),
        ("127.0.0.1", "search.example", "https://search.example/ask", None, "https://search.example"),
        ("0.0.0.0", "", "http://10.0.0.9:8080/ask", "10.0.0.5", "http://10.0.0.9:8080"),
        ("127.0.0.1", "", "javascript://10.0.0.9/", None, None),
    ],
)
def test_the_base_of_a_link_is_reached_by_others(
    bound: str, hosts: str, opened_at: str, network: str | None, base: str | None
) -> None:
    assert base_for_others(bound, PORT, parse_hosts(hosts), opened_at, network) == base


def test_loopback_is_told_in_every_spelling() -> None:
    for host in (
        "localhost",
        "Localhost.",
        "a.localhost",
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
    ):
        assert is_loopback(host)
    for host in ("10.0.0.5", "localhost.example", "0.0.0.0", "fd00::5", "", "search.example"):
        assert not is_loopback(host)


def test_a_name_that_leads_to_loopback_is_no_address_for_others() -> None:
    assert leads_here("localhost")
    assert leads_here("127.0.1.1")
    assert not leads_here("10.0.0.7")
    assert not leads_here("0.0.0.0")
    assert not leads_here("")
    assert not served("localhost").link().is_for_others


def served(host: str = "127.0.0.1", hosts: str = "") -> DemoServer:
    return DemoServer(Path("w"), host, 8600, hosts=parse_hosts(hosts))


def test_a_demo_for_this_computer_has_no_link_to_send_and_says_why() -> None:
    link = served().link()
    assert (link.url, link.is_for_others, link.explanation) == ("http://127.0.0.1:8600/", False, ONLY_HERE)
    assert "--host 0.0.0.0" in link.explanation


def test_a_demo_says_who_can_open_its_link() -> None:
    link = served("10.0.0.7").link()
    assert (link.url, link.is_for_others) == ("http://10.0.0.7:8600/", True)
    assert "Whoever reaches this address" in link.explanation
    behind = served("10.0.0.7").with_token(None)
    assert behind.token is not None
    assert behind.link().url == f"http://10.0.0.7:8600/?token={behind.token}"
    assert "Whoever has this link" in behind.link().explanation


def test_a_token_from_outside_is_not_printed_and_no_token_is_in_a_traceback() -> None:
    behind = served("10.0.0.7").with_token("0123456789abcdef")
    assert behind.link("$TOKEN").url == "http://10.0.0.7:8600/?token=$TOKEN"
    assert "0123456789abcdef" not in repr(behind)


@pytest.mark.parametrize("token", ["", "short", "x" * 15])
def test_a_token_that_could_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(SettingsError, match="take 16 or more"):
        served().with_token(token)
