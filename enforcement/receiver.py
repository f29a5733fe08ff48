"""The receiving side: verify what comes, and apply each event once.

::

    with Inbox.open(path, [secret]) as inbox:
        message = inbox.verify(headers, body)         # RejectedError: answer 401, apply nothing
        with inbox.taking(message) as first:          # False: it was applied before; answer 200 all the same
            if first:
                apply(message.event)

A sender that gets no answer sends again, under the same key. The key is remembered in the transaction that
``taking`` ends with, so whatever is written over :attr:`Inbox.connection` within is kept with it, or not at
all.
"""

from __future__ import annotations

import hmac
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import standardwebhooks

from ringfence.enforcement.casebook.database import Clock, stamp, utc_now
from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.webhook import decode_secret
from ringfence.files import parse_json

TOLERANCE = 300
"""Seconds that a delivery's time may lie before or after now."""

_SECONDS = re.compile(r"[1-9][0-9]{0,11}")
_SENT = re.compile(r"[\x21-\x7e]{1,256}")
"""Ids as they are sent; some servers hand on what is no text."""


class RejectedError(Exception):
    """What came is not from the sender, not as it was sent, or not of now: apply nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery that was verified."""

    key: str
    """Idempotency key: the same in every attempt."""
    digest: str
    """SHA-256 of the body."""
    payload: dict[str, Any]
    """Type, time and data, as they were sent."""

    @property
    def event(self) -> Event:
        """What happened."""
        return Event.from_json(self.payload["data"])


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[bytes],
    now: datetime,
    tolerance: int = TOLERANCE,
) -> Message:
    """Return what a delivery says, if it was signed with one of the secrets, just now.

    Headers are compared to the letter: one that was touched is refused though it might mean the same.

    Raises:
        RejectedError: it was not.
    """
    found = {name.lower(): value for name, value in headers.items()}
    if len(found) < len(headers):
        raise RejectedError("A header came twice.")
    key, written, signed = (found.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not key or not written or not signed:
        raise RejectedError("A header is missing: webhook-id, webhook-timestamp or webhook-signature.")
    if not _SENT.fullmatch(key):
        raise RejectedError("webhook-id is no id.")
    if not _SECONDS.fullmatch(written):
        raise RejectedError("webhook-timestamp is no time.")
    if abs(now.timestamp() - int(written)) > tolerance:
        raise RejectedError(f"It was sent more than {tolerance} s ago, or the clocks differ.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise RejectedError("The body is not what was signed.") from error
    when = datetime.fromtimestamp(int(written), UTC)
    expected = [standardwebhooks.Webhook(secret).sign(key, when, text).encode() for secret in secrets]
    given = signed.encode("utf-8", "backslashreplace").split(b" ")
    if not any(hmac.compare_digest(one, right) for one in given for right in expected):
        raise RejectedError("No signature is right: another sender, another secret, or a changed body.")
    try:
        payload = parse_json(text)
    except ValueError as error:
        raise RejectedError("The body is signed, and is no JSON.") from error
    if not isinstance(payload, dict):
        raise RejectedError("The body is signed, and is no JSON object.")
    return Message(key, sha256(body).hexdigest(), payload)


class Inbox:
    """Remembers which deliveries were applied, in a SQLite file. Every process and thread opens its own."""

    def __init__(self, connection: sqlite3.Connection, secrets: Sequence[bytes], clock: Clock) -> None:
        self.connection, self._secrets, self._clock = connection, secrets, clock

    @classmethod
    def open(cls, path: Path, secrets: Sequence[str], *, clock: Clock = utc_now) -> Inbox:
        """Open the file, or make it.

        Args:
            path: The file.
            secrets: As they are passed on, base64 with or without ``whsec_``; several while they are rotated.
            clock: Tells the time.

        Raises:
            ValueError: a secret is none.
        """
        decoded = [decode_secret(one) for one in secrets]
        connection = sqlite3.connect(path, timeout=30.0, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ringfence_seen "
            "(key TEXT PRIMARY KEY, digest TEXT NOT NULL, at TEXT NOT NULL) STRICT, WITHOUT ROWID"
        )
        return cls(connection, decoded, clock)

    def verify(self, headers: Mapping[str, str], body: bytes) -> Message:
        """Return what a delivery says, if it is from the sender, unchanged and of now.

        Raises:
            RejectedError: it is not.
        """
        return verify(headers, body, self._secrets, self._clock())

    def seen(self, message: Message) -> bool:
        """Return whether a delivery was applied before: sent again, or replayed.

        Raises:
            RejectedError: another body was applied under its key.
        """
        row = self.connection.execute(
            "SELECT digest FROM ringfence_seen WHERE key = ?", (message.key,)
        ).fetchone()
        if row is not None and row[0] != message.digest:
            raise RejectedError(f"Another body came under {message.key} before; one key is one body.")
        return row is not None

    @contextmanager
    def taking(self, message: Message) -> Iterator[bool]:
        """Yield whether a delivery is to be applied; its key is remembered when the block ends well.

        Raises:
            RejectedError: another body was applied under its key.
        """
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            first = not self.seen(message)
            yield first
            if first:
                self.connection.execute(
                    "INSERT INTO ringfence_seen VALUES (?, ?, ?)",
                    (message.key, message.digest, stamp(self._clock())),
                )
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()
