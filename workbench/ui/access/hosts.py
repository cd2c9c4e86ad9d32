"""The addresses a server answers under: loopback names, the IP address that was reached, and ``WORKBENCH_HOSTS``."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.errors import SettingsError

VARIABLE = "WORKBENCH_HOSTS"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_NAME_CHARACTERS = 253
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass(frozen=True)
class Authority:
    """A host and the port that was written behind it, in one spelling.

    >>> parse_authority("LocalHost.:8501")
    Authority(host='localhost', port=8501)
    """

    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_authority(text: str) -> Authority | None:
    """Return host and port of a ``Host`` header; None for anything that a browser never writes there."""
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None
    port = int(found["port"]) if found["port"] is not None else None
    host = _parse_host(found["host"])
    return Authority(host, port) if host and (port is None or 0 < port < 65536) else None


def _parse_host(text: str) -> str:
    """Return a name in lower case or an address as Python writes it; "" for what is neither."""
    if text.startswith("["):
        try:
            return format_ip(ipaddress.IPv6Address(text[1:-1]))
        except ValueError:
            return ""
    # A name with a dot at its end is the same name.
    name = text.lower().removesuffix(".")
    if len(name) > MAX_NAME_CHARACTERS or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return ""
    return name


def format_ip(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return an address in one spelling; an IPv4 address that a socket for both kinds wraps in IPv6, unwrapped.

    >>> format_ip(ipaddress.ip_address("::ffff:127.0.0.1"))
    '127.0.0.1'
    """
    wrapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(wrapped or address)


def parse_origin(text: str) -> tuple[str, Authority] | None:
    """Return scheme and address of an ``Origin`` header; None for ``null`` and everything that is no web page's."""
    scheme, separator, rest = text.partition("://")
    authority = parse_authority(rest)
    if not separator or scheme not in DEFAULT_PORTS or authority is None:
        return None
    return scheme, without_default_port(authority, scheme)


def without_default_port(authority: Authority, scheme: str) -> Authority:
    """Return the address as a browser writes it: without the port that its scheme has anyway."""
    if authority.port == DEFAULT_PORTS[scheme]:
        return Authority(authority.host, None)
    return authority


@dataclass(frozen=True)
class Hosts:
    """The addresses a server answers under.

    The name of a loopback device, and the IP address a connection arrived at, count with the port that is served.
    Neither can be a name that somebody else points to this machine (DNS rebinding).
    """

    named: tuple[Authority, ...] = ()

    def is_own(self, host: Authority, scheme: str, reached: tuple[str, int | None]) -> bool:
        """Return whether ``host`` is the socket address ``reached`` itself, or a loopback name with its port."""
        ip, served_port = reached
        return (host.host in LOOPBACK or host.host == _same_spelling(ip)) and (
            host.port or DEFAULT_PORTS[scheme]
        ) == served_port

    def is_named(self, host: Authority, reached: tuple[str, int | None]) -> bool:
        """Return whether ``host`` is in the list; a host without a port there means the port served and those of the web."""
        # A proxy in front may take the port of the web, and a browser leaves that out: which of the two is not told.
        web = (None, *DEFAULT_PORTS.values())
        return any(
            entry.host == host.host
            and (
                host.port in (reached[1], *web)
                if entry.port is None
                else host.port == entry.port or (host.port is None and entry.port in web)
            )
            for entry in self.named
        )


def _same_spelling(ip: str) -> str:
    try:
        return format_ip(ipaddress.ip_address(ip))
    except ValueError:
        return ""


def parse_hosts(text: str) -> Hosts:
    """Return the hosts of a comma-separated list; raises ``SettingsError`` for an entry that is no host or host:port.

    >>> [str(one) for one in parse_hosts("search.example, 10.0.0.5:9000").named]
    ['search.example', '10.0.0.5:9000']
    """
    named = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        authority = parse_authority(entry)
        if authority is None:
            raise SettingsError(
                f"{VARIABLE} names {entry[:80]!r}, which is no host: write host or host:port, separated by commas,"
                " such as search.example,10.0.0.5:8501"
            )
        named.append(authority)
    return Hosts(tuple(named))


def hosts_of(environment: Mapping[str, str] = os.environ) -> Hosts:
    """Return the hosts that ``WORKBENCH_HOSTS`` adds."""
    return parse_hosts(environment.get(VARIABLE, ""))
