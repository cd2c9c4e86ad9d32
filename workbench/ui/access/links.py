"""Links for others: the address under which somebody else reaches this server, where there is one."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from workbench.ui.access.hosts import Authority, Hosts, format_ip, parse_authority

ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


def is_loopback(host: str) -> bool:
    """Return whether only this computer reaches itself under a name or an address.

    >>> is_loopback("LOCALHOST"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("10.0.0.5")
    (True, True, True, False)
    """
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(format_ip(ipaddress.ip_address(name.strip("[]")))).is_loopback
    except ValueError:
        return False


def leads_here(host: str) -> bool:
    """Return whether a name or address leads to a loopback device: many a computer's own name does, on itself."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, 0)} if host else set()
    except (OSError, UnicodeError):
        return is_loopback(host)
    return is_loopback(host) or (bool(found) and all(map(is_loopback, found)))


def network_address() -> str | None:
    """Return this computer's address in its network; None where it is in none. Nothing is sent."""
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                # Choosing a way is all that connecting a datagram socket does.
                probe.connect((somewhere, 9))
                found = str(probe.getsockname()[0])
        except OSError:
            continue
        if not is_loopback(found) and found not in ANY_ADDRESS:
            return found
    return None


def base_for_others(
    bound: str, port: int, hosts: Hosts, opened_at: str = "", network: str | None = None
) -> str | None:
    """Return the start of a link that others can open, such as ``http://10.0.0.5:8501``; None where nobody else can.

    ``bound`` is the address that is served, ``opened_at`` the address of a page of it that somebody has open, and
    ``network`` this computer's own address in its network.
    """
    opened = urlsplit(opened_at)
    if opened.scheme in ("http", "https") and opened.hostname and not is_loopback(opened.hostname):
        return f"{opened.scheme}://{opened.netloc}"
    for entry in hosts.named:
        if not is_loopback(entry.host):
            # Served on loopback only, the name is that of a proxy on the port of the web.
            behind_proxy = entry.port is None and is_loopback(bound)
            return f"http://{Authority(entry.host, None if behind_proxy else entry.port or port)}"
    reached = network if bound in ANY_ADDRESS else bound
    if reached is None or is_loopback(reached):
        return None
    return f"http://{authority(reached, port)}"


def authority(host: str, port: int) -> Authority:
    """Return an address and a port as they stand in a link."""
    found = parse_authority(f"[{host}]" if ":" in host else host)
    return Authority(found.host if found else host, port)
