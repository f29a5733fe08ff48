"""Into the outbox, and out of it again before anything was sent: steps of the transaction that decides."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from hashlib import sha256

from ringfence.enforcement.casebook.content import packed
from ringfence.enforcement.casebook.database import Writing, stamp
from ringfence.enforcement.events import Event, idempotency_key
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import PolicyError


def enqueue(
    writing: Writing, event: Event, sinks: Iterable[Sink], told: Mapping[str, Event] | None = None
) -> list[str]:
    """Put an event into the outbox, for each sink the bytes it will get; return the idempotency keys.

    With no sink, the event is kept all the same.

    Args:
        writing: The transaction.
        event: The event, as the casebook keeps it.
        sinks: Where it goes.
        told: Sink → the event as that one is told of it, where that differs.

    Raises:
        PolicyError: a sink cannot write the event down.
    """
    writing.execute(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            event.event_id,
            event.ring_id,
            event.version,
            event.kind,
            event.order_id,
            stamp(event.occurred_at),
            packed(event.as_json()),
        ),
    )
    keys = []
    for sink in sinks:
        body = _rendered(sink, (told or {}).get(sink.name, event))
        key = idempotency_key(event, sink.name)
        digest = sha256(body).hexdigest()
        writing.execute(
            "INSERT INTO exports (key, event_id, ring_id, sink, media_type, body, digest, status, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?)",
            (
                key,
                event.event_id,
                event.ring_id,
                sink.name,
                sink.media_type,
                body,
                digest,
                writing.now.timestamp(),
            ),
        )
        writing.audit(
            "export queued", event.ring_id, event_id=event.event_id, sink=sink.name, key=key, digest=digest
        )
        keys.append(key)
    return keys


def _rendered(sink: Sink, event: Event) -> bytes:
    try:
        return sink.render(event)
    except Exception as error:
        raise PolicyError(
            f"Sink {sink.name} cannot write down what it is to be told of {event.ring_id} "
            f"({type(error).__name__}: {error}). Nothing was decided or sent. Mend its entry in the sinks "
            'file, or give it the kind "jsonl" and a folder under the same name, and try again.'
        ) from error


def withdraw(writing: Writing, event_id: str) -> frozenset[str]:
    """Take back what has not arrived of an event; return the sinks that must hear that it is undone.

    What was never tried, and is in nobody's hand, has surely not arrived: no word of it need follow, unless
    the sink has heard that accounts stay under it. What was tried may have been applied though no answer
    came; so may what a sender has in hand at this moment.
    """
    rows = writing.execute(
        "SELECT key, sink, number, status, attempts, leased_until FROM exports WHERE event_id = ?",
        (event_id,),
    ).fetchall()
    reached = set()
    for row in rows:
        tried = row["status"] == "delivered" or row["attempts"] or row["leased_until"] is not None
        if tried or _leaned_on(writing, event_id, row):
            reached.add(row["sink"])
        else:
            _withdraw_reversals(writing, event_id, row["sink"])
        if row["status"] in ("waiting", "dead"):
            _take_back(writing, event_id, row["sink"], row["key"])
    return frozenset(reached)


def _leaned_on(writing: Writing, event_id: str, row: sqlite3.Row) -> bool:
    """Return whether a sink heard since that another order on one of the accounts is undone.

    It may have been told that this event stays on the account, and so have left the account as it was.
    """
    found = writing.execute(
        "SELECT 1 FROM events AS mine JOIN order_accounts AS ours USING (order_id) "
        "JOIN order_accounts AS theirs ON theirs.account_id = ours.account_id "
        "JOIN orders ON orders.order_id = theirs.order_id AND orders.reverses <> mine.order_id "
        "JOIN events AS told ON told.order_id = orders.order_id "
        "JOIN exports ON exports.event_id = told.event_id "
        "WHERE mine.event_id = ? AND exports.sink = ? AND exports.number > ? "
        "AND (exports.status <> 'withdrawn' OR exports.attempts > 0) LIMIT 1",
        (event_id, row["sink"], row["number"]),
    )
    return found.fetchone() is not None


def _withdraw_reversals(writing: Writing, event_id: str, sink: str) -> None:
    """Take back what waits to undo parts of an event that a sink will never hear of."""
    rows = writing.execute(
        "SELECT exports.key, exports.event_id FROM events AS undone "
        "JOIN orders ON orders.reverses = undone.order_id "
        "JOIN events AS told ON told.order_id = orders.order_id "
        "JOIN exports ON exports.event_id = told.event_id "
        "WHERE undone.event_id = ? AND exports.sink = ? AND exports.status = 'waiting'",
        (event_id, sink),
    ).fetchall()
    for row in rows:
        _take_back(writing, row["event_id"], sink, row["key"])


def _take_back(writing: Writing, event_id: str, sink: str, key: str) -> None:
    writing.execute("UPDATE exports SET status = 'withdrawn' WHERE key = ?", (key,))
    writing.audit("export withdrawn", event_id=event_id, sink=sink, key=key)


def reached(writing: Writing, event_id: str) -> frozenset[str]:
    """Return the sinks that an event is on its way to, or has arrived at."""
    rows = writing.execute(
        "SELECT sink FROM exports WHERE event_id = ? AND status <> 'withdrawn'", (event_id,)
    )
    return frozenset(row["sink"] for row in rows)
