"""Runs, casebook, policy and sinks joined: what follows from a run, and what a plan would do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ringfence.enforcement.casebook.cases import case, case_at, ring_at
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.reading import read_run
from ringfence.enforcement.casebook.record import Recorded, record_run
from ringfence.enforcement.impact import Impact, Part, impact
from ringfence.enforcement.policy.act import Automatic, automatic, newest_run, under
from ringfence.enforcement.policy.allowed import allowed, looked_up
from ringfence.enforcement.policy.ask import PlannedRing, ask, planned
from ringfence.enforcement.policy.brake import Trip, check_brake, tripped
from ringfence.enforcement.policy.expire import Expired, expire
from ringfence.enforcement.policy.read import read_policy
from ringfence.enforcement.policy.records import Mode, Policy
from ringfence.enforcement.sinks.open import open_sinks
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.enforcement.supersede import Announced, announce
from ringfence.errors import NotAllowedError, StaleVersionError
from ringfence.pipeline.enforcement.steps import Step, step_of
from ringfence.pipeline.enforcement.traffic import RunOutput
from ringfence.records import Action, Role
from ringfence.state import StateFolder

_NOBODY_TOLD = (
    'There is no sink, so nobody would be told. Name one with `ringfence sinks init`, or set mode = "shadow".'
)
_OVERTAKEN = "The casebook has a later run, or window; what this one says is no ground for anything new."


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed from a run."""

    recorded: Recorded
    announced: Announced
    expired: Expired
    automatic: Automatic
    brake: Trip | None
    """Why automatic orders are halted; None where they are not."""
    shadow: bool
    """Whether the policy sends nothing."""

    def as_json(self) -> dict[str, Any]:
        """Return what followed as plain JSON values."""
        return {
            "run_id": self.recorded.run_id,
            "known": self.recorded.known,
            "born": len(self.recorded.born),
            "changed": len(self.recorded.changed),
            "unchanged": len(self.recorded.unchanged),
            "merged": len(self.recorded.merged),
            "split": len(self.recorded.split),
            "superseded": list(self.announced.rings),
            "sinks_missed": list(self.announced.missed),
            "expired": [order.as_json() for order in self.expired.reversals],
            "withdrawn": [order.as_json() for order in self.expired.withdrawn],
            "stuck": list(self.expired.stuck),
            "orders": [order.as_json() for order in self.automatic.orders],
            "halted": self.automatic.halted,
            "brake": None if self.brake is None else asdict(self.brake),
            "shadow": self.shadow,
        }


