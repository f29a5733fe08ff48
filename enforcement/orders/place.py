"""Ordering an action on accounts of a ring, and its approval by a second person.

An order, the event that tells of it, and what each sink is to get are one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.enforcement.casebook.cases import case, case_at
from ringfence.enforcement.casebook.database import Writing, stamp
from ringfence.enforcement.casebook.record import raised
from ringfence.enforcement.orders.check import (
    DECIDED,
    check_accounts,
    check_not_let_go,
    check_reason,
    check_request,
    check_standing,
)
from ringfence.enforcement.orders.records import (
    Order,
    OrderStatus,
    Request,
    order,
    targets,
)
from ringfence.enforcement.orders.tell import tell_order, write_accounts
from ringfence.enforcement.persons import same_person
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import NotAllowedError, UnknownCaseError
from ringfence.files import digest_json


def place(writing: Writing, request: Request, sinks: Mapping[str, Sink]) -> Order:
    """Order an action on accounts of a ring; it goes out at once, or waits for a second person.

    Args:
        writing: The transaction.
        request: What is asked for.
        sinks: Name → where it goes.

    Raises:
        UnknownCaseError: the casebook knows no such ring, or an account is no member of it.
        StaleVersionError: the ring has another version by now.
        NotAllowedError: there is no reason, no account, a bystander or a cleared account among them, the ring
            is not confirmed, or an account is under the same or a harsher order.
    """
    found = case_at(writing.connection, request.ring_id, request.version)
    check_request(writing, found, request)
    version = raised(writing, found.ring_id)
    order_id = f"O-{digest_json([found.ring_id, version])[:16]}"
    awaiting = request.approvals > 0
    writing.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, NULL)",
        (
            order_id,
            found.ring_id,
            version,
            request.action,
            OrderStatus.AWAITING if awaiting else OrderStatus.ACTIVE,
            int(request.shadow),
            request.reason.strip(),
            writing.by,
            writing.stamp,
            None if request.expires_at is None else stamp(request.expires_at),
        ),
    )
    write_accounts(writing, order_id, request.targets)
    writing.audit(
        "order placed",
        found.ring_id,
        order_id=order_id,
        action=request.action,
        accounts=len(request.targets),
        accounts_digest=digest_json(sorted(one.account_id for one in request.targets)),
        awaiting=awaiting,
        shadow=request.shadow,
        automatic=request.automatic,
        reason=request.reason.strip(),
        expires_at=None if request.expires_at is None else stamp(request.expires_at),
    )
    if not awaiting:
        tell_order(writing, order(writing.connection, order_id), sinks.values())
    return order(writing.connection, order_id)


def approve(writing: Writing, order_id: str, sinks: Mapping[str, Sink]) -> Order:
    """Approve an order that waits for it: it goes out.

    Raises:
        UnknownCaseError: there is no such order.
        NotAllowedError: it does not wait, the same person ordered it, or it could not be ordered any more.
    """
    found = _awaiting(writing, order_id)
    if same_person(found.ordered_by, writing.by):
        raise NotAllowedError(f"{writing.by} ordered {order_id}; somebody else must approve it.")
    _check_still(writing, found)
    version = raised(writing, found.ring_id)
    writing.execute(
        "UPDATE orders SET status = ?, version = ?, approved_by = ?, approved_at = ? WHERE order_id = ?",
        (OrderStatus.ACTIVE, version, writing.by, writing.stamp, order_id),
    )
    writing.audit("order approved", found.ring_id, order_id=order_id)
    approved = order(writing.connection, order_id)
    tell_order(writing, approved, sinks.values())
    return approved


def withdraw_order(writing: Writing, order_id: str, reason: str) -> Order:
    """Take back an order that waits for approval; nobody was told of it.

    Raises:
        UnknownCaseError: there is no such order.
        NotAllowedError: it does not wait, or there is no reason.
    """
    found = _awaiting(writing, order_id)
    check_reason(reason)
    raised(writing, found.ring_id)
    writing.execute("UPDATE orders SET status = ? WHERE order_id = ?", (OrderStatus.WITHDRAWN, order_id))
    writing.audit("order withdrawn", found.ring_id, order_id=order_id, reason=reason.strip())
    return order(writing.connection, order_id)


def _check_still(writing: Writing, waiting: Order) -> None:
    """Refuse an approval where what was ordered could not be ordered by now: runs and people went on."""
    try:
        ring = case(writing.connection, waiting.ring_id)
        if ring.succeeded_by is not None or ring.state not in DECIDED:
            now = ring.state if ring.succeeded_by is None else f"part of {ring.succeeded_by}"
            raise NotAllowedError(f"{ring.ring_id} is {now} by now.")
        if waiting.expires_at is not None and waiting.expires_at <= writing.stamp:
            raise NotAllowedError(f"{waiting.order_id} was to end by now.")
        asked = [one.account_id for one in targets(writing.connection, waiting.order_id)]
        check_accounts(writing, waiting.ring_id, asked)
        check_not_let_go(writing, waiting.order_id)
        if not waiting.shadow:
            check_standing(writing, asked, waiting.action, waiting.order_id)
    except (NotAllowedError, UnknownCaseError) as error:
        raise NotAllowedError(f"{error} Withdraw {waiting.order_id}, and order what still holds.") from error


def _awaiting(writing: Writing, order_id: str) -> Order:
    found = order(writing.connection, order_id)
    if found.status is not OrderStatus.AWAITING:
        raise NotAllowedError(f"{order_id} is {found.status}; it does not wait for approval.")
    return found
