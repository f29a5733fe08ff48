"""Rings, runs and confirmed cases to try things on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.casebook.reading import FinishedRun
from ringfence.enforcement.casebook.record import Recorded, record_run
from ringfence.enforcement.events import Target
from ringfence.records import Action, Decision, Evidence, Family, Member, Ring, Role


def accounts(count: int, prefix: str = "acct") -> list[str]:
    return [f"{prefix}_{number:05}" for number in range(count)]


def ring(
    ring_id: str,
    core: Iterable[str],
    bystanders: Iterable[str] = (),
    *,
    decision: Decision = Decision.RING,
    probability: float | None = 0.97,
    families: tuple[Family, ...] = (Family.NETWORK, Family.PAYMENT),
) -> Ring:
    members = tuple(Member(one, 0.95, Role.CORE) for one in core) + tuple(
        Member(one, 0.05, Role.BYSTANDER) for one in bystanders
    )
    evidence = tuple(
        Evidence(family, f"Share {family} with each other.", 4.0, 0.9, (f"{family}:1", f"{family}:2"))
        for family in families
    )
    return Ring(
        ring_id=ring_id,
        probability=probability,
        decision=decision,
        size=len(members),
        first_seen=datetime(2026, 2, 1, tzinfo=UTC),
        last_seen=datetime(2026, 2, 28, tzinfo=UTC),
        evidence_score=7.2,
        members=members,
        evidence=evidence,
        tactics=("reasoning traces",),
        recommended_action=Action.SUSPEND if decision is Decision.RING else Action.NONE,
    )


def run_of(*rings: Ring, name: str = "run-1", accounts: int = 10_000) -> FinishedRun:
    return FinishedRun(name, Path(name), accounts, rings, {"version": "0"})


def recorded(book: Casebook, *rings: Ring, name: str = "run-1") -> Recorded:
    with book.writing("score") as writing:
        return record_run(writing, run_of(*rings, name=name))


def confirmed(book: Casebook, found: Ring, by: str = "ada") -> Ring:
    """Record a ring and have a person confirm it."""
    recorded(book, found, name=f"run-{found.ring_id}")
    with book.writing(by) as writing:
        give_verdict(writing, found.ring_id, Verdict.CONFIRMED, "Same cards, same hours.")
    return found


def targets_of(found: Ring) -> tuple[Target, ...]:
    return tuple(
        Target(one.account_id, one.role, one.score) for one in found.members if one.role is not Role.BYSTANDER
    )
