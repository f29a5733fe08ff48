"""Who has which export in hand: a sender takes it for a while, and what it does not finish comes free again.

Taking an export counts the attempt. It is counted before the bytes leave, since a sender may die right after:
whoever reverses the order must then reckon that it arrived.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.enforcement.casebook.database import Writing, read_stamp
from ringfence.enforcement.sinks.protocol import Delivery

LONGEST_LEASE = 900.0
"""Seconds. A lease that ends further ahead was written under a clock that ran wrong, and is void."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An export that a sender has in hand."""

    key: str
    event_id: str
    sink: str
    digest: str
    """SHA-256 of the body as it was queued."""
    delivery: Delivery

    @property
    def ring_id(self) -> str:
        """The ring that it tells of."""
        return self.delivery.ring_id


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a sender takes exports."""

    sender: str
    """Tells it from every other sender, of this and other machines."""
    seconds: float
    """How long it may hold one without renewing, at most :data:`LONGEST_LEASE`."""
    longest_wait: float
    """The longest backoff: what is due further ahead was put off under a clock that ran wrong, and is due."""


# Each index is named: without statistics, SQLite would go through all that a ring ever had.
_NEXT = """
SELECT mine.number FROM exports AS mine
WHERE mine.number = (
        SELECT min(number) FROM exports INDEXED BY exports_waiting
        WHERE sink = :sink AND ring_id = :ring AND status = 'waiting')
    AND (mine.due_at <= :now OR mine.due_at > :far)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS held INDEXED BY exports_leased
        WHERE held.sink = :sink AND held.ring_id = :ring
        AND held.leased_until > :now AND held.leased_until <= :void)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS dead WHERE dead.sink = :sink AND dead.ring_id = :ring
        AND dead.status = 'dead' AND dead.number < mine.number)
"""

# Behind a dead letter nothing goes but reversals: nobody stays banned because something else got stuck. One
# must not overtake what it undoes, nor what is still free to go.
_REVERSAL = """
SELECT mine.number
FROM (SELECT min(number) AS first FROM exports INDEXED BY exports_dead
    WHERE sink = :sink AND ring_id = :ring AND status = 'dead') AS stuck
JOIN exports AS mine INDEXED BY exports_waiting
    ON mine.sink = :sink AND mine.ring_id = :ring AND mine.number > stuck.first
JOIN events AS told ON told.event_id = mine.event_id AND told.kind = 'ring.reversed'
WHERE mine.status = 'waiting' AND (mine.due_at <= :now OR mine.due_at > :far)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS held INDEXED BY exports_leased
        WHERE held.sink = :sink AND held.ring_id = :ring
        AND held.leased_until > :now AND held.leased_until <= :void)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS before WHERE before.sink = :sink AND before.ring_id = :ring
        AND before.status = 'waiting' AND before.number < stuck.first)
    AND NOT EXISTS (
        SELECT 1 FROM orders JOIN events AS undone INDEXED BY events_by_order
        ON undone.order_id = orders.reverses
        JOIN exports AS its INDEXED BY exports_by_event ON its.event_id = undone.event_id
        WHERE orders.order_id = told.order_id AND its.sink = :sink AND its.status = 'waiting')
ORDER BY mine.number LIMIT 1
"""


def rings_waiting(connection: sqlite3.Connection, sink: str) -> list[str]:
    """Return the rings that something waits of for a sink, the oldest first."""
    rows = connection.execute(
        "SELECT ring_id FROM exports WHERE sink = ? AND status = 'waiting' "
        "GROUP BY ring_id ORDER BY min(number)",
        (sink,),
    )
    return [row["ring_id"] for row in rows]


def halted(connection: sqlite3.Connection, sink: str) -> bool:
    """Return whether a sink wants nothing any more."""
    return connection.execute("SELECT 1 FROM halts WHERE sink = ?", (sink,)).fetchone() is not None


def next_up(
    connection: sqlite3.Connection, sink: str, ring_id: str, now: float, longest_wait: float
) -> int | None:
    """Return the place of the export of a ring that may go to a sink now, or None.

    Only the first that waits may go, none while another one of the ring is in anybody's hand, and behind a
    dead letter only reversals.

    Args:
        connection: To the casebook.
        sink: The sink; whether it is halted is not asked here.
        ring_id: The ring.
        now: Seconds since 1970.
        longest_wait: The longest backoff, seconds.
    """
    values = {
        "sink": sink,
        "ring": ring_id,
        "now": now,
        "far": now + longest_wait,
        "void": now + LONGEST_LEASE,
    }
    for query in (_NEXT, _REVERSAL):
        row = connection.execute(query, values).fetchone()
        if row is not None:
            return int(row["number"])
    return None


def claim(writing: Writing, sink: str, ring_id: str, terms: Terms) -> Claim | None:
    """Take the export of a ring that may go to a sink now, if there is one, and count the attempt."""
    now = writing.now.timestamp()
    number = next_up(writing.connection, sink, ring_id, now, terms.longest_wait)
    return None if number is None else _take(writing, number, now + terms.seconds, terms.sender)


def _take(writing: Writing, number: int, until: float, sender: str) -> Claim:
    writing.execute(
        "UPDATE exports SET attempts = attempts + 1, leased_by = ?, leased_until = ? WHERE number = ?",
        (sender, until, number),
    )
    row = writing.execute(
        "SELECT exports.*, occurred_at FROM exports JOIN events USING (event_id) WHERE number = ?", (number,)
    ).fetchone()
    delivery = Delivery(
        key=row["key"],
        ring_id=row["ring_id"],
        number=number,
        body=row["body"],
        occurred_at=read_stamp(row["occurred_at"]),
        attempt=row["attempts"],
    )
    return Claim(row["key"], row["event_id"], row["sink"], row["digest"], delivery)


def renew(writing: Writing, terms: Terms) -> frozenset[str]:
    """Hold on to everything that a sender has in hand; return the keys of what it still has."""
    rows = writing.execute(
        "UPDATE exports SET leased_until = ? WHERE leased_until IS NOT NULL AND leased_by = ? RETURNING key",
        (writing.now.timestamp() + terms.seconds, terms.sender),
    ).fetchall()
    return frozenset(row["key"] for row in rows)


def release(writing: Writing, held: Claim, sender: str) -> bool:
    """Let go of an export; return whether the sender still had it in hand."""
    done = writing.execute(
        "UPDATE exports SET leased_by = NULL, leased_until = NULL WHERE key = ? AND leased_by = ?",
        (held.key, sender),
    )
    return done.rowcount == 1


def put_back(writing: Writing, claims: Iterable[Claim], sender: str) -> None:
    """Give back what was taken and surely not sent: the attempt never was."""
    writing.connection.executemany(
        "UPDATE exports SET attempts = attempts - 1, leased_by = NULL, leased_until = NULL "
        "WHERE key = ? AND leased_by = ?",
        [(one.key, sender) for one in claims],
    )
