"""A verdict and what follows from it: who is let off is let off everywhere, in the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.enforcement.casebook.cases import Case, case, case_at
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.casebook.decide import give_account_verdict, give_verdict, move
from ringfence.enforcement.casebook.life import State, Verdict
from ringfence.enforcement.casebook.record import raised
from ringfence.enforcement.orders.place import withdraw_order
from ringfence.enforcement.orders.records import Order, OrderStatus, orders, targets
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.files import digest_json


@dataclass(frozen=True, slots=True)
class Decided:
    """What a verdict changed."""

    case: Case
    """The ring, as it stands now."""
    reversed: tuple[Order, ...] = ()
    """Reversals that go out; each an order of its own."""
    withdrawn: tuple[Order, ...] = ()
    """Orders that waited for approval and will not go out."""
    narrowed: tuple[Order, ...] = ()
    """Orders that still wait for approval, without the accounts that were let off."""


def decide(
    writing: Writing,
    ring_id: str,
    verdict: Verdict,
    reason: str,
    sinks: Mapping[str, Sink],
    *,
    account_id: str | None = None,
    version: int | None = None,
) -> Decided:
    """Give a verdict on a ring, or on one of its accounts, and undo what no longer stands on anything.

    Where a ring is rejected or put on watch, what was ordered on it is undone: on the ring itself, on rings
    that have merged into it, and for accounts that it took from a ring it split from. Where an account is
    rejected (it is cleared), it is taken out of those orders.

    Args:
        writing: The transaction.
        ring_id: The ring.
        verdict: What was found.
        reason: Why.
        sinks: Name → where events go; must have every sink that heard of an order that is undone.
        account_id: The account; None for the ring as a whole.
        version: Of the ring as it was read; None for whatever it is now.

    Raises:
        UnknownCaseError: the casebook knows no such ring or account, or a sink that must hear of a reversal
            is no longer in the sinks file.
        StaleVersionError: the ring has another version by now.
        NotAllowedError: there is no reason, the ring's life has no such step, or it has merged into another.
    """
    if account_id is None:
        undo = verdict is not Verdict.CONFIRMED
        if undo:
            _let_go(writing, case_at(writing.connection, ring_id, version))
        now = give_verdict(writing, ring_id, verdict, reason, version=version)
    else:
        undo = verdict is Verdict.REJECTED
        now = give_account_verdict(writing, ring_id, account_id, verdict, reason, version=version)
    return _undo(writing, ring_id, reason, sinks, account_id) if undo else Decided(now)


def _let_go(writing: Writing, found: Case) -> None:
    """Take an enforced ring the way that its life has back to a decision; its orders are undone after it."""
    if found.state is State.ENFORCED and found.succeeded_by is None:
        move(writing, found, State.REVERSED)
        move(writing, case(writing.connection, found.ring_id), State.IN_REVIEW)


def _undo(
    writing: Writing, ring_id: str, reason: str, sinks: Mapping[str, Sink], account_id: str | None
) -> Decided:
    back: list[Order] = []
    withdrawn: list[Order] = []
    narrowed: list[Order] = []
    for found, free in _touched(writing.connection, ring_id, account_id):
        if found.status is OrderStatus.ACTIVE:
            back.append(reverse(writing, found.order_id, reason, sinks, free))
        elif len(free) == len(targets(writing.connection, found.order_id)):
            withdrawn.append(withdraw_order(writing, found.order_id, reason))
        else:
            _narrow(writing, found, free)
            narrowed.append(found)
    return Decided(case(writing.connection, ring_id), tuple(back), tuple(withdrawn), tuple(narrowed))


def _touched(
    connection: sqlite3.Connection, ring_id: str, account_id: str | None
) -> list[tuple[Order, tuple[str, ...]]]:
    """Return the orders that stand or wait, each with the accounts of it that are let off."""
    theirs = {
        row["account_id"]
        for row in connection.execute("SELECT account_id FROM members WHERE ring_id = ?", (ring_id,))
    }
    own = _merged_into(connection, ring_id)
    free = {account_id} if account_id is not None else None
    found = []
    for ring in [*own, *_split_from(connection, own)]:
        let_off = free if free is not None else (None if ring in own else theirs)
        for one in orders(connection, ring):
            if one.reverses is not None or one.status not in (OrderStatus.ACTIVE, OrderStatus.AWAITING):
                continue
            under = [target.account_id for target in targets(connection, one.order_id, standing=True)]
            chosen = tuple(a for a in under if let_off is None or a in let_off)
            if chosen:
                found.append((one, chosen))
    return found


def _merged_into(connection: sqlite3.Connection, ring_id: str) -> list[str]:
    """Return a ring and all that have merged into it, by whatever way."""
    rows = connection.execute(
        "WITH RECURSIVE own(ring_id) AS (SELECT ? UNION "
        "SELECT rings.ring_id FROM rings JOIN own ON rings.succeeded_by = own.ring_id) "
        "SELECT ring_id FROM own",
        (ring_id,),
    )
    return [row["ring_id"] for row in rows]


def _split_from(connection: sqlite3.Connection, own: list[str]) -> list[str]:
    """Return the rings that these were once part of, the nearest first."""
    found: list[str] = []
    for ring in own:
        rows = connection.execute(
            "WITH RECURSIVE before(ring_id) AS "
            "(SELECT other_id FROM lineage WHERE ring_id = ? AND event = 'split' "
            "UNION SELECT other_id FROM lineage JOIN before USING (ring_id) WHERE event = 'split') "
            "SELECT ring_id FROM before",
            (ring,),
        )
        found += [row["ring_id"] for row in rows if row["ring_id"] not in (*own, *found)]
    return found


def _narrow(writing: Writing, waiting: Order, free: tuple[str, ...]) -> None:
    """Take accounts out of an order that waits for approval; nobody was told of it."""
    writing.connection.executemany(
        "DELETE FROM order_accounts WHERE order_id = ? AND account_id = ?",
        [(waiting.order_id, account) for account in free],
    )
    raised(writing, waiting.ring_id)
    writing.audit(
        "order narrowed",
        waiting.ring_id,
        order_id=waiting.order_id,
        accounts=len(free),
        accounts_digest=digest_json(sorted(free)),
    )
