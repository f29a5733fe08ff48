"""What an order must not be: these checks stand between a mistake and a person."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.enforcement.casebook.cases import Case
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.orders.records import (
    ENFORCEABLE,
    Request,
    cleared,
    standing,
)
from ringfence.errors import NotAllowedError, UnknownCaseError, near_names
from ringfence.records import Action, Role

DECIDED = (State.CONFIRMED, State.ENFORCED)
"""States in which a person stands by the accusation."""

_NOT_BY_ITSELF = (State.REJECTED, State.REVERSED, State.WATCH)


def check_request(writing: Writing, found: Case, request: Request) -> None:
    """Refuse an order that must not be.

    Raises:
        UnknownCaseError: an account is no member of the ring.
        NotAllowedError: there is no reason, no account, one account twice, a bystander or a cleared account
            among them, the ring is not confirmed, the order is over before it begins, or an account is under
            the same or a harsher order.
    """
    check_reason(request.reason)
    if request.action not in ENFORCEABLE:
        raise NotAllowedError(f"{request.action} is no action that can be ordered: {', '.join(ENFORCEABLE)}.")
    if found.succeeded_by is not None:
        raise NotAllowedError(f"{found.ring_id} has merged into {found.succeeded_by}. Order it there.")
    _check_state(found, request)
    if request.expires_at is not None and request.expires_at <= writing.now:
        raise NotAllowedError("The order would be over before it begins; set a later end.")
    asked = [one.account_id for one in request.targets]
    if not asked:
        raise NotAllowedError(f"No account of {found.ring_id} is left to act on.")
    if len(set(asked)) < len(asked):
        raise NotAllowedError("An account is named twice; name each once.")
    check_accounts(writing, found.ring_id, asked)
    if not request.shadow:
        check_standing(writing, asked, request.action)


def _check_state(found: Case, request: Request) -> None:
    if not request.automatic and found.state not in DECIDED:
        raise NotAllowedError(
            f"{found.ring_id} is {found.state}; only a confirmed ring is enforced. "
            f"Decide first: `ringfence rings verdict {found.ring_id} confirmed --reason …`."
        )
    if request.automatic and found.state in _NOT_BY_ITSELF:
        raise NotAllowedError(f"{found.ring_id} is {found.state}; nothing is done to it without a person.")


def check_accounts(writing: Writing, ring_id: str, asked: Sequence[str]) -> None:
    """Refuse accounts that nothing may be done to.

    Raises:
        UnknownCaseError: one is no member of the ring.
        NotAllowedError: one is a bystander, or cleared.
    """
    roles = {
        row["account_id"]: Role(row["role"])
        for row in writing.execute("SELECT account_id, role FROM members WHERE ring_id = ?", (ring_id,))
    }
    strangers = [account for account in asked if account not in roles]
    if strangers:
        raise UnknownCaseError(f"{_some(strangers)} no member of {ring_id}.{near_names(strangers[0], roles)}")
    bystanders = [account for account in asked if roles[account] is Role.BYSTANDER]
    if bystanders:
        raise NotAllowedError(f"{_some(bystanders)} a bystander of {ring_id}; bystanders are never enforced.")
    free = cleared(writing.connection, ring_id)
    if let_off := [account for account in asked if account in free]:
        raise NotAllowedError(f"{_some(let_off)} cleared by a verdict; give another verdict first.")


def check_standing(
    writing: Writing, asked: Sequence[str], action: Action, apart_from: str | None = None
) -> None:
    """Refuse accounts that are under the same action, or a harsher one, already.

    Args:
        writing: The transaction.
        asked: The accounts.
        action: What is to be done to them.
        apart_from: An order that does not count: the one in question.

    Raises:
        NotAllowedError: one is.
    """
    under = standing(writing.connection, apart_from)
    doubled = [a for a in asked if under.get(a, Action.NONE).severity >= action.severity]
    if doubled:
        raise NotAllowedError(
            f"{_some(doubled)} under {under[doubled[0]]} already; nothing is ordered twice."
        )


def check_not_let_go(writing: Writing, order_id: str) -> None:
    """Refuse an order that waited while a person took one of its accounts out of another order.

    Whoever approves it may not have heard of that. An order that ran out lets nobody go.

    Raises:
        NotAllowedError: one was let go.
    """
    rows = writing.execute(
        "SELECT DISTINCT mine.account_id FROM order_accounts AS mine JOIN orders AS waiting USING (order_id) "
        "JOIN order_accounts AS its ON its.account_id = mine.account_id "
        "JOIN orders AS placed ON placed.order_id = its.order_id "
        "JOIN orders AS undoing ON undoing.order_id = its.reversed_by "
        "WHERE mine.order_id = ? AND undoing.rowid > waiting.rowid "
        "AND (placed.expires_at IS NULL OR undoing.ordered_at < placed.expires_at) ORDER BY mine.account_id",
        (order_id,),
    ).fetchall()
    if rows:
        more = f" and {len(rows) - 1:,} more were" if len(rows) > 1 else " was"
        raise NotAllowedError(f"{rows[0]['account_id']}{more} let go since {order_id} was ordered.")


def check_reason(reason: str) -> None:
    """Refuse an order without a reason.

    Raises:
        NotAllowedError: there is none.
    """
    if not reason.strip():
        raise NotAllowedError("An order needs a reason: whoever it meets may ask.")


def _some(accounts: Sequence[str]) -> str:
    more = f" and {len(accounts) - 1:,} more are" if len(accounts) > 1 else " is"
    return f"{accounts[0]}{more}"
