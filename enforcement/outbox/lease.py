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


_NEXT = """
SELECT mine.number FROM exports AS mine
WHERE mine.sink = :sink AND mine.status = 'waiting' AND (mine.due_at <= :now OR mine.due_at > :far)
    AND NOT EXISTS (SELECT 1 FROM halts WHERE halts.sink = :sink)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS held WHERE held.sink = mine.sink AND held.ring_id = mine.ring_id
        AND held.leased_until > :now AND held.leased_until <= :void)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS before WHERE before.sink = mine.sink AND before.ring_id = mine.ring_id
        AND before.status = 'waiting' AND before.number < mine.number)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS dead WHERE dead.sink = mine.sink AND dead.ring_id = mine.ring_id
        AND dead.status = 'dead' AND dead.number < mine.number)
ORDER BY mine.number LIMIT :room
"""

# Behind a dead letter nothing goes but reversals: nobody stays banned because something else got stuck. One
# must not overtake what it undoes, nor what is still free to go.
_REVERSALS = """
SELECT min(mine.number) AS number
FROM (SELECT ring_id, min(number) AS first FROM exports
    WHERE sink = :sink AND status = 'dead' GROUP BY ring_id) AS stuck
JOIN exports AS mine ON mine.ring_id = stuck.ring_id AND mine.number > stuck.first
JOIN events AS told ON told.event_id = mine.event_id AND told.kind = 'ring.reversed'
WHERE mine.sink = :sink AND mine.status = 'waiting' AND (mine.due_at <= :now OR mine.due_at > :far)
    AND NOT EXISTS (SELECT 1 FROM halts WHERE halts.sink = :sink)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS held WHERE held.sink = mine.sink AND held.ring_id = mine.ring_id
        AND held.leased_until > :now AND held.leased_until <= :void)
    AND NOT EXISTS (
        SELECT 1 FROM exports AS before WHERE before.sink = mine.sink AND before.ring_id = mine.ring_id
        AND before.status = 'waiting' AND before.number < stuck.first)
    AND NOT EXISTS (
        SELECT 1 FROM orders JOIN events AS undone ON undone.order_id = orders.reverses
        JOIN exports AS its ON its.event_id = undone.event_id
        WHERE orders.order_id = told.order_id AND its.sink = mine.sink AND its.status = 'waiting')
GROUP BY mine.ring_id ORDER BY number LIMIT :room
"""


def next_up(
    connection: sqlite3.Connection, sink: str, room: int, now: float, longest_wait: float
) -> list[int]:
    """Return the places of up to ``room`` exports of a sink that may go now, at most one of each ring.

    Of each ring only the first that waits may go, none while another one of the ring is in anybody's hand,
    and behind a dead letter only reversals, which come first.

    Args:
        connection: To the casebook.
        sink: The sink.
        room: How many at most.
        now: Seconds since 1970.
        longest_wait: The longest backoff, seconds.
    """
    values = {
        "sink": sink,
        "room": room,
        "now": now,
        "far": now + longest_wait,
        "void": now + LONGEST_LEASE,
    }
    found = [row["number"] for query in (_REVERSALS, _NEXT) for row in connection.execute(query, values)]
    return found[:room]


def claim(writing: Writing, sink: str, room: int, terms: Terms) -> list[Claim]:
    """Take up to ``room`` exports of a sink that may go now, and count the attempt."""
    now = writing.now.timestamp()
    numbers = next_up(writing.connection, sink, room, now, terms.longest_wait)
    return [_take(writing, number, now + terms.seconds, terms.sender) for number in numbers]


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
