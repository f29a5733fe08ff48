"""Runs, casebook, policy and sinks joined: what follows from a run, and what a plan would do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.reading import read_run
from ringfence.enforcement.casebook.record import Recorded, record_run
from ringfence.enforcement.policy.act import (
    Automatic,
    Expired,
    automatic,
    expire,
)
from ringfence.enforcement.policy.allowed import allowed, looked_up
from ringfence.enforcement.policy.brake import Trip, check_brake
from ringfence.enforcement.policy.read import read_policy
from ringfence.enforcement.policy.records import Mode, Policy
from ringfence.enforcement.sinks.open import open_sinks
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.enforcement.supersede import Announced, announce
from ringfence.pipeline.traffic import RunOutput
from ringfence.state import StateFolder


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
            "orders": [order.as_json() for order in self.automatic.orders],
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
        UnknownCaseError: an order that has run out went to a sink that the sinks file no longer has.
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
            placed = automatic(writing, policy, sinks, let_off)
    return Followed(recorded, announced, expired, placed, trip, policy.mode is Mode.SHADOW)


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


def allowed_accounts(policy: Policy, outs: Collection[Path], now: datetime) -> dict[str, str]:
    """Return account → who stands for it; organisations and domains as the outputs of runs tell them.

    Raises:
        OutputError: an output cannot tell.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for kind, value in looked_up(policy, now):
        found[kind, value] = [
            account for out in dict.fromkeys(outs) for account in RunOutput(out).accounts_of(kind, value)
        ]
    return allowed(policy, found, now)
