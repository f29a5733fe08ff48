"""Orders as they are told to people: each with how many accounts it is about."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.enforcement.casebook.cases import case
from ringfence.enforcement.orders.records import Order, OrderStatus, orders


@dataclass(frozen=True, slots=True)
class Step:
    """An order, or its reversal, as it was placed or tried."""

    order: Order
    accounts: int
    """It was about so many."""
    standing: int
    """So many are still under it."""

    def as_json(self) -> dict[str, Any]:
        """Return the order and the numbers of its accounts as plain JSON values."""
        return {**self.order.as_json(), "accounts": self.accounts, "standing": self.standing}


@dataclass(frozen=True, slots=True)
class Steps:
    """Orders that were undone together."""

    reversals: tuple[Step, ...]
    withdrawn: tuple[Step, ...]
    """They waited for approval."""
    narrowed: tuple[Step, ...] = ()
    """They still wait, for fewer accounts."""

    def as_json(self) -> dict[str, Any]:
        """Return the orders as plain JSON values."""
        return {
            "reversals": [step.as_json() for step in self.reversals],
            "withdrawn": [step.as_json() for step in self.withdrawn],
            "narrowed": [step.as_json() for step in self.narrowed],
        }


def step_of(connection: sqlite3.Connection, order: Order) -> Step:
    """Return an order with the numbers of its accounts."""
    row = connection.execute(
        "SELECT count(*) AS accounts, count(*) FILTER (WHERE reversed_by IS NULL) AS standing "
        "FROM order_accounts WHERE order_id = ?",
        (order.order_id,),
    ).fetchone()
    stands = order.reverses is None and order.status in (OrderStatus.ACTIVE, OrderStatus.AWAITING)
    return Step(order, row["accounts"], row["standing"] if stands else 0)


def steps_of(connection: sqlite3.Connection, *several: Sequence[Order]) -> Steps:
    """Return reversals, orders withdrawn and orders narrowed, in this order."""
    return Steps(*(tuple(step_of(connection, one) for one in orders) for orders in several))


def listed(connection: sqlite3.Connection, ring_id: str | None, *, waiting: bool) -> list[Step]:
    """Return the orders and reversals of a ring, or of all, in the order in which they were placed.

    Args:
        connection: To the casebook.
        ring_id: The ring; None for all.
        waiting: Whether only those that wait for approval.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
    """
    if ring_id is not None:
        case(connection, ring_id)
    status = OrderStatus.AWAITING if waiting else None
    return [step_of(connection, order) for order in orders(connection, ring_id, status)]
