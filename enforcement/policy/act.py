"""From plans to orders: what a person asks the policy for, and what goes by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ringfence.enforcement.casebook.cases import case, cases, ring_at
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.labels import labels, watched
from ringfence.enforcement.orders.check import DECIDED
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Order, OrderStatus, Request, cleared, standing
from ringfence.enforcement.policy.brake import tripped
from ringfence.enforcement.policy.plan import Plan, PlannedOrder, families, plan, reach
from ringfence.enforcement.policy.records import Mode, Needs, Policy
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.records import Action, Decision, Ring


@dataclass(frozen=True, slots=True)
class Automatic:
    """What went by itself."""

    orders: tuple[Order, ...] = ()
    halted: str | None = None
    """Why nothing did: the brake, a later run, or no sink to tell."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the casebook knows of accounts, whatever their ring."""

    under: dict[str, Action]
    """The harshest action that each is under, or that waits for approval."""
    released: frozenset[str]
    """Those that a person took out of an order, found to be benign or wants to watch, in whatever ring."""
    decided: frozenset[str]
    """Those of whom a person said that they belong to a ring, and has not let go since."""

    def take_in(self, planned: Plan) -> None:
        """Count the orders of a plan as placed: an account of two rings is acted on once."""
        for one in planned.orders:
            self.under.update((target.account_id, one.action) for target in one.targets)


def known(connection: sqlite3.Connection, mode: Mode) -> Known:
    """Return what the casebook knows of accounts; in shadow mode, shadow orders count as well."""
    found = labels(connection)
    benign = frozenset(one.account_id for one in found if not one.is_ring)
    return Known(
        under=under(connection, mode),
        released=released(connection) | benign | watched(connection),
        decided=frozenset(one.account_id for one in found if one.is_ring),
    )


def plan_ring(
    connection: sqlite3.Connection,
    policy: Policy,
    ring_id: str,
    allowed: Mapping[str, str],
    now: datetime,
    *,
    about: Known | None = None,
    automatic: bool = False,
) -> Plan:
    """Return what the policy asks for on a ring of the casebook.

    Args:
        connection: To the casebook.
        policy: What may be done to whom.
        ring_id: The ring.
        allowed: Account → who stands for it.
        now: The time.
        about: What is known of accounts, where that has been asked for already.
        automatic: Whether no person asks.

    Raises:
        UnknownCaseError: there is none of that id.
    """
    found, ring = case(connection, ring_id), ring_at(connection, ring_id)
    about = about or known(connection, policy.mode)
    return plan(
        policy,
        found,
        ring,
        cleared(connection, ring_id),
        about.under,
        allowed,
        now,
        automatic=automatic,
        released=about.released,
        # Before the verdict, a plan shows what it would lead to.
        decided=about.decided if found.state in DECIDED else None,
    )


def place_plan(
    writing: Writing,
    policy: Policy,
    planned: Plan,
    sinks: Mapping[str, Sink],
    reason: str | None,
    *,
    automatic: bool = False,
) -> tuple[Order, ...]:
    """Place the orders of a plan made in the same transaction.

    Args:
        writing: The transaction.
        policy: What the plan follows.
        planned: The plan.
        sinks: Name → where orders go.
        reason: Why; None for what the policy says.
        automatic: Whether no person asks.

    Raises:
        NotAllowedError: nobody has confirmed the ring, or there is no reason.
    """
    ring = ring_at(writing.connection, planned.ring_id)
    return tuple(
        place(
            writing,
            Request(
                ring_id=planned.ring_id,
                action=one.action,
                targets=one.targets,
                reason=said(one, ring) if reason is None else reason,
                expires_at=one.expires_at,
                approvals=int(one.needs is Needs.TWO_PERSONS),
                automatic=automatic,
                shadow=policy.mode is Mode.SHADOW,
            ),
            sinks,
        )
        for one in planned.orders
    )


def automatic(
    writing: Writing, policy: Policy, sinks: Mapping[str, Sink], allowed: Mapping[str, str]
) -> Automatic:
    """Order what the policy lets go without a person, unless the brake is on.

    Args:
        writing: The transaction.
        policy: What may be done to whom.
        sinks: Name → where orders go.
        allowed: Account → who stands for it.
    """
    if not any(tier.needs is Needs.NOBODY for tier in policy.tiers):
        return Automatic()
    on = tripped(writing.connection)
    if on is not None:
        return Automatic(halted=str(on))
    about, newest = known(writing.connection, policy.mode), newest_run(writing.connection)
    placed: list[Order] = []
    for found in cases(writing.connection):
        # What an older run said of a ring is no ground for anything new.
        if found.decision is Decision.RING and found.last_run == newest:
            planned = plan_ring(
                writing.connection,
                policy,
                found.ring_id,
                allowed,
                writing.now,
                about=about,
                automatic=True,
            )
            placed += place_plan(writing, policy, planned, sinks, None, automatic=True)
            about.take_in(planned)
    return Automatic(tuple(placed))


def said(planned: PlannedOrder, ring: Ring) -> str:
    """Return what an order's reason says where nobody gave one."""
    probability = "uncalibrated" if ring.probability is None else f"probability {ring.probability:.2f}"
    return (
        f"Tier {planned.tier} of the policy: {probability}, {families(ring)} families of evidence, "
        f"{reach(ring)} accounts."
    )


def under(connection: sqlite3.Connection, mode: Mode) -> dict[str, Action]:
    """Return the harshest action that each account is under; in shadow mode, under shadow orders as well."""
    found = standing(connection)
    if mode is Mode.LIVE:
        return found
    rows = connection.execute(
        "SELECT account_id, action FROM order_accounts JOIN orders USING (order_id) "
        "WHERE reversed_by IS NULL AND reverses IS NULL AND shadow AND status IN (?, ?)",
        (OrderStatus.ACTIVE, OrderStatus.AWAITING),
    )
    for row in rows:
        known, action = found.get(row["account_id"], Action.NONE), Action(row["action"])
        found[row["account_id"]] = max(known, action, key=lambda one: one.severity)
    return found


def released(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the accounts that were taken out of an order before its time was over: a person did that."""
    rows = connection.execute(
        "SELECT DISTINCT account_id FROM order_accounts JOIN orders USING (order_id) "
        "JOIN orders AS reversal ON reversal.order_id = order_accounts.reversed_by "
        "WHERE orders.expires_at IS NULL OR reversal.ordered_at < orders.expires_at"
    )
    return frozenset(row["account_id"] for row in rows)


def newest_run(connection: sqlite3.Connection) -> str | None:
    """Return the run that is ground for something new; None where none was recorded.

    That is the one recorded last, whatever the clock said then; but late logs that open an old window again
    do not make it newer than the windows after it.
    """
    row = connection.execute(
        "SELECT run_id FROM runs WHERE coalesce(json_extract(manifest, '$.window.end'), '9999') >= "
        "(SELECT coalesce(max(json_extract(manifest, '$.window.end')), '') FROM runs) "
        "ORDER BY rowid DESC LIMIT 1"
    ).fetchone()
    return None if row is None else str(row["run_id"])
