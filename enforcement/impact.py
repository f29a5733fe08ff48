"""What a plan would do, before it does it: whom it meets, at what cost, what it leaves, what else there is.

The number of innocents is a sum of independent chances that differ, a Poisson binomial variable; its
distribution is built up account by account (Hong, "On computing the distribution function for the Poisson
binomial distribution", 2013, the recursive formula).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from ringfence.enforcement.policy.plan import Plan, Why
from ringfence.records import Action, Ring, Role

Number = TypeVar("Number", int, float)

LEVEL = 0.9
"""Share of cases in which the number of innocents lies within the interval that is told."""

_LET_OFF = (Why.BYSTANDER, Why.ALLOWED, Why.CLEARED)


@dataclass(frozen=True, slots=True)
class Used:
    """What an account did, as the output of a run tells it; None where the logs did not say."""

    score: float
    requests: int
    tokens: int | None
    """Into the model and out of it."""
    payments: int
    amount_usd: float | None
    """What it paid."""


@dataclass(frozen=True, slots=True)
class Part:
    """One ring, what would be done to it, and what is known of its accounts."""

    ring: Ring
    plan: Plan
    used: Mapping[str, Used]
    """Account → what it did; empty where the run's output is gone."""
    sharing: frozenset[str] | None
    """Every account, member or not, that paid with an instrument which members of the ring share; None where
    the run's output does not tell."""
    under: Mapping[str, Action]
    """Account → the harshest action that it is under already."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How many of some accounts belong to no ring, if their scores are right."""

    mean: float
    low: int
    high: int
    """From ``low`` to ``high`` in nine cases of ten, if each account is right or wrong by itself."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What accounts add up to."""

    accounts: int
    outside: int
    """Of them, those that are no member of a ring, or a bystander."""
    innocents: Expected | None
    """None where a ring is not calibrated."""
    requests: int | None
    tokens: int | None
    payments: int | None
    amount_usd: float | None
    capacity_left: float | None
    """Share of the rings' requests by members that nothing would hinder, 0..1. To watch hinders nobody."""


@dataclass(frozen=True, slots=True)
class Impact:
    """What a plan would do, beside what else could be done."""

    by_action: tuple[tuple[Action, Totals], ...]
    """The harshest first."""
    options: tuple[tuple[str, Totals | None], ...]
    """``policy``, ``core only``, ``cards only``, ``all members``; None where the output does not tell."""
    unseen: int
    """Accounts acted on of which the run's output knows nothing: they are in no sum but that of accounts."""

    def as_json(self) -> dict[str, Any]:
        """Return the impact as plain JSON values."""
        return {
            "by_action": {action: asdict(totals) for action, totals in self.by_action},
            "options": {name: None if totals is None else asdict(totals) for name, totals in self.options},
            "unseen": self.unseen,
        }


def impact(parts: Sequence[Part]) -> Impact:
    """Return what plans would do, and what acting on other accounts would.

    Core only and all members are without those that are never enforced; cards only is everyone who paid with
    an instrument that members share, as a block of those cards would meet them.
    """
    view = _View(parts)
    policy = {
        target.account_id: one.action for part in parts for one in part.plan.orders for target in one.targets
    }
    actions = sorted(set(policy.values()), key=lambda one: -one.severity)
    hindered = {account for account, action in policy.items() if hinders(action)}
    known = [part.sharing for part in parts if part.sharing is not None]
    cards = frozenset[str]().union(*known) if len(known) == len(parts) else None
    options = (
        ("policy", view.totals(policy, hindered)),
        ("core only", view.totals(view.core, view.core)),
        ("cards only", None if cards is None else view.totals(cards, cards)),
        ("all members", view.totals(view.active, view.active)),
    )
    return Impact(
        by_action=tuple((action, view.of_action(policy, action)) for action in actions),
        options=options,
        unseen=len(policy.keys() - view.used.keys()),
    )


def hinders(action: Action) -> bool:
    """Return whether an action takes anything from the account: to watch it does not."""
    return action.severity > Action.MONITOR.severity


class _View:
    """The accounts of several rings, each counted once."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.used: dict[str, Used] = {}
        self.scores: dict[str, float] = {}
        self.members: set[str] = set()
        self.core: set[str] = set()
        self.active: set[str] = set()
        self.hindered: set[str] = set()
        self.calibrated = all(part.ring.probability is not None for part in parts)
        for part in parts:
            self._take_in(part)

    def _take_in(self, part: Part) -> None:
        let_off = {left.account_id for left in part.plan.left_out if left.why in _LET_OFF}
        self.used.update(part.used)
        for member in part.ring.members:
            account = member.account_id
            self.scores[account] = member.score
            if member.role is Role.BYSTANDER:
                continue
            self.members.add(account)
            if account not in let_off:
                self.active.add(account)
                if member.role is Role.CORE:
                    self.core.add(account)
                if hinders(part.under.get(account, Action.NONE)):
                    self.hindered.add(account)

    def of_action(self, policy: Mapping[str, Action], action: Action) -> Totals:
        """Return what one action of a plan meets."""
        chosen = {account for account, one in policy.items() if one is action}
        return self.totals(chosen, chosen if hinders(action) else set())

    def totals(self, chosen: Collection[str], hindered: Collection[str]) -> Totals:
        """Return what some accounts add up to, of which some would be hindered."""
        used = [self.used[account] for account in chosen if account in self.used]
        return Totals(
            accounts=len(chosen),
            outside=sum(account not in self.members for account in chosen),
            innocents=expected([self._score(account) for account in sorted(chosen)])
            if self.calibrated
            else None,
            requests=sum(one.requests for one in used) if self.used else None,
            tokens=_sum([one.tokens for one in used]) if self.used else None,
            payments=sum(one.payments for one in used) if self.used else None,
            amount_usd=_sum([one.amount_usd for one in used]) if self.used else None,
            capacity_left=self._capacity_left(hindered),
        )

    def _score(self, account: str) -> float:
        return self.scores[account] if account in self.scores else self.used[account].score

    def _capacity_left(self, hindered: Collection[str]) -> float | None:
        requests = {account: self.used[account].requests for account in self.active if account in self.used}
        whole = sum(requests.values())
        if whole == 0:
            return None
        left = sum(
            count
            for account, count in requests.items()
            if account not in hindered and account not in self.hindered
        )
        return left / whole


def expected(scores: Sequence[float]) -> Expected:
    """Return how many of some accounts belong to no ring.

    Args:
        scores: Calibrated probability that each belongs to one.
    """
    chances = 1 - np.asarray(scores, np.float64)
    mean = float(chances.sum())
    spread = float((chances * (1 - chances)).sum()) ** 0.5
    # Whatever lies further out has a chance below any that is told.
    most = min(len(scores), int(mean + 12 * spread + 30))
    pmf = np.zeros(most + 1)
    pmf[0] = 1.0
    for chance in chances:
        more = pmf[:-1] * chance
        pmf *= 1 - chance
        pmf[1:] += more
    below = np.cumsum(pmf)
    low, high = (int(np.searchsorted(below, share)) for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Expected(mean, low, min(high, most))


def _sum(values: Sequence[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
