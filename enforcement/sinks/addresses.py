"""Where a sink may connect to: by default, to addresses of the open internet alone.

A sinks file that names an inner address by mistake, or a name that somebody points at one, would have orders
sent to whatever listens there. So a name is resolved once, **every** address that it has is checked, and the
connection goes to the very address that was checked: a second answer of the name server changes nothing.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue

_UNICAST = ip_network("2000::/3")
"""The IPv6 addresses that are given out; mapped and translated (NAT64) IPv4 ones lie outside."""

_NOT_OPEN = [
    ip_network(network)
    for network in (
        # The IANA registries of special-purpose addresses.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]


class AddressError(Exception):
    """A name has no address, or one that must not be connected to; says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that was checked."""

    family: socket.AddressFamily
    where: tuple[str, int] | tuple[str, int, int, int]
    """As the operating system takes it."""


def inner(address: str) -> str | None:
    """Return the special-purpose network that an address lies in, or None on the open internet."""
    found = ip_address(address)
    if found.version == 6 and found not in _UNICAST:
        return f"outside {_UNICAST}"
    for network in _NOT_OPEN:
        if found in network:
            return str(network)
    return None


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return a host's address where it is written as one, without asking a name server."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def resolve(host: str, port: int, *, allow_private: bool, seconds: float) -> list[Address]:
    """Return the addresses of a host, all of them checked.

    Args:
        host: A name or an address.
        port: To connect to.
        allow_private: Whether inner addresses will do.
        seconds: How long to wait for the name server.

    Raises:
        AddressError: it has none, one is an inner one and that is not allowed, or no answer comes in time.
    """
    found = _look_up(host, port, seconds)
    if not allow_private:
        for address in found:
            network = inner(address.where[0])
            if network is not None:
                raise AddressError(
                    f"{host} is {address.where[0]}, which is no address of the open internet ({network}). "
                    "Set allow_private = true if that is meant."
                )
    return found


def _look_up(host: str, port: int, seconds: float) -> list[Address]:
    answers: SimpleQueue[list[Address] | OSError | UnicodeError] = SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([Address(family, where) for family, _, _, _, where in rows])  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # The system's resolver knows no limit of time, so it is left behind when the time is over.
    threading.Thread(target=ask, daemon=True, name=f"look up {host}").start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise AddressError(f"No name server told an address of {host} within {seconds:.0f} s.") from None
    if isinstance(answer, UnicodeError):
        raise AddressError(f"{host!r} is no name of a host.") from answer
    if isinstance(answer, OSError):
        raise AddressError(f"{host} has no address: {answer.strerror or answer}.") from answer
    return answer
