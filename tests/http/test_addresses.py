"""Which addresses are talked to, and how they are written and shown."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, ServiceError, SettingsError
from workbench.http import AllowList, checked_url, shown_url
from workbench.http.addresses import checked_addresses, refusal

NOBODY = AllowList()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "192.0.0.192",
        "192.88.99.1",
        "168.63.129.16",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::",
        "fe80::1",
        "fec0::1",
        "3fff::1",
        "3fff:fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refusal(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["9.9.9.9", "93.184.215.14", "2606:2800:21f::1", "64:ff9b::9.9.9.9", "192.88.98.255"]
)
def test_a_public_address_is_not_refused(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) == ""


@given(st.ip_addresses(v=4))
def test_an_address_is_refused_alike_in_every_ipv6_disguise(address: ipaddress.IPv4Address) -> None:
    disguises = [
        ipaddress.IPv6Address(f"::ffff:{address}"),
        ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(address)),
        ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80)),
    ]
    if refusal(address):
        assert all(refusal(disguise) for disguise in disguises)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "::1"]
)
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(InputError, match=r"an address of this machine.*WORKBENCH_ALLOW_HOSTS") as caught:
        checked_addresses(host, 80, NOBODY)
    assert caught.value.status == "refused"


def test_a_name_without_an_address_is_a_service_error() -> None:
    with pytest.raises(ServiceError, match="leads to no address"):
        checked_addresses("no-such-host.invalid", 80, NOBODY)


def test_one_inner_address_among_outer_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(host: str, port: int, type: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(2, 1, 6, "", ("9.9.9.9", port)), (2, 1, 6, "", ("10.0.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", both)
    with pytest.raises(InputError, match=r"10\.0\.0\.1 is an address of a private network"):
        checked_addresses("both.example", 443, NOBODY)


@pytest.mark.parametrize(
    ("text", "host", "port", "address", "answer"),
    [
        ("wiki.corp", "wiki.corp", 443, "10.0.0.1", True),
        ("wiki.corp", "WIKI.corp.", 443, "10.0.0.1", True),
        ("wiki.corp", "evil.wiki.corp", 443, "10.0.0.1", False),
        ("wiki.corp", "wiki.corp", 80, "169.254.169.254", False),
        ("169.254.169.254", "metadata", 80, "169.254.169.254", True),
        ("10.0.0.0/8", "anything", 1, "10.9.9.9", True),
        ("10.0.0.0/8", "anything", 1, "::ffff:10.9.9.9", True),
        ("10.0.0.0/8", "anything", 1, "11.0.0.1", False),
        ("127.0.0.1:8080", "localhost", 8080, "127.0.0.1", True),
        ("127.0.0.1:8080", "localhost", 8081, "127.0.0.1", False),
        ("[::1]:8080 , fd00::/8", "h", 8080, "::1", True),
        ("[::1]:8080 , fd00::/8", "h", 9, "fd00::1", True),
        ("::1", "h", 9, "::1", True),
        ("", "h", 9, "::1", False),
    ],
)
def test_what_the_list_allows(text: str, host: str, port: int, address: str, answer: bool) -> None:
    assert AllowList.parsed(text).allows(host, port, address) is answer


@pytest.mark.parametrize("text", ["http://wiki.corp/", "wiki.corp:99999", "a:b", "[::1"])
def test_an_entry_that_is_no_place_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="neither a host"):
        AllowList.parsed(text)


@pytest.mark.parametrize(
    ("url", "base", "found"),
    [
        ("HTTP://Example.ORG", "", "http://example.org/"),
        ("https://example.org:443/a#b", "", "https://example.org/a"),
        ("https://example.org:8443/", "", "https://example.org:8443/"),
        ("//other.org/x", "https://example.org/", "https://other.org/x"),
        ("../x", "https://example.org/a/b/c", "https://example.org/a/x"),
        ("https://example.org/a/../../b/./c/..", "", "https://example.org/b/"),
        ("https://bücher.example/ü?q=é", "", "https://xn--bcher-kva.example/%C3%BC?q=%C3%A9"),
        ("https://example.org/%C3%BC a", "", "https://example.org/%C3%BC%20a"),
        ("http://[2606:2800:21F::1]:80/", "", "http://[2606:2800:21f::1]/"),
        ("  https://example.org/\n", "", "https://example.org/"),
    ],
)
def test_equal_addresses_are_equal_texts(url: str, base: str, found: str) -> None:
    assert checked_url(url, base) == found
    assert checked_url(found) == found


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
        "example.org",
        "",
        "http://",
        "http://example.org:99999/",
        "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/",
        "http://[::1",
        "https://example.org/" + "a" * 5_000,
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        checked_url(url)


def test_no_message_repeats_a_password_or_a_token() -> None:
    with pytest.raises(InputError) as caught:
        checked_url("https://joe:hunter2@example.org/?key=hunter3")
    assert "hunter" not in str(caught.value)
    assert "hunter" not in shown_url("https://joe:hunter2@example.org/p?key=hunter3&hunter4")
    with pytest.raises(InputError) as caught:
        checked_url("ftp://joe:hunter2@example.org/?key=hunter3")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https:/joe:hunter2@example.org/",
        r"https:\\joe:hunter2@example.org",
        "//joe:hunter2@example.org/",
        "joe:hunter2@example.org?page=1",
        "https://joe:hunter2/3@example.org/",
        "https://joe:hunter2#3@example.org/",
        "https://joe:hunter2?3@example.org/",
        "https://[::1:hunter2@example.org/",
        "ftp://example.org/#access_token=hunter2",
    ],
)
def test_no_message_repeats_the_password_of_a_misspelled_address(url: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_url(url)
    assert "hunter" not in str(caught.value)
    assert "example.org" in str(caught.value)
