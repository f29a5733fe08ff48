"""A person orders an action by hand: the policy still says who is never met, and who must agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from ringfence.enforcement.casebook.cases import case_at
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.events import Target
from ringfence.enforcement.orders.place import approve, place
from ringfence.enforcement.orders.records import Order, Request, cleared, order, targets
from ringfence.enforcement.policy.act import known
from ringfence.enforcement.policy.records import Mode, Needs, Policy
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import NotAllowedError, UnknownCaseError, near_names
from ringfence.records import Action, Role


def needs_two(policy: Policy, action: Action) -> bool:
    """Return whether an action ordered by hand waits for a second person.

    It does where any tier of the policy asks for one; a ban also where the policy has no tier for it.
    """
    needs = [tier.needs for tier in policy.tiers if tier.action is action]
    return Needs.TWO_PERSONS in needs or (action is Action.BAN and not needs)


def usual_span(policy: Policy, action: Action) -> timedelta | None:
    """Return how long the policy lets an action hold: what its first tier for it says."""
    return next((tier.expires for tier in policy.tiers if tier.action is action), None)


def order_by_hand(
    writing: Writing,
    policy: Policy,
    ring_id: str,
    action: Action,
    accounts: Sequence[str] | None,
    allowed: Mapping[str, str],
    sinks: Mapping[str, Sink],
    reason: str,
    *,
    span: timedelta | None = None,
    version: int | None = None,
) -> Order:
    """Order an action on accounts of a confirmed ring.

    Args:
        writing: The transaction.
        policy: Says who is never met, who must agree, and for how long.
        ring_id: The ring.
        action: What is to be done.
        accounts: To whom; None for every member that a person decided on, and that nothing speaks for.
        allowed: Account → who stands for it.
        sinks: Name → where orders go.
        reason: Why.
        span: How long it holds; None for what the policy says of the action.
        version: Of the ring as it was read; None for whatever it is now.

    Raises:
        UnknownCaseError: the casebook knows no such ring, or an account is no member of it.
        StaleVersionError: the ring has another version by now.
        NotAllowedError: somebody stands for an account, or the order must not be for another reason.
    """
    found = case_at(writing.connection, ring_id, version)
    members = {
        row["account_id"]: Target(row["account_id"], Role(row["role"]), row["score"])
        for row in writing.execute(
            "SELECT account_id, role, score FROM members WHERE ring_id = ? ORDER BY account_id",
            (found.ring_id,),
        )
    }
    if accounts is None:
        free = {*cleared(writing.connection, ring_id), *allowed}
        about = known(writing.connection, policy.mode)
        # Whoever joined after the verdict is met where a person names the account, or decides again.
        chosen = tuple(
            one
            for account, one in members.items()
            if one.role is not Role.BYSTANDER
            and account not in free
            and account in about.decided
            and about.under.get(account, Action.NONE).severity < action.severity
        )
    else:
        chosen = _named(ring_id, members, accounts)
    check_allowed([one.account_id for one in chosen], allowed)
    span = span or usual_span(policy, action)
    asked = Request(
        ring_id=ring_id,
        action=action,
        targets=chosen,
        reason=reason,
        expires_at=None if span is None else writing.now + span,
        approvals=int(needs_two(policy, action)),
        shadow=policy.mode is Mode.SHADOW,
    )
    return place(writing, asked, sinks)


def approve_order(
    writing: Writing,
    policy: Policy,
    order_id: str,
    allowed: Mapping[str, str],
    sinks: Mapping[str, Sink],
) -> Order:
    """Approve an order, unless somebody stands for one of its accounts by now, or nothing may leave by now.

    Raises:
        UnknownCaseError: there is no such order.
        NotAllowedError: somebody stands for an account, the policy is in shadow mode and the order is not, or
            it cannot be approved for another reason.
    """
    waiting = order(writing.connection, order_id)
    if policy.mode is Mode.SHADOW and not waiting.shadow:
        raise NotAllowedError(
            f"{order_id} would go out, and the policy is in shadow mode by now. Withdraw it, or set it live."
        )
    check_allowed([one.account_id for one in targets(writing.connection, waiting.order_id)], allowed)
    return approve(writing, order_id, sinks)


def check_allowed(accounts: Collection[str], allowed: Mapping[str, str]) -> None:
    """Refuse accounts that somebody stands for.

    Raises:
        NotAllowedError: one is on the allow-list.
    """
    for account in accounts:
        if account in allowed:
            raise NotAllowedError(f"{account} is on the allow-list: {allowed[account]}. Nothing was ordered.")


def _named(ring_id: str, members: Mapping[str, Target], accounts: Sequence[str]) -> tuple[Target, ...]:
    for account in accounts:
        if account not in members:
            raise UnknownCaseError(
                f"{account!r} is no member of {ring_id}.{near_names(account, members)} "
                f"`ringfence rings show {ring_id} --members` lists them."
            )
    return tuple(members[account] for account in sorted(set(accounts)))
