"""Posting bytes over HTTP, for every sink that does so: checked addresses, bounded time, no redirects.

What an answer means is the same for all: 2xx, it has it; 410, it wants nothing any more; an answer about the
message itself, it will never take it; anything else, and silence, try again.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

from ringfence.enforcement.sinks.addresses import AddressError, resolve
from ringfence.enforcement.sinks.endpoint import Endpoint
from ringfence.enforcement.sinks.protocol import GoneError, RefusedError, TryAgainError
from ringfence.enforcement.sinks.wire import Wire, connect, on

LONGEST_ANSWER = 1 << 16
"""Bytes of an answer that are read; a longer one is cut off, and the connection closed."""

_DOOR = frozenset({401, 403, 404, 405, 407, 408, 409, 421, 423, 425, 429})
"""About the address, the credentials or the moment, not about the message: it will do once that is mended."""

_MOVED = frozenset({301, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes
    """At most as many bytes of it as were asked for; what came, where the rest did not."""


class Poster:
    """Posts to one endpoint over connections that stay open; several threads may use it at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Name the endpoint; nothing is connected yet.

        Raises:
            OSError: the certificates to trust cannot be read.
        """
        self.endpoint = endpoint
        self._tls = _context(endpoint.ca_file) if endpoint.tls else None
        self._idle: list[tuple[HTTPConnection, Wire]] = []
        self._guard = threading.Lock()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post bytes; return the answer, whatever it is.

        Raises:
            TryAgainError: there was none, in time.
        """
        return self.exchange("POST", self.endpoint.path, body, headers)

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        longest: int = LONGEST_ANSWER,
    ) -> Answer:
        """Send a request of any kind to the endpoint's host; return the answer, whatever it is.

        Args:
            method: Such as ``GET``.
            path: With the query.
            body: What to send, or None.
            headers: Further ones.
            longest: Bytes of the answer to read.

        Raises:
            TryAgainError: there was none, in time.
        """
        by = time.monotonic() + self.endpoint.timeout
        try:
            connection, wire = self._connection(by)
        except AddressError as error:
            raise TryAgainError(str(error)) from error
        except OSError as error:
            raise TryAgainError(f"Cannot connect to {self._where}: {_why(error)}.") from error
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            wire.hang_up()
            raise TryAgainError(f"{self._where} gave no answer: {_why(error)}.") from error
        except ValueError:
            wire.hang_up()
            # What is raised for a header shows its value, which may be a secret.
            raise TryAgainError(
                f"Nothing was sent to {self._where}: its address or a header has signs that cannot be sent."
            ) from None
        return self._answer(response, connection, wire, longest)

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop()[1].hang_up()

    @property
    def _where(self) -> str:
        return f"{self.endpoint.host}:{self.endpoint.port}"

    def _connection(self, by: float) -> tuple[HTTPConnection, Wire]:
        while (kept := self._kept()) is not None:
            if not kept[1].stale:
                kept[1].deadline = by
                return kept
            kept[1].hang_up()
        to = self.endpoint
        seconds = min(5.0, to.timeout)
        addresses = resolve(to.host, to.port, allow_private=to.allow_private, seconds=seconds)
        wire = connect(addresses, to.host, self._tls, seconds=seconds, quiet=to.timeout, by=by)
        return on(wire, to.host, to.port, tls=to.tls), wire

    def _kept(self) -> tuple[HTTPConnection, Wire] | None:
        with self._guard:
            return self._idle.pop() if self._idle else None

    def _answer(self, response: HTTPResponse, connection: HTTPConnection, wire: Wire, longest: int) -> Answer:
        body, whole = b"", False
        # What the answer means stands in its first line, so a body that breaks off changes nothing.
        with suppress(OSError, HTTPException):
            body = response.read(longest)
            whole = response.isclosed() or not response.read(1)
        keep = whole and not response.will_close
        response.close()
        if keep:
            with self._guard:
                self._idle.append((connection, wire))
        else:
            wire.hang_up()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body)


def check(answer: Answer, where: str) -> str:
    """Return a receipt for an answer that means "I have it".

    Args:
        answer: The answer.
        where: Who gave it, for the message.

    Raises:
        TryAgainError: it was about the moment, the address or the credentials.
        RefusedError: it was about the message, or the address has moved for good.
        GoneError: the other side wants nothing any more.
    """
    status = answer.status
    if 200 <= status < 300:
        return f"HTTP {status}"
    said = f"{where} answered {_named(status)}"
    if status == HTTPStatus.GONE:
        raise GoneError(f"{said}: it wants nothing any more.")
    if 300 <= status < 400:
        told = f"{said}: a redirect, and those are not followed. Name the new address in the sinks file."
        raise RefusedError(told) if status in _MOVED else TryAgainError(told, _after(answer))
    if 400 <= status < 500 and status not in _DOOR:
        raise RefusedError(f"{said}: it does not take this message.")
    raise TryAgainError(f"{said}.", _after(answer))


def _after(answer: Answer) -> float | None:
    """Return for how many seconds the other side asks to be left alone: a number, or a date."""
    written = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", written):
        return float(written)
    with suppress(ValueError, TypeError):
        when = parsedate_to_datetime(written)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    return None


def _named(status: int) -> str:
    with suppress(ValueError):
        return f"{status} {HTTPStatus(status).phrase}"
    return str(status)


def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate does not hold ({error.verify_message}). If it is your own, name the file of "
            "its authority by ca_file"
        )
    if isinstance(error, TimeoutError):
        return "the time was up"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
