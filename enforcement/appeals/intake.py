"""Appeals: what accused accounts say. Each is taken in once, and the rings it is about are looked at again.

An open appeal, or an upheld one, puts its rings back into review; an enforced ring stays enforced, and lists
mark it, since letting everybody go is for a person to decide. An upheld appeal clears its account: a verdict
says so, its orders are undone in the same transaction, and it becomes a label. A denied one changes nothing:
what was decided on the ring stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ringfence.enforcement.casebook.cases import case, successor
from ringfence.enforcement.casebook.database import Writing, stamp
from ringfence.enforcement.casebook.decide import take_up
from ringfence.enforcement.casebook.life import State, Verdict
from ringfence.enforcement.casebook.record import raised
from ringfence.enforcement.casework import decide
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import NotAllowedError, UnknownCaseError


class Outcome(StrEnum):
    """What was decided on an appeal."""

    UPHELD = "upheld"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Appeal:
    """A row of an appeals file."""

    appeal_id: str
    account_id: str
    ts: datetime
    """When it was written, UTC."""
    text: str
    outcome: Outcome | None = None
    """None while it is open."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What taking in an appeal changed."""

    appeal_id: str
    known: bool
    """Whether it had been taken in before, just so; then nothing was changed."""
    rings: tuple[str, ...] = ()
    reversed: tuple[str, ...] = ()
    """Reversals that go out."""
    withdrawn: tuple[str, ...] = ()
    """Orders that waited for approval, and will not go out, or not for this account."""


@dataclass(frozen=True, slots=True)
class KnownAppeal:
    """An appeal of the casebook."""

    appeal_id: str
    account_id: str
    ts: str
    text: str
    outcome: Outcome | None
    received_by: str
    received_at: str
    decided_by: str | None
    decided_at: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the appeal as plain JSON values."""
        return asdict(self)


def hear(writing: Writing, appeal: Appeal, sinks: Mapping[str, Sink]) -> Heard:
    """Take in an appeal, or what was decided on one that is known.

    Args:
        writing: The transaction.
        appeal: The appeal.
        sinks: Name → where events go; must have every sink that heard of an order on the account.

    Raises:
        UnknownCaseError: no ring and no order names the account, or a sink that must hear of a reversal is no
            longer in the sinks file.
        NotAllowedError: an appeal of that id is known and says something else.
    """
    known = _known(writing, appeal)
    if known is not None and (appeal.outcome is None or appeal.outcome is known.outcome):
        return Heard(appeal.appeal_id, known=True)
    rings = _about(writing.connection, appeal.account_id)
    if known is None:
        _receive(writing, appeal, rings)
    if appeal.outcome is not None:
        _close(writing, appeal)
    heard = Heard(appeal.appeal_id, known=False, rings=rings)
    if appeal.outcome is Outcome.UPHELD:
        heard = _clear(writing, appeal, rings, sinks)
    if appeal.outcome is not Outcome.DENIED:
        _look_again(writing, appeal, rings)
    return heard


def appeals(
    connection: sqlite3.Connection, *, ring_id: str | None = None, account_id: str | None = None
) -> list[KnownAppeal]:
    """Return the appeals about a ring, of an account, or all, in the order in which they came."""
    rows = connection.execute(
        "SELECT * FROM appeals WHERE (:account IS NULL OR account_id = :account) AND (:ring IS NULL OR "
        "appeal_id IN (SELECT appeal_id FROM appeal_rings WHERE ring_id = :ring)) ORDER BY rowid",
        {"account": account_id, "ring": ring_id},
    )
    return [
        KnownAppeal(**{**dict(row), "outcome": row["outcome"] and Outcome(row["outcome"])}) for row in rows
    ]


def appealed(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the number of open appeals about each ring that has any."""
    rows = connection.execute(
        "SELECT ring_id, count(*) AS open FROM appeal_rings JOIN appeals USING (appeal_id) "
        "WHERE outcome IS NULL GROUP BY ring_id"
    )
    return {row["ring_id"]: row["open"] for row in rows}


