"""What is sealed, and what may be known of it without opening it."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ringfence.enforcement.casebook.database import stamp
from ringfence.enforcement.holds import held
from ringfence.errors import UnknownCaseError, near_names

MOST = 20
"""The most exhibits of a ring at a time."""

DAYS = 180
"""Days that exhibits are kept for, unless another number is given."""

REQUEST_LIFE = timedelta(hours=24)
"""How long a request to unlock can be granted."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One request as it was sent. Its text is not shown where the record is printed."""

    account_id: str
    at: str
    """When it was sent, ISO 8601."""
    request_id: str
    system_prompt: str | None = field(repr=False)
    prompt: str | None = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return the exhibit as plain JSON values."""
        return asdict(self)


class ExhibitState(StrEnum):
    """Whether an exhibit can be opened."""

    SEALED = "sealed"
    HELD = "held"
    """Past its end, and kept and openable for a legal hold on its account."""
    EXPIRED = "expired"
    """Past its end: not opened any more, and shredded with the next `exhibits expire`."""
    SHREDDED = "shredded"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An exhibit as the casebook has it."""

    ring_id: str
    seal_id: str
    number: int
    of: int
    """How many were sealed together."""
    account_id: str | None
    """None once it is shredded."""
    ciphertext: bytes | None = field(repr=False)
    digest: str
    """SHA-256 of the ciphertext."""
    sealed_by: str
    sealed_at: str
    expires_at: str
    state: ExhibitState

    @property
    def openable(self) -> bool:
        """Whether it may be opened."""
        return self.state in (ExhibitState.SEALED, ExhibitState.HELD)

    def as_json(self) -> dict[str, Any]:
        """Return what may be known without opening it, as plain JSON values."""
        row = asdict(self)
        del row["ciphertext"]
        return row


class RequestState(StrEnum):
    """Where a request to unlock stands."""

    OPEN = "open"
    UNLOCKED = "unlocked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class UnlockRequest:
    """A person's request to see a ring's exhibits."""

    request_id: str
    ring_id: str
    reason: str
    requested_by: str
    requested_at: str
    expires_at: str
    unlocked_by: str | None
    unlocked_at: str | None

    def state(self, now: datetime) -> RequestState:
        """Return where the request stands at a time."""
        if self.unlocked_at is not None:
            return RequestState.UNLOCKED
        return RequestState.OPEN if stamp(now) < self.expires_at else RequestState.EXPIRED

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return the request as plain JSON values, with its state at a time."""
        return {**asdict(self), "state": self.state(now)}


def sealed(connection: sqlite3.Connection, now: datetime, ring_id: str | None = None) -> list[Sealed]:
    """Return the exhibits of a ring, or of all, shredded ones too, in the order they were sealed."""
    rows = connection.execute(
        "SELECT ring_id, seal_id, number, seals.exhibits AS of, account_id, ciphertext, digest, sealed_by, "
        "sealed_at, expires_at, shredded_at FROM exhibits JOIN seals USING (seal_id) "
        "WHERE :ring IS NULL OR ring_id = :ring ORDER BY sealed_at, seal_id, number",
        {"ring": ring_id},
    ).fetchall()
    over = {row["account_id"] for row in rows if row["account_id"] and row["expires_at"] <= stamp(now)}
    kept = {hold.account_id for hold in held(connection, over, now)}
    return [_sealed(dict(row), now, kept) for row in rows]


def unlock_request(connection: sqlite3.Connection, request_id: str) -> UnlockRequest:
    """Return a request to unlock.

    Raises:
        UnknownCaseError: there is none of that id.
    """
    found = unlock_requests(connection)
    for one in found:
        if one.request_id == request_id:
            return one
    known = [one.request_id for one in found]
    raise UnknownCaseError(
        f"There is no request {request_id!r}.{near_names(request_id, known)} "
        "`ringfence exhibits request RING` makes one."
    )


def unlock_requests(connection: sqlite3.Connection, ring_id: str | None = None) -> list[UnlockRequest]:
    """Return the requests about a ring, or all, the oldest first."""
    rows = connection.execute(
        "SELECT * FROM unlock_requests WHERE :ring IS NULL OR ring_id = :ring "
        "ORDER BY requested_at, request_id",
        {"ring": ring_id},
    )
    return [UnlockRequest(**dict(row)) for row in rows]


def _sealed(row: dict[str, Any], now: datetime, kept: set[str]) -> Sealed:
    if row.pop("shredded_at") is not None:
        state = ExhibitState.SHREDDED
    elif stamp(now) < row["expires_at"]:
        state = ExhibitState.SEALED
    else:
        state = ExhibitState.HELD if row["account_id"] in kept else ExhibitState.EXPIRED
    return Sealed(**row, state=state)
