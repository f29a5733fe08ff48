"""The way back: undoing an order, for all of its accounts or some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringfence.enforcement.casebook.cases import case
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.casebook.decide import move
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.casebook.record import raised
from ringfence.enforcement.events import Target
from ringfence.enforcement.orders.check import check_reason
from ringfence.enforcement.orders.records import (
    Order,
    OrderStatus,
    order,
    orders,
    targets,
)
from ringfence.enforcement.orders.tell import tell_reversal, write_accounts
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import NotAllowedError, UnknownCaseError, near_names
from ringfence.files import digest_json


def reverse(
    writing: Writing,
    order_id: str,
    reason: str,
    sinks: Mapping[str, Sink],
    accounts: Sequence[str] | None = None,
) -> Order:
    """Undo an order, for all of its accounts or some, at every sink that got it or may have got it.

    What has not been tried yet is withdrawn where the whole order is undone: a receiver that never heard of
    it hears nothing.

    Args:
        writing: The transaction.
        order_id: The order.
        reason: Why.
        sinks: Name → where events go; must have every sink that the order went to.
        accounts: Which accounts; None for all that are still under it.

    Returns:
        The reversal, an order of its own.

    Raises:
        UnknownCaseError: there is no such order, an account is not under it, or a sink that it went to is
            no longer in the sinks file.
        NotAllowedError: there is no reason, or nothing is left to undo.
    """
    found = order(writing.connection, order_id)
    check_reason(reason)
    if found.reverses is not None or found.status is not OrderStatus.ACTIVE:
        raise NotAllowedError(
            f"{order_id} is {found.status if found.reverses is None else 'a reversal'}; nothing to undo."
        )
    under = targets(writing.connection, order_id, standing=True)
    chosen = _chosen(order_id, under, accounts)
    version = raised(writing, found.ring_id)
    reversal_id = f"O-{digest_json([found.ring_id, version])[:16]}"
    writing.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?)",
        (
            reversal_id,
            found.ring_id,
            version,
            found.action,
            OrderStatus.ACTIVE,
            int(found.shadow),
            reason.strip(),
            writing.by,
            writing.stamp,
            order_id,
        ),
    )
    write_accounts(writing, reversal_id, chosen)
    writing.connection.executemany(
        "UPDATE order_accounts SET reversed_by = ? WHERE order_id = ? AND account_id = ?",
        [(reversal_id, order_id, one.account_id) for one in chosen],
    )
    writing.audit(
        "order reversed",
        found.ring_id,
        order_id=order_id,
        reversal=reversal_id,
        accounts=len(chosen),
        accounts_digest=digest_json(sorted(one.account_id for one in chosen)),
        reason=reason.strip(),
    )
    whole = len(chosen) == len(under)
    if whole:
        writing.execute("UPDATE orders SET status = ? WHERE order_id = ?", (OrderStatus.REVERSED, order_id))
    reversal = order(writing.connection, reversal_id)
    if not found.shadow:
        tell_reversal(writing, found, reversal, sinks, whole=whole)
    _let_go(writing, found.ring_id)
    return reversal


def _chosen(order_id: str, under: tuple[Target, ...], accounts: Sequence[str] | None) -> tuple[Target, ...]:
    if accounts is None:
        return under
    if not accounts:
        raise NotAllowedError(f"No account of {order_id} is named; leave the accounts out for all of them.")
    known = {one.account_id: one for one in under}
    for account in accounts:
        if account not in known:
            raise UnknownCaseError(
                f"{account!r} is not under {order_id}.{near_names(account, known)} "
                "`ringfence rings account ACCOUNT` shows what one is under."
            )
    return tuple(known[account] for account in sorted(set(accounts)))


def _let_go(writing: Writing, ring_id: str) -> None:
    """Call a ring reversed when the last order on it is undone."""
    found = case(writing.connection, ring_id)
    left = [
        one
        for one in orders(writing.connection, ring_id, OrderStatus.ACTIVE)
        if one.reverses is None and not one.shadow
    ]
    if found.state is State.ENFORCED and not left:
        move(writing, found, State.REVERSED)
