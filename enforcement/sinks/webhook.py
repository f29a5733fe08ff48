"""Standard Webhooks (standardwebhooks.com, specification 1.0): signed JSON, posted."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import standardwebhooks

from ringfence.enforcement.casebook.database import Clock, utc_now
from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.endpoint import Endpoint
from ringfence.enforcement.sinks.http import Poster, check
from ringfence.enforcement.sinks.protocol import Delivery
from ringfence.enforcement.sinks.settings import Table
from ringfence.enforcement.sinks.text import safe_json
from ringfence.records import iso_time

_LEAST_SECRET, _MOST_SECRET = 24, 64
"""Bytes of a secret, as the specification has it."""


class Webhook:
    """Posts each event, signed with every secret that is in use.

    An entry in the sinks file::

        [sinks.bans]
        kind = "webhook"
        url = "https://hooks.example.com/ringfence"
        secret_file = ["new.secret", "old.secret"]      # or secret_env; several while they are rotated

    and where wanted ``allow_private``, ``ca_file``, ``timeout`` (seconds) and ``connections``.
    """

    media_type = "application/json"

    def __init__(
        self, name: str, endpoint: Endpoint, secrets: tuple[bytes, ...], clock: Clock = utc_now
    ) -> None:
        """Take what :meth:`from_settings` read; the clock dates attempts."""
        self.name = name
        self._poster, self._clock = Poster(endpoint), clock
        self._signers = [standardwebhooks.Webhook(secret) for secret in secrets]

    @classmethod
    def from_settings(cls, name: str, table: Mapping[str, Any], folder: Path) -> Self:
        """Return the sink of an entry.

        Raises:
            PolicyError: the entry does not say what it must, or a secret that it names is not there.
        """
        entry = Table(name, table, folder)
        endpoint = Endpoint.from_table(entry)
        secrets = tuple(_secret(entry, written) for written in entry.secrets("secret"))
        entry.done()
        try:
            return cls(name, endpoint, secrets)
        except OSError as error:
            raise entry.wrong("ca_file", "names a file that holds no certificates") from error

    @property
    def most_at_once(self) -> int:
        """How many threads may send at once."""
        return self._poster.endpoint.connections

    def render(self, event: Event) -> bytes:
        """Return the payload: type, time and the event, as JSON in plain ASCII."""
        payload = {"type": event.kind, "timestamp": iso_time(event.occurred_at), "data": event.as_json()}
        return safe_json(payload).encode()

    def send(self, delivery: Delivery) -> str:
        """Post the payload; return the status that the receiver answered with.

        Raises:
            TryAgainError: no answer, or one that says "not now".
            RefusedError: the receiver does not take this message, or has moved.
            GoneError: the receiver wants nothing any more.
        """
        now = self._clock()
        text = delivery.body.decode()
        headers = {
            "content-type": self.media_type,
            "user-agent": "ringfence",
            "webhook-id": delivery.key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(one.sign(delivery.key, now, text) for one in self._signers),
        }
        return check(self._poster.post(delivery.body, headers), self._poster.endpoint.host)

    def close(self) -> None:
        """Close all connections."""
        self._poster.close()


def _secret(entry: Table, written: str) -> bytes:
    try:
        secret = decode_secret(written)
    except ValueError as error:
        raise entry.wrong("secret_file or secret_env", str(error)) from error
    return secret


def decode_secret(written: str) -> bytes:
    """Return the bytes of a secret as it is passed on: base64, with or without ``whsec_`` before it.

    Raises:
        ValueError: it is no base64, or too short or long; the message does not show it.
    """
    try:
        secret = binascii.a2b_base64(written.strip().removeprefix("whsec_"), strict_mode=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(
            "names a secret that is not base64; `openssl rand -base64 32` makes a good one"
        ) from error
    if not _LEAST_SECRET <= len(secret) <= _MOST_SECRET:
        raise ValueError(
            f"names a secret of {len(secret)} bytes; it takes {_LEAST_SECRET} to {_MOST_SECRET}. "
            "`openssl rand -base64 32` makes a good one"
        )
    return secret
