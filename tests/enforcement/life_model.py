"""What the casebook must come to, in plain dictionaries: the state machine's other opinion."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.enforcement.casebook.life import FOLLOWS, State, Verdict
from ringfence.records import Action, Role

DECIDED = (State.CONFIRMED, State.ENFORCED)
NOT_BY_ITSELF = (State.REJECTED, State.REVERSED, State.WATCH)


@dataclass
class ModelRing:
    state: State = State.NEW
    members: dict[str, Role] = field(default_factory=dict)
    merged: str | None = None


@dataclass
class ModelOrder:
    ring: str
    action: Action
    by: str
    shadow: bool
    active: bool
    under: set[str]
    """Accounts still under it; empty when it is undone or withdrawn."""


class Model:
    """Rings, verdicts on accounts, and orders."""

    def __init__(self) -> None:
        self.rings: dict[str, ModelRing] = {}
        self.own: dict[str, Verdict] = {}
        self.orders: dict[str, ModelOrder] = {}

    def may_decide(self, ring: str, verdict: Verdict) -> bool:
        found = self.rings[ring]
        if found.merged:
            return False
        # An enforced ring is confirmed again, or let go by way of its reversal.
        return found.state is State.ENFORCED or State(verdict) in {found.state, *FOLLOWS[found.state]}

    def may_order(
        self, ring: str, accounts: list[str], action: Action, *, automatic: bool, shadow: bool
    ) -> bool:
        found = self.rings[ring]
        state_fits = found.state not in NOT_BY_ITSELF if automatic else found.state in DECIDED
        return (
            not found.merged
            and state_fits
            and bool(accounts)
            and len(set(accounts)) == len(accounts)
            and self._may_meet(ring, accounts, action, shadow, None)
        )

    def may_meet(self, ring: str, accounts: list[str], action: Action) -> bool:
        """Return whether an action may be ordered on accounts as they stand."""
        return self._may_meet(ring, accounts, action, False, None)

    def may_approve(self, order_id: str, by: str) -> bool:
        order = self.orders[order_id]
        ring = self.rings[order.ring]
        return (
            not order.active
            and bool(order.under)
            and by != order.by
            and not ring.merged
            and ring.state in DECIDED
            and self._may_meet(order.ring, sorted(order.under), order.action, order.shadow, order_id)
        )

    def _may_meet(
        self, ring: str, accounts: list[str], action: Action, shadow: bool, apart: str | None
    ) -> bool:
        members = self.rings[ring].members
        return all(
            members.get(account, Role.BYSTANDER) is not Role.BYSTANDER
            and self.own.get(account) is not Verdict.REJECTED
            and (shadow or self._severity(account, apart) < action.severity)
            for account in accounts
        )

    def _severity(self, account: str, apart: str | None) -> int:
        under = [
            one.action.severity
            for name, one in self.orders.items()
            if account in one.under and not one.shadow and name != apart
        ]
        return max(under, default=-1)

    def ordered(self, ring: str) -> None:
        """Follow an order that is in force: a confirmed ring is enforced from then on."""
        if self.rings[ring].state is State.CONFIRMED:
            self.rings[ring].state = State.ENFORCED

    def let_go(self, order_id: str, accounts: set[str]) -> None:
        """Take accounts out of an order; a ring without any order in force is reversed."""
        order = self.orders[order_id]
        order.under -= accounts
        ring = self.rings[order.ring]
        left = any(
            one.under and one.active and not one.shadow
            for one in self.orders.values()
            if one.ring == order.ring
        )
        if order.active and ring.state is State.ENFORCED and not left:
            ring.state = State.REVERSED

    def take_up(self, ring: str) -> None:
        if self.rings[ring].state is not State.ENFORCED:
            self.rings[ring].state = State.IN_REVIEW

    def clear(self, account: str, verdict: Verdict) -> None:
        """Follow a verdict on an account: who is cleared is under no order from then on."""
        self.own[account] = verdict
        if verdict is Verdict.REJECTED:
            for name, order in self.orders.items():
                if account in order.under:
                    self.let_go(name, {account})
