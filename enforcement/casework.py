"""A verdict and what follows from it: who is let off is let off everywhere, in the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
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
from ringfence.errors import NotAllowedError, UnknownCaseError, near_names
from ringfence.files import digest_json

_Touched = tuple[Order, tuple[str, ...]]
"""An order, and the accounts of it that are let off."""

_Undone = tuple[tuple[Order, ...], tuple[Order, ...], tuple[Order, ...]]
"""Reversals, orders withdrawn, orders narrowed."""


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
    rejected (it is cleared), it is taken out of all orders, whatever ring they are on.

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
    touched: list[_Touched] = []
    if account_id is not None:
        give_account_verdict(writing, ring_id, account_id, verdict, reason, version=version)
        if verdict is Verdict.REJECTED:
            touched = _of_account(writing.connection, account_id)
    else:
        if verdict is not Verdict.CONFIRMED:
            _let_go(writing, case_at(writing.connection, ring_id, version))
            touched = _of_ring(writing.connection, ring_id)
        give_verdict(writing, ring_id, verdict, reason, version=version)
    back, withdrawn, narrowed = _undo(writing, reason, sinks, touched)
    return Decided(case(writing.connection, ring_id), back, withdrawn, narrowed)


def _let_go(writing: Writing, found: Case) -> None:
    """Take an enforced ring the way that its life has back to a decision; its orders are undone after it."""
    if found.state is State.ENFORCED and found.succeeded_by is None:
        move(writing, found, State.REVERSED)
        move(writing, case(writing.connection, found.ring_id), State.IN_REVIEW)


def undo_ring(
    writing: Writing,
    ring_id: str,
    reason: str,
    sinks: Mapping[str, Sink],
    accounts: Collection[str] | None = None,
) -> Decided:
    """Undo all that is ordered on a ring, or what is ordered on some of its accounts.

    Args:
        writing: The transaction.
        ring_id: The ring.
        reason: Why.
        sinks: Name → where events go; must have every sink that heard of an order that is undone.
        accounts: Which accounts; None for all.

    Raises:
        UnknownCaseError: the casebook knows no such ring, an account is under no order on it, or a sink that
            must hear of it is no longer in the sinks file.
        NotAllowedError: there is no reason, or nothing is left to undo.
    """
    case(writing.connection, ring_id)
    standing = _of_ring(writing.connection, ring_id)
    known = {account for _, free in standing for account in free}
    for account in accounts or ():
        if account not in known:
            raise UnknownCaseError(f"{account!r} is under no order on {ring_id}.{near_names(account, known)}")
    if not known:
        raise NotAllowedError(f"Nothing is ordered on {ring_id}; nothing to undo.")
    chosen = known if accounts is None else set(accounts)
    touched = [(one, tuple(account for account in free if account in chosen)) for one, free in standing]
    back, withdrawn, narrowed = _undo(writing, reason, sinks, [(one, free) for one, free in touched if free])
    return Decided(case(writing.connection, ring_id), back, withdrawn, narrowed)


def _undo(writing: Writing, reason: str, sinks: Mapping[str, Sink], touched: list[_Touched]) -> _Undone:
    back: list[Order] = []
    withdrawn: list[Order] = []
    narrowed: list[Order] = []
    for found, free in touched:
        if found.status is OrderStatus.ACTIVE:
            back.append(reverse(writing, found.order_id, reason, sinks, free))
        elif len(free) == len(targets(writing.connection, found.order_id)):
            withdrawn.append(withdraw_order(writing, found.order_id, reason))
        else:
            _narrow(writing, found, free)
            narrowed.append(found)
    return tuple(back), tuple(withdrawn), tuple(narrowed)


def _of_account(connection: sqlite3.Connection, account_id: str) -> list[_Touched]:
    """Return the orders that an account is under, on whatever ring: who is cleared in one is in all."""
    return [
        (one, (account_id,))
        for one in _open(orders(connection))
        if any(target.account_id == account_id for target in targets(connection, one.order_id, standing=True))
    ]


def _of_ring(connection: sqlite3.Connection, ring_id: str) -> list[_Touched]:
    """Return the orders that stand on a ring, each with the accounts of it that are let off with the ring."""
    rows = connection.execute("SELECT account_id FROM members WHERE ring_id = ?", (ring_id,))
    members = {row["account_id"] for row in rows}
    own = _merged_into(connection, ring_id)
    found = []
    for ring in [*own, *_split_from(connection, own)]:
        for one in _open(orders(connection, ring)):
            under = [target.account_id for target in targets(connection, one.order_id, standing=True)]
            free = tuple(account for account in under if ring in own or account in members)
            if free:
                found.append((one, free))
    return found


def _open(placed: list[Order]) -> list[Order]:
    """Return the orders that are in force, or may come to be."""
    return [
        one
        for one in placed
        if one.reverses is None and one.status in (OrderStatus.ACTIVE, OrderStatus.AWAITING)
    ]


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
        left_digest=digest_json(
            sorted(one.account_id for one in targets(writing.connection, waiting.order_id))
        ),
    )
