"""Legal holds: an account that must not be erased, by whose word, why, and until when."""

from __future__ import annotations

import hmac
import os
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from ringfence.enforcement.casebook.database import Writing, stamp, utc_now
from ringfence.errors import CasebookError, NotAllowedError, UnknownCaseError
from ringfence.state import StateFolder

_KEY_BYTES = 32
_NAMED = 3


class HoldState(StrEnum):
    """Where a hold stands."""

    STANDING = "standing"
    EXPIRED = "expired"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on one account; an account may be under several, each lifted by itself."""

    number: int
    account_id: str
    owner: str
    """Who answers for it: a person or a department."""
    reason: str
    placed_by: str
    placed_at: str
    expires_at: str
    lifted_by: str | None
    lifted_at: str | None
    lift_reason: str | None

    def state(self, now: datetime) -> HoldState:
        """Return where the hold stands at a time."""
        if self.lifted_at is not None:
            return HoldState.LIFTED
        return HoldState.STANDING if stamp(now) < self.expires_at else HoldState.EXPIRED

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return the hold as plain JSON values, with its state at a time."""
        return {**asdict(self), "state": self.state(now)}


def digest_key(state: StateFolder) -> bytes:
    """Return the key by which accounts are named in the audit log, made where it is missing: 32 bytes.

    Without it nobody can tell, by trying all account ids, which one an entry is about.

    Raises:
        CasebookError: the file cannot be read or made, or is damaged.
    """
    path = state.keys / "accounts.key"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise CasebookError(f"{path}: {error.strerror or error}. Nothing was changed.") from error
    if len(key) != _KEY_BYTES:
        raise CasebookError(f"{path} is damaged: {len(key)} bytes, not {_KEY_BYTES}. Restore a copy.")
    return key


def account_digest(key: bytes, account_id: str) -> str:
    """Return the name of an account that outlives its erasure: HMAC-SHA-256 under a key kept apart."""
    return hmac.new(key, account_id.encode(), sha256).hexdigest()


def place_hold(
    writing: Writing, key: bytes, account_id: str, owner: str, reason: str, expires_at: datetime
) -> Hold:
    """Hold an account: it is not erased, and its exhibits are not shredded, before the hold has ended.

    Args:
        writing: The transaction.
        key: As :func:`digest_key` gives it.
        account_id: The account; one that no ring has may be held, too.
        owner: Who answers for the hold.
        reason: Why.
        expires_at: When it ends unless it is lifted before.

    Raises:
        NotAllowedError: account, owner or reason is empty, or the end is not in the future.
    """
    for name, text in (("account", account_id), ("owner", owner), ("reason", reason)):
        if not text.strip():
            raise NotAllowedError(
                f"A hold needs an {name}." if name != "reason" else "A hold needs a reason."
            )
    if expires_at <= writing.now:
        raise NotAllowedError(f"The hold would have ended at {stamp(expires_at)}; name a time to come.")
    row = writing.execute(
        "INSERT INTO holds (account_id, owner, reason, placed_by, placed_at, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
        (account_id, owner.strip(), reason.strip(), writing.by, writing.stamp, stamp(expires_at)),
    ).fetchone()
    placed = Hold(**dict(row))
    writing.audit(
        "hold placed",
        hold=placed.number,
        account_digest=account_digest(key, account_id),
        owner=placed.owner,
        reason=placed.reason,
        expires_at=placed.expires_at,
    )
    return placed


def lift_hold(writing: Writing, key: bytes, number: int, reason: str) -> Hold:
    """End a hold before its time.

    Raises:
        UnknownCaseError: there is no such hold.
        NotAllowedError: there is no reason, or the hold has ended already.
    """
    found = [one for one in holds(writing.connection) if one.number == number]
    if not found:
        raise UnknownCaseError(f"There is no hold {number}. `ringfence hold list` shows them.")
    if not reason.strip():
        raise NotAllowedError("Lifting a hold needs a reason.")
    if (state := found[0].state(writing.now)) is not HoldState.STANDING:
        raise NotAllowedError(f"Hold {number} is {state} already.")
    row = writing.execute(
        "UPDATE holds SET lifted_by = ?, lifted_at = ?, lift_reason = ? WHERE number = ? RETURNING *",
        (writing.by, writing.stamp, reason.strip(), number),
    ).fetchone()
    lifted = Hold(**dict(row))
    digest = account_digest(key, lifted.account_id)
    writing.audit("hold lifted", hold=number, account_digest=digest, reason=reason.strip())
    return lifted


def holds(connection: sqlite3.Connection) -> list[Hold]:
    """Return all holds, those that have ended too, the oldest first."""
    return [Hold(**dict(row)) for row in connection.execute("SELECT * FROM holds ORDER BY number")]


def held(connection: sqlite3.Connection, account_ids: Iterable[str], now: datetime) -> list[Hold]:
    """Return the standing holds on any of the accounts."""
    asked = frozenset(account_ids)
    rows = connection.execute(
        "SELECT * FROM holds WHERE lifted_at IS NULL AND expires_at > ? ORDER BY number", (stamp(now),)
    )
    return [Hold(**dict(row)) for row in rows if row["account_id"] in asked]


def check_erasable(
    connection: sqlite3.Connection, account_ids: Iterable[str], now: datetime | None = None
) -> None:
    """Refuse to erase what is held. Ask within the transaction that erases.

    Args:
        connection: To the casebook.
        account_ids: The accounts to be erased.
        now: The time; the machine's where it is not given.

    Raises:
        NotAllowedError: a hold stands on at least one of them.
    """
    standing = held(connection, account_ids, now or utc_now())
    if not standing:
        return
    named = "; ".join(
        f"{one.account_id} by {one.owner} until {one.expires_at} (hold {one.number})"
        for one in standing[:_NAMED]
    )
    more = f" and {len(standing) - _NAMED:,} more holds" if len(standing) > _NAMED else ""
    raise NotAllowedError(
        f"Held: {named}{more}. Nothing was erased. Its owner may end a hold: `ringfence hold lift`."
    )


def _make_key(path: Path) -> None:
    """Make a key whole or not at all; of two processes at once, one makes it and both use it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(partial, path)
        except FileExistsError:
            return
    finally:
        partial.unlink()
