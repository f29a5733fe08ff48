"""Policy and ring → what would be ordered, and why each account that is left out is left out."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringfence.config import DecisionSettings
from ringfence.enforcement.casebook.cases import Case
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.events import Target
from ringfence.enforcement.policy.records import Needs, Policy, Tier
from ringfence.records import Action, Decision, Member, Ring, Role

FAMILY_COVERAGE = DecisionSettings().family_coverage
"""Share of a ring's members that a family must link to count."""

_CLOSED = (State.REJECTED, State.REVERSED)
_SPOKEN = (State.REJECTED, State.REVERSED, State.WATCH)


class Why(StrEnum):
    """Why an account is left out of a plan."""

    BYSTANDER = "bystander"
    ALLOWED = "allow-listed"
    CLEARED = "cleared by a verdict"
    RELEASED = "released by a person before"
    UNDECIDED = "joined after the verdict, or let go since"
    BELOW = "meets no tier"
    UNDER = "already under the same or a harsher order"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An account that a plan leaves alone."""

    account_id: str
    why: Why
    detail: str = ""
    """For one on the allow-list, who stands for it; for one under an order, which."""


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order that the policy asks for."""

    action: Action
    needs: Needs
    targets: tuple[Target, ...]
    expires_at: datetime | None
    tier: int
    """Its place in the policy file, from 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy asks for on a ring."""

    ring_id: str
    version: int
    orders: tuple[PlannedOrder, ...]
    """In the order of the tiers."""
    left_out: tuple[LeftOut, ...]
    held: str | None = None
    """Why nothing is asked for on the ring as a whole."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """All accounts that something would be done to."""
        return tuple(target for order in self.orders for target in order.targets)


def plan(
    policy: Policy,
    case: Case,
    ring: Ring,
    cleared: Container[str],
    standing: Mapping[str, Action],
    allowed: Mapping[str, str],
    now: datetime,
    *,
    automatic: bool = False,
    released: Container[str] = frozenset(),
    decided: Container[str] | None = None,
) -> Plan:
    """Return what the policy asks for on a ring.

    Every member meets the first tier whose conditions it fulfils. Where no person asks, and for whoever
    joined after the verdict, only tiers that need nobody count: it spoke of those who were members then.

    Args:
        policy: What may be done to whom.
        case: The ring as the casebook knows it.
        ring: What the latest run said of it.
        cleared: Accounts that a verdict has let off.
        standing: Account → the harshest action that it is under, or that waits for approval.
        allowed: Account → who stands for it.
        now: The time.
        automatic: Whether no person asks.
        released: Accounts that a person let go before; left alone unless one asks and has decided on them.
        decided: Accounts of whom a person said that they belong to a ring; None where that is still to come.
    """
    held = _held(case, ring, automatic)
    if held is not None:
        return Plan(case.ring_id, case.version, (), (), held)
    tiers = {
        place: tier
        for place, tier in enumerate(policy.tiers, 1)
        if _ring_fits(tier, ring) and (not automatic or tier.needs is Needs.NOBODY)
    }
    let_off = _LetOff(cleared, allowed, released)
    chosen: dict[int, list[Target]] = {}
    left_out = []
    for member in sorted(ring.members, key=lambda one: one.account_id):
        seen = decided is None or member.account_id in decided
        met = let_off.why(member, asked=seen and not automatic) or _met(member, tiers, standing, seen=seen)
        if isinstance(met, LeftOut):
            left_out.append(met)
        else:
            chosen.setdefault(met, []).append(Target(member.account_id, member.role, member.score))
    orders = tuple(_order(place, tiers[place], chosen[place], now) for place in sorted(chosen))
    return Plan(case.ring_id, case.version, orders, tuple(left_out))


def families(ring: Ring) -> int:
    """Return how many families of evidence link at least half of a ring."""
    return len({line.family for line in ring.evidence if line.coverage >= FAMILY_COVERAGE})


def reach(ring: Ring) -> int:
    """Return how many members of a ring are no bystanders."""
    return sum(member.role is not Role.BYSTANDER for member in ring.members)


@dataclass(frozen=True, slots=True)
class _LetOff:
    """Who is never enforced, whatever the tiers say."""

    cleared: Container[str]
    allowed: Mapping[str, str]
    released: Container[str]

    def why(self, member: Member, *, asked: bool) -> LeftOut | None:
        """Return why a member is left out; one that a person asks for may have been released before."""
        account = member.account_id
        if member.role is Role.BYSTANDER:
            return LeftOut(account, Why.BYSTANDER)
        if account in self.allowed:
            return LeftOut(account, Why.ALLOWED, self.allowed[account])
        if account in self.cleared:
            return LeftOut(account, Why.CLEARED)
        return LeftOut(account, Why.RELEASED) if account in self.released and not asked else None


def _met(
    member: Member, tiers: Mapping[int, Tier], standing: Mapping[str, Action], *, seen: bool
) -> int | LeftOut:
    """Return the place of the tier that decides about a member, or why none does anything."""
    fits = [place for place, tier in tiers.items() if _member_fits(tier, member)]
    if not fits:
        return LeftOut(member.account_id, Why.BELOW)
    place = next((place for place in fits if seen or tiers[place].needs is Needs.NOBODY), None)
    if place is None:
        return LeftOut(member.account_id, Why.UNDECIDED)
    under = standing.get(member.account_id, Action.NONE)
    if under.severity >= tiers[place].action.severity:
        return LeftOut(member.account_id, Why.UNDER, under)
    return place


def _held(case: Case, ring: Ring, automatic: bool) -> str | None:
    if case.succeeded_by is not None:
        return f"It has merged into {case.succeeded_by}."
    if case.state in (_SPOKEN if automatic else _CLOSED):
        return f"It is {case.state}; a person said so."
    if automatic and ring.decision is not Decision.RING:
        return f"The run said {ring.decision}; only what it calls a ring is acted on before a person looked."
    return None


def _ring_fits(tier: Tier, ring: Ring) -> bool:
    return (
        _reaches(ring.probability, tier.least_probability)
        and families(ring) >= tier.least_families
        and reach(ring) >= tier.least_size
        # Without a calibration an account's score is no probability, so no least score can be met.
        and (ring.probability is not None or tier.least_score == 0)
    )


def _member_fits(tier: Tier, member: Member) -> bool:
    return member.role in tier.roles and member.score >= tier.least_score


def _reaches(probability: float | None, least: float) -> bool:
    return least == 0 if probability is None else probability >= least


def _order(place: int, tier: Tier, targets: list[Target], now: datetime) -> PlannedOrder:
    expires_at = None if tier.expires is None else now + tier.expires
    return PlannedOrder(tier.action, tier.needs, tuple(targets), expires_at, place)