def _known(writing: Writing, appeal: Appeal) -> KnownAppeal | None:
    """Return the appeal of that id as it is known.

    Raises:
        NotAllowedError: it says something else.
    """
    row = writing.execute("SELECT * FROM appeals WHERE appeal_id = ?", (appeal.appeal_id,)).fetchone()
    if row is None:
        return None
    known = KnownAppeal(**{**dict(row), "outcome": row["outcome"] and Outcome(row["outcome"])})
    if (known.account_id, known.ts, known.text) != (appeal.account_id, stamp(appeal.ts), appeal.text):
        raise NotAllowedError(
            f"Appeal {appeal.appeal_id!r} is known, of another account, time or text. "
            "Give a new appeal an id of its own."
        )
    if appeal.outcome is not None and known.outcome not in (None, appeal.outcome):
        raise NotAllowedError(
            f"Appeal {appeal.appeal_id!r} was {known.outcome} already. "
            "Decide otherwise by a verdict: `ringfence rings verdict RING … --account A`."
        )
    return known


def _about(connection: sqlite3.Connection, account_id: str) -> tuple[str, ...]:
    """Return the rings whose orders an account is under, and those that it is a member of.

    Of a ring that has merged into another, the one that it goes by now is among them, too.

    Raises:
        UnknownCaseError: there is none.
    """
    rows = connection.execute(
        "SELECT ring_id FROM orders JOIN order_accounts USING (order_id) WHERE account_id = :account "
        "UNION SELECT ring_id FROM members WHERE account_id = :account ORDER BY ring_id",
        {"account": account_id},
    ).fetchall()
    if not rows:
        raise UnknownCaseError(f"No ring and no order of the casebook names account {account_id!r}.")
    own = [row["ring_id"] for row in rows]
    return tuple(dict.fromkeys([*own, *(successor(connection, ring_id) for ring_id in own)]))


def _receive(writing: Writing, appeal: Appeal, rings: tuple[str, ...]) -> None:
    writing.execute(
        "INSERT INTO appeals VALUES (?, ?, ?, ?, NULL, ?, ?, NULL, NULL)",
        (appeal.appeal_id, appeal.account_id, stamp(appeal.ts), appeal.text, writing.by, writing.stamp),
    )
    writing.connection.executemany(
        "INSERT INTO appeal_rings VALUES (?, ?, NULL)", [(appeal.appeal_id, ring_id) for ring_id in rings]
    )
    writing.audit("appeal received", appeal_id=appeal.appeal_id, rings=list(rings))


def _close(writing: Writing, appeal: Appeal) -> None:
    writing.execute(
        "UPDATE appeals SET outcome = ?, decided_by = ?, decided_at = ? WHERE appeal_id = ?",
        (appeal.outcome, writing.by, writing.stamp, appeal.appeal_id),
    )
    # What was decided is a new label: whatever was scored before it is out of date.
    writing.execute("UPDATE appeal_rings SET rescoring_id = NULL WHERE appeal_id = ?", (appeal.appeal_id,))
    writing.audit("appeal decided", appeal_id=appeal.appeal_id, outcome=appeal.outcome)


def _clear(writing: Writing, appeal: Appeal, rings: tuple[str, ...], sinks: Mapping[str, Sink]) -> Heard:
    """Clear an account in every ring that names it."""
    reason = f"Appeal {appeal.appeal_id} upheld."
    back: list[str] = []
    withdrawn: list[str] = []
    for ring_id in rings:
        if _names(writing.connection, ring_id, appeal.account_id):
            done = decide(writing, ring_id, Verdict.REJECTED, reason, sinks, account_id=appeal.account_id)
            back += [one.order_id for one in done.reversed]
            withdrawn += [one.order_id for one in (*done.withdrawn, *done.narrowed)]
    return Heard(appeal.appeal_id, False, rings, tuple(back), tuple(withdrawn))


def _names(connection: sqlite3.Connection, ring_id: str, account_id: str) -> bool:
    """Return whether a ring has an account as a member, or in an order; its successor may not."""
    found = connection.execute(
        "SELECT 1 FROM members WHERE ring_id = :ring AND account_id = :account UNION ALL "
        "SELECT 1 FROM orders JOIN order_accounts USING (order_id) "
        "WHERE ring_id = :ring AND account_id = :account",
        {"ring": ring_id, "account": account_id},
    )
    return found.fetchone() is not None


def _look_again(writing: Writing, appeal: Appeal, rings: tuple[str, ...]) -> None:
    """Put the rings into review that still go by their own ids and are not let off already."""
    for ring_id in rings:
        found = case(writing.connection, ring_id)
        if found.succeeded_by is None and found.state is not State.REJECTED:
            take_up(writing, found)
            raised(writing, ring_id)
            writing.audit("ring appealed", ring_id, appeal_id=appeal.appeal_id)
