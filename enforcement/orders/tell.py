"""From an order to the event that tells of it, and into the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from ringfence.enforcement.casebook.cases import case, ring_at
from ringfence.enforcement.casebook.database import Writing, read_stamp
from ringfence.enforcement.casebook.decide import move
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.events import Event, EventKind, Grounds, Target, event_id
from ringfence.enforcement.orders.records import (
    Order,
    OrderStatus,
    targets,
)
from ringfence.enforcement.outbox.queue import enqueue, reached, withdraw
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import UnknownCaseError
from ringfence.records import Action


def write_accounts(writing: Writing, order_id: str, accounts: Iterable[Target]) -> None:
    """Write down which accounts an order is about."""
    writing.connection.executemany(
        "INSERT INTO order_accounts VALUES (?, ?, ?, ?, NULL)",
        [(order_id, one.account_id, one.role, one.score) for one in accounts],
    )


def tell_order(writing: Writing, placed: Order, sinks: Iterable[Sink]) -> None:
    """Put an order that is in force into the outbox; a shadow order is kept and sent nowhere."""
    found = case(writing.connection, placed.ring_id)
    if found.state is State.CONFIRMED and not placed.shadow:
        move(writing, found, State.ENFORCED)
    event = _event(writing, placed, EventKind.ENFORCED, None)
    enqueue(writing, event, () if placed.shadow else sinks)


def tell_reversal(
    writing: Writing, undone: Order, reversal: Order, sinks: Mapping[str, Sink], *, whole: bool
) -> None:
    """Put a reversal into the outbox, for every sink that the order reached or may have reached.

    Args:
        writing: The transaction.
        undone: The order that is undone.
        reversal: The order that undoes it.
        sinks: Name → where events go.
        whole: Whether nothing of the order stands any more; then what was not sent yet is withdrawn.

    Raises:
        UnknownCaseError: a sink that was told is no longer in the sinks file.
    """
    first = event_id(undone.ring_id, undone.version, EventKind.ENFORCED, undone.action)
    to = withdraw(writing, first) if whole else reached(writing, first)
    missing = sorted(to - sinks.keys())
    if missing:
        raise UnknownCaseError(
            f"{undone.order_id} went to {', '.join(missing)}, which the sinks file no longer has. "
            "Add it again: a reversal must reach everyone who was told. Where the receiver is gone for good, "
            'give the name the kind "jsonl" and a folder; what it was to hear is kept there.'
        )
    happened = _happened(writing, first)
    event = replace(
        _event(writing, reversal, EventKind.REVERSED, first),
        # Receivers go by what happened last, so nothing is undone before it was, whatever the clock did.
        occurred_at=max(writing.now, happened),
        reverses_at=happened,
        reverses_all=whole,
    )
    enqueue(
        writing,
        _with_under(event, _in_force(writing, reversal)),
        [sinks[name] for name in sorted(to)],
        {name: _with_under(event, _in_force(writing, reversal, name)) for name in to},
    )


def _with_under(event: Event, under: Mapping[str, Action]) -> Event:
    accounts = (replace(one, under=under.get(one.account_id, Action.NONE)) for one in event.accounts)
    return replace(event, accounts=tuple(accounts))


_IN_FORCE = """
SELECT account_id, action FROM order_accounts JOIN orders USING (order_id)
WHERE account_id IN (SELECT account_id FROM order_accounts WHERE order_id = :reversal)
AND reversed_by IS NULL AND reverses IS NULL AND NOT shadow AND status = :active
AND (:sink IS NULL OR EXISTS (
    SELECT 1 FROM events JOIN exports USING (event_id) WHERE events.order_id = orders.order_id
    AND exports.sink = :sink AND (exports.status <> 'withdrawn' OR exports.attempts > 0)))
"""


def _in_force(writing: Writing, reversal: Order, sink: str | None = None) -> dict[str, Action]:
    """Return the harshest action that stands on each account of a reversal.

    Of those that a sink was told of, or will be, where one is named: what it never hears of cannot be undone
    there later.
    """
    values = {"reversal": reversal.order_id, "active": OrderStatus.ACTIVE, "sink": sink}
    rows = writing.execute(_IN_FORCE, values).fetchall()
    mildest_first = sorted(rows, key=lambda row: Action(row["action"]).severity)
    return {row["account_id"]: Action(row["action"]) for row in mildest_first}


def _happened(writing: Writing, event: str) -> datetime:
    row = writing.execute("SELECT occurred_at FROM events WHERE event_id = ?", (event,)).fetchone()
    return read_stamp(row["occurred_at"])


def _event(writing: Writing, told: Order, kind: EventKind, reverses: str | None) -> Event:
    decided_by = (told.ordered_by,) if told.approved_by is None else (told.ordered_by, told.approved_by)
    return Event(
        event_id=event_id(told.ring_id, told.version, kind, told.action),
        kind=kind,
        ring_id=told.ring_id,
        version=told.version,
        order_id=told.order_id,
        action=told.action,
        reason=told.reason,
        decided_by=decided_by,
        occurred_at=writing.now,
        expires_at=None if told.expires_at is None else read_stamp(told.expires_at),
        accounts=targets(writing.connection, told.order_id),
        reverses=reverses,
        superseded_by=(),
        grounds=Grounds.of(ring_at(writing.connection, told.ring_id)),
        ring_opened_at=read_stamp(case(writing.connection, told.ring_id).opened_at),
    )
