"""What is ordered: the records, and reading them from the casebook."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ringfence.enforcement.events import Target
from ringfence.errors import UnknownCaseError, near_names
from ringfence.records import Action, Role

ENFORCEABLE = (Action.MONITOR, Action.RATE_LIMIT, Action.STEP_UP, Action.SUSPEND, Action.BAN)
"""Actions that can be ordered, the mildest first."""


class OrderStatus(StrEnum):
    """Where an order stands."""

    AWAITING = "awaiting approval"
    ACTIVE = "active"
    REVERSED = "reversed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for."""

    ring_id: str
    action: Action
    targets: tuple[Target, ...]
    reason: str
    version: int | None = None
    """Of the ring that was looked at; None for whatever it is now."""
    expires_at: datetime | None = None
    approvals: int = 0
    """How many further persons must approve: 0 or 1."""
    automatic: bool = False
    """Whether the policy lets it go without a person's verdict."""
    shadow: bool = False
    """Recorded and sent nowhere."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the casebook."""

    order_id: str
    ring_id: str
    version: int
    action: Action
    status: OrderStatus
    shadow: bool
    reason: str
    ordered_by: str
    ordered_at: str
    approved_by: str | None
    approved_at: str | None
    expires_at: str | None
    reverses: str | None
    """The order that this one undoes."""

    def as_json(self) -> dict[str, Any]:
        """Return the order as plain JSON values."""
        return asdict(self)


def order(connection: sqlite3.Connection, order_id: str) -> Order:
    """Return an order.

    Raises:
        UnknownCaseError: there is none of that id.
    """
    row = connection.execute("SELECT * FROM orders WHERE order_id = ?", (order_id,)).fetchone()
    if row is None:
        known = [row["order_id"] for row in connection.execute("SELECT order_id FROM orders")]
        near = near_names(order_id, known)
        raise UnknownCaseError(
            f"There is no order {order_id!r}.{near} `ringfence enforce orders` shows them."
        )
    return _order(row)


def orders(
    connection: sqlite3.Connection, ring_id: str | None = None, status: OrderStatus | None = None
) -> list[Order]:
    """Return the orders of a ring, or of all, in the order in which they were placed."""
    rows = connection.execute(
        "SELECT * FROM orders WHERE (:ring IS NULL OR ring_id = :ring) "
        "AND (:status IS NULL OR status = :status) "
        "ORDER BY rowid",
        {"ring": ring_id, "status": status},
    )
    return [_order(row) for row in rows]


def targets(connection: sqlite3.Connection, order_id: str, *, standing: bool = False) -> tuple[Target, ...]:
    """Return the accounts of an order; with ``standing``, only those not released again."""
    rows = connection.execute(
        "SELECT account_id, role, score FROM order_accounts "
        "WHERE order_id = ? AND (NOT ? OR reversed_by IS NULL) "
        "ORDER BY account_id",
        (order_id, standing),
    )
    return tuple(Target(row["account_id"], Role(row["role"]), row["score"]) for row in rows)


def standing(connection: sqlite3.Connection, apart_from: str | None = None) -> dict[str, Action]:
    """Return the harshest action that each account is under, or that waits for approval; shadow apart.

    Args:
        connection: To the casebook.
        apart_from: An order that does not count.
    """
    rows = connection.execute(
        "SELECT account_id, action FROM order_accounts JOIN orders USING (order_id) "
        "WHERE reversed_by IS NULL AND reverses IS NULL AND NOT shadow AND status IN (?, ?) "
        "AND order_id IS NOT ?",
        (OrderStatus.ACTIVE, OrderStatus.AWAITING, apart_from),
    )
    harshest: dict[str, Action] = {}
    for row in rows:
        action = Action(row["action"])
        known = harshest.get(row["account_id"], Action.NONE)
        harshest[row["account_id"]] = max(known, action, key=lambda one: one.severity)
    return harshest


def cleared(connection: sqlite3.Connection, ring_id: str) -> frozenset[str]:
    """Return the accounts of a ring whose latest verdict of their own is ``rejected``, given in any ring.

    Rings split, merge and share accounts; who was cleared in one is not to be accused through another.
    """
    rows = connection.execute(
        "SELECT account_id FROM verdicts AS given WHERE verdict = 'rejected' AND verdict_id = "
        "(SELECT max(verdict_id) FROM verdicts WHERE account_id = given.account_id) AND ("
        "EXISTS (SELECT 1 FROM members WHERE ring_id = :ring AND account_id = given.account_id) OR "
        "EXISTS (SELECT 1 FROM order_accounts JOIN orders USING (order_id) "
        "WHERE orders.ring_id = :ring AND order_accounts.account_id = given.account_id))",
        {"ring": ring_id},
    )
    return frozenset(row["account_id"] for row in rows)


def _order(row: sqlite3.Row) -> Order:
    values = dict(row)
    return Order(
        **{
            **values,
            "action": Action(values["action"]),
            "status": OrderStatus(values["status"]),
            "shadow": bool(values["shadow"]),
        }
    )