def follow_run(state: StateFolder, out: Path, by: str = "score") -> Followed:
    """Record a run, and do what follows from it without a person.

    Three steps, each a transaction of its own: the run, what it renamed and the brake; what has run out; what
    the policy lets go by itself. Whoever repeats it, after a crash or for no reason, repeats nothing of it.

    Args:
        state: Holds casebook, policy and sinks; the casebook is made where it is missing.
        out: The output of a finished run.
        by: Who takes the steps, for the audit log.

    Raises:
        OutputError: the folder holds no finished run, or cannot tell whom the allow-list protects.
        PolicyError: the policy or the sinks file is off; nothing was recorded.
        CasebookError: the casebook is locked, full or damaged.
    """
    policy, run = read_policy(state.policy), read_run(out)
    with opened_sinks(state) as sinks, Casebook.open(state.casebook) as book:
        let_off = allowed_accounts(policy, [out], book.now)
        with book.writing(by) as writing:
            recorded = record_run(writing, run)
            announced = announce(writing, recorded, sinks)
            trip = check_brake(writing, policy.brake)
        with book.writing(by) as writing:
            expired = expire(writing, sinks)
        with book.writing(by) as writing:
            # The allow-list was looked up in this run, so nothing that another one says may follow from it.
            mine = newest_run(writing.connection) == run.run_id
            if not mine:
                placed = Automatic(halted=_OVERTAKEN)
            elif policy.mode is Mode.LIVE and not sinks:
                placed = Automatic(halted=_NOBODY_TOLD)
            else:
                placed = automatic(writing, policy, sinks, let_off)
    return Followed(recorded, announced, expired, placed, trip, policy.mode is Mode.SHADOW)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What asking for what the policy says would do."""

    rings: tuple[PlannedRing, ...]
    impact: Impact
    mode: Mode
    brake: Trip | None

    def as_json(self) -> dict[str, Any]:
        """Return the dry run as plain JSON values."""
        return {
            "mode": self.mode,
            "brake": None if self.brake is None else self.brake.as_json(),
            "rings": [_ring_json(one) for one in self.rings],
            **self.impact.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Enforced:
    """What came of asking for what the policy says."""

    steps: tuple[Step, ...]
    held: tuple[PlannedRing, ...]
    """Rings on which nothing was ordered, and why."""

    def as_json(self) -> dict[str, Any]:
        """Return what came of it as plain JSON values."""
        held = {one.case.ring_id: one.waits_for for one in self.held}
        return {"orders": [step.as_json() for step in self.steps], "held": held}


def dry_run(state: StateFolder, rings: Sequence[str] = ()) -> DryRun:
    """Return what the policy asks for on rings, or on all that it acts on, and what that would do.

    Raises:
        PolicyError: the policy is off.
        UnknownCaseError: there is no casebook, or no such ring.
        OutputError: the output of a run cannot tell whom the allow-list protects.
    """
    policy = read_policy(state.policy)
    with Casebook.open(state.casebook, make=False) as book, book.reading() as connection:
        outs = outs_of(connection, rings)
        let_off = allowed_accounts(policy, outs.values(), book.now)
        found = planned(connection, policy, rings, let_off, book.now)
        about = under(connection, policy.mode)
        output = {out: RunOutput(out) for out in outs.values()}
        parts = [_part(connection, one, output[outs[one.case.ring_id]], about) for one in found]
        return DryRun(tuple(found), impact(parts), policy.mode, tripped(connection))


def enforce(
    state: StateFolder, rings: Sequence[str], by: str, reason: str, version: int | None = None
) -> Enforced:
    """Order what the policy asks for on rings, or on all that it acts on.

    Args:
        state: Holds casebook, policy and sinks.
        rings: Their ids; none for every ring that the policy acts on.
        by: Who asks.
        reason: Why.
        version: Of the ring as it was read, where one is named; None for whatever it is now.

    Raises:
        PolicyError: the policy or the sinks file is off.
        UnknownCaseError: there is no casebook, or no such ring.
        OutputError: the output of a run cannot tell whom the allow-list protects.
        StaleVersionError: the ring has another version by now, or a run was recorded meanwhile.
        NotAllowedError: there is no reason, or no sink to tell.
    """
    policy = read_policy(state.policy)
    with Casebook.open(state.casebook, make=False) as book, opened_sinks(state) as sinks:
        check_told(policy, sinks)
        with book.reading() as connection:
            outs = outs_of(connection, rings)
        let_off = allowed_accounts(policy, outs.values(), book.now)
        with book.writing(by) as writing:
            check_outs(writing.connection, rings, outs)
            # A run that was only recorded has not been looked at by it.
            check_brake(writing, policy.brake)
            for ring in rings:
                case_at(writing.connection, ring, version)
            asked = ask(writing, policy, rings, let_off, sinks, reason)
            return Enforced(tuple(step_of(writing.connection, one) for one in asked.orders), asked.held)


def check_told(policy: Policy, sinks: Mapping[str, Sink]) -> None:
    """Refuse to order what nobody would be told of: the casebook would call a ring enforced that is not.

    Raises:
        NotAllowedError: the policy is live, and there is no sink.
    """
    if policy.mode is Mode.LIVE and not sinks:
        raise NotAllowedError(_NOBODY_TOLD)


@contextmanager
def opened_sinks(state: StateFolder) -> Iterator[dict[str, Sink]]:
    """Yield the sinks of a state folder, and close them.

    Raises:
        PolicyError: the sinks file is off.
    """
    with ExitStack() as stack:
        sinks = open_sinks(state.sinks)
        for sink in sinks.values():
            stack.callback(sink.close)
        yield sinks


def allowed_accounts(policy: Policy, outs: Iterable[Path], now: datetime) -> dict[str, str]:
    """Return account → who stands for it; organisations and domains as outputs of runs tell them.

    Raises:
        OutputError: an output cannot tell.
    """
    found: dict[tuple[str, str], list[str]] = {}
    outputs = [RunOutput(out) for out in dict.fromkeys(outs)]
    for kind, value in looked_up(policy, now):
        found[kind, value] = [account for output in outputs for account in output.accounts_of(kind, value)]
    return allowed(policy, found, now)


def outs_of(connection: sqlite3.Connection, rings: Sequence[str]) -> dict[str, Path]:
    """Return ring → the output of the run that saw it last: of the rings named, or of all."""
    rows = connection.execute("SELECT ring_id, out FROM rings JOIN runs ON run_id = last_run")
    outs = {row["ring_id"]: Path(row["out"]) for row in rows}
    return {case(connection, ring).ring_id: outs[ring] for ring in rings} if rings else outs


def check_outs(connection: sqlite3.Connection, rings: Sequence[str], outs: Mapping[str, Path]) -> None:
    """Make sure, within a transaction, that the allow-list was looked up in what runs said last.

    Raises:
        StaleVersionError: a run was recorded meanwhile.
    """
    if outs_of(connection, rings) != outs:
        raise StaleVersionError("A run was recorded just now. Look at what it says, then order again.")


def _part(
    connection: sqlite3.Connection, found: PlannedRing, output: RunOutput, about: Mapping[str, Action]
) -> Part:
    ring = ring_at(connection, found.case.ring_id)
    sharing = output.sharing([one.account_id for one in ring.members if one.role is not Role.BYSTANDER])
    everyone = {member.account_id for member in ring.members} | (sharing or frozenset())
    return Part(ring, found.plan, output.used(everyone), sharing, about)


def _ring_json(found: PlannedRing) -> dict[str, Any]:
    return {
        **found.case.as_json(),
        "automatic": found.automatic,
        "waits_for": found.waits_for,
        "orders": [asdict(order) for order in found.plan.orders],
        "left_out": [asdict(left) for left in found.plan.left_out],
    }
