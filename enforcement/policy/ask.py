"""A person asks for what the policy says: on which rings it acts, and placing it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringfence.enforcement.casebook.cases import Case, case, cases
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.orders.check import DECIDED
from ringfence.enforcement.orders.records import Order
from ringfence.enforcement.policy.act import Known, known, newest_run, place_plan, plan_ring
from ringfence.enforcement.policy.brake import tripped
from ringfence.enforcement.policy.plan import Plan
from ringfence.enforcement.policy.records import Policy
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.records import Decision


@dataclass(frozen=True, slots=True)
class PlannedRing:
    """A ring, and what the policy asks for on it."""

    case: Case
    plan: Plan
    automatic: bool
    """Whether it is asked for without a verdict."""
    waits_for: str | None
    """What must come first; None where it can go."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for what the policy says."""

    orders: tuple[Order, ...]
    held: tuple[PlannedRing, ...]
    """Rings on which nothing was ordered, and why."""


def planned(
    connection: sqlite3.Connection,
    policy: Policy,
    rings: Sequence[str],
    allowed: Mapping[str, str],
    now: datetime,
) -> list[PlannedRing]:
    """Return what the policy asks for on rings, or on every ring that it acts on.

    A ring that is named, and that nobody has confirmed, is planned as though somebody had: that is what a
    person wants to see before the verdict.

    Args:
        connection: To the casebook.
        policy: What may be done to whom.
        rings: Their ids; none for every ring that the policy acts on.
        allowed: Account → who stands for it.
        now: The time.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
    """
    about = known(connection, policy.mode)
    on, newest = tripped(connection), newest_run(connection)
    if rings:
        return [
            _named(connection, policy, case(connection, ring), allowed, now, about)
            for ring in dict.fromkeys(rings)
        ]
    found = []
    for one in cases(connection):
        by_itself = one.state not in DECIDED
        if by_itself and (one.decision is not Decision.RING or one.last_run != newest):
            continue
        plan = plan_ring(connection, policy, one.ring_id, allowed, now, about=about, automatic=by_itself)
        if plan.orders:
            waits = str(on) if by_itself and on is not None else None
            found.append(PlannedRing(one, plan, by_itself, waits))
            if waits is None:
                about.take_in(plan)
    return found


def _named(
    connection: sqlite3.Connection,
    policy: Policy,
    found: Case,
    allowed: Mapping[str, str],
    now: datetime,
    about: Known,
) -> PlannedRing:
    plan = plan_ring(connection, policy, found.ring_id, allowed, now, about=about)
    waits = plan.held
    if waits is None and found.state not in DECIDED:
        waits = (
            f"It is {found.state}. Confirm it first: "
            f"`ringfence rings verdict {found.ring_id} confirmed --reason …`."
        )
    if waits is None:
        about.take_in(plan)
    return PlannedRing(found, plan, automatic=False, waits_for=waits)


def ask(
    writing: Writing,
    policy: Policy,
    rings: Sequence[str],
    allowed: Mapping[str, str],
    sinks: Mapping[str, Sink],
    reason: str,
) -> Asked:
    """Order what the policy asks for on rings, or on every ring that it acts on; see :func:`planned`.

    Args:
        writing: The transaction.
        policy: What may be done to whom.
        rings: Their ids; none for every ring that the policy acts on.
        allowed: Account → who stands for it.
        sinks: Name → where orders go.
        reason: Why.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
        NotAllowedError: there is no reason.
    """
    found = planned(writing.connection, policy, rings, allowed, writing.now)
    go = [one for one in found if one.waits_for is None]
    orders = [
        order
        for one in go
        for order in place_plan(writing, policy, one.plan, sinks, reason, automatic=one.automatic)
    ]
    return Asked(tuple(orders), tuple(one for one in found if one.waits_for is not None))
