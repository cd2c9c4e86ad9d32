"""Which network addresses may be talked to: public ones, and those the operator of this program has listed."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from typing import Self

from workbench.errors import InputError, ServiceError, SettingsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ENVIRONMENT_NAME = "WORKBENCH_ALLOW_HOSTS"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
"""What Pythons call global, at least older ones, and IANA does not: protocol assignments, where Oracle's machines find
their credentials; relays of 6to4; addresses for documentation (RFC 6890, 7526, 9637)."""
_AZURE_PLATFORM = ipaddress.IPv4Address("168.63.129.16")
"""A public address by its number, but Azure answers it inside every virtual machine."""
_WITH_PORT = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^\[\]:]+))(?::(?P<port>\d{1,5}))?")


def refusal(address: Address) -> str:
    """Return why an address is refused, "" for a public one.

    >>> refusal(ipaddress.ip_address("::ffff:127.0.0.1"))
    'an address of this machine'
    >>> refusal(ipaddress.ip_address("9.9.9.9"))
    ''
    """
    for inner in _embedded(address):
        if reason := refusal(inner):
            return reason
    if address.is_loopback or address.is_unspecified:
        return "an address of this machine"
    if address.is_link_local or address == _AZURE_PLATFORM:
        return "a link-local address, where cloud machines keep their credentials"
    if address.is_multicast:
        return "a multicast address"
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    # Reserved covers ::/8 too, in which the old ::127.0.0.1 form lies; is_global alone lets it pass.
    special = site_local or any(address in network for network in _SPECIAL)
    if special or not address.is_global or (address.is_reserved and not _is_nat64(address)):
        return "an address of a private network"
    return ""


def _is_nat64(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address in _NAT64


def _embedded(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if _is_nat64(address):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]


@dataclass(frozen=True, slots=True)
class _Entry:
    host: str = ""
    network: Network | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class AllowList:
    """Places in private networks that may be talked to: the operator's word, never a config's.

    A config may come from somebody else, and what it points at is fetched from inside this network.
    """

    entries: tuple[_Entry, ...] = ()

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return the list in ``text``: hosts, addresses and networks, each with a port if wanted, by comma or blank.

        >>> AllowList.parsed("wiki.corp, 10.0.0.0/8 127.0.0.1:8080").allows("wiki.corp", 443, "192.168.0.7")
        True
        """
        return cls(tuple(_entry(word) for word in re.split(r"[\s,]+", text) if word))

    @classmethod
    def from_environment(cls) -> Self:
        """Return the operator's list, empty where there is none."""
        return cls.parsed(os.environ.get(ENVIRONMENT_NAME, ""))

    def allows(self, host: str, port: int, address: Address | str) -> bool:
        """Say whether this connection is listed. A listed host name opens no link-local address: list that itself."""
        found = ipaddress.ip_address(address) if isinstance(address, str) else address
        mapped = getattr(found, "ipv4_mapped", None) or found
        for entry in self.entries:
            if entry.port not in (None, port):
                continue
            if entry.network is not None and mapped in entry.network:
                return True
            if entry.host and entry.host == host.lower().rstrip(".") and not mapped.is_link_local:
                return True
        return False


def _entry(word: str) -> _Entry:
    if (network := _network(word)) is not None:
        return _Entry(network=network)
    found = _WITH_PORT.fullmatch(word)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 0 < port < 65_536):
        raise SettingsError(
            f"{ENVIRONMENT_NAME}: {word!r:.60} is neither a host, an address nor a network; "
            "write wiki.corp, 10.0.0.0/8 or 127.0.0.1:8080"
        )
    place = found["bracketed"] or found["plain"]
    network = _network(place)
    return _Entry(host="" if network else place.lower().rstrip("."), network=network, port=port)


def _network(word: str) -> Network | None:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None


def checked_addresses(host: str, port: int, allowed: AllowList) -> list[str]:
    """Return the addresses of ``host`` that may be talked to, in the resolver's order.

    One refused address refuses them all: a name that leads both outside and inside is an attack or a mistake.
    Raises ``InputError`` (refused), or ``ServiceError`` when the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServiceError(f"the name {host} leads to no address; is it spelled right?") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in addresses:
        address = ipaddress.ip_address(text)
        reason = refusal(address)
        if reason and not allowed.allows(host, port, address):
            raise InputError(
                f"{host} is not asked: {text} is {reason}. Whoever runs this program can allow it "
                f"with {ENVIRONMENT_NAME}={host}:{port}",
                "refused",
            )
    return addresses
