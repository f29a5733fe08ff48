"""A connection on which nothing lasts longer than it may: each read and write ends by one deadline."""

from __future__ import annotations

import io
import select
import socket
import ssl
import time
from http.client import HTTPConnection

from ringfence.enforcement.sinks.addresses import Address


class Wire:
    """A connected socket, as :mod:`http.client` uses one."""

    def __init__(self, connected: socket.socket, deadline: float, quiet: float) -> None:
        """Take a socket.

        Args:
            connected: The socket.
            deadline: On the monotonic clock; set anew before each exchange.
            quiet: Seconds that the other side may keep silent within an exchange.
        """
        self._socket, self.deadline, self._quiet = connected, deadline, quiet

    def sendall(self, data: bytes) -> None:
        """Send all bytes before the deadline.

        Raises:
            TimeoutError: there was no time for that.
        """
        self._socket.settimeout(_left(self.deadline))
        self._socket.sendall(data)

    def receive_into(self, buffer: memoryview) -> int:
        """Wait for bytes, as long as the other side may keep silent and the deadline lets.

        Raises:
            TimeoutError: none came.
        """
        self._socket.settimeout(min(self._quiet, _left(self.deadline)))
        return self._socket.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a stream of what the other side sends; closing it leaves the connection open."""
        return io.BufferedReader(_Reading(self))

    @property
    def stale(self) -> bool:
        """Whether the other side has hung up, or said something that nobody asked for."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        """Do nothing: :mod:`http.client` calls this before the answer is read; see :meth:`hang_up`."""

    def hang_up(self) -> None:
        """Close the connection."""
        self._socket.close()


class _Reading(io.RawIOBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._wire.receive_into(buffer)


def connect(
    addresses: list[Address],
    host: str,
    tls: ssl.SSLContext | None,
    *,
    seconds: float,
    quiet: float,
    by: float,
) -> Wire:
    """Connect to the first address that answers, and to no other.

    Args:
        addresses: Checked ones.
        host: The name that the certificate must be of.
        tls: How to encrypt; None for not at all.
        seconds: How long connecting to one address may take.
        quiet: Seconds that the other side may keep silent later.
        by: On the monotonic clock, when all of this and what follows must be over.

    Raises:
        OSError: none answered, or the certificate does not hold.
    """
    failed: OSError = TimeoutError("there is no address to connect to")
    for address in addresses:
        plain = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            plain.settimeout(min(seconds, _left(by)))
            plain.connect(address.where)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Wire(plain if tls is None else tls.wrap_socket(plain, server_hostname=host), by, quiet)
        except ssl.SSLCertVerificationError:
            plain.close()
            raise
        except OSError as error:
            plain.close()
            failed = error
    raise failed


def on(wire: Wire, host: str, port: int, *, tls: bool) -> HTTPConnection:
    """Return a connection that speaks HTTP over a wire, and never opens one of its own."""
    connection = HTTPConnection(host, port)
    connection.auto_open = 0
    connection.default_port = 443 if tls else 80
    connection.sock = wire
    return connection


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
