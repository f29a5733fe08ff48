"""How enforcement stands: what waits, what is stuck, how old everything is. One reading of the casebook."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from ringfence.enforcement.audit.keeping import CheckpointFile
from ringfence.enforcement.casebook.database import Casebook, read_stamp
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.exhibits.records import ExhibitState, RequestState, sealed, unlock_requests
from ringfence.enforcement.exhibits.switch import enabled
from ringfence.enforcement.holds import HoldState, holds
from ringfence.enforcement.orders.records import OrderStatus
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.status import SinkStatus, status
from ringfence.enforcement.policy.brake import Trip, tripped
from ringfence.enforcement.policy.records import BrakeSettings
from ringfence.errors import AuditError
from ringfence.state import StateFolder


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run that the casebook has."""

    run_id: str
    recorded_at: str
    age_seconds: float
    accounts: int
    flagged_share: float
    """Of the run's accounts, 0..1."""
    usual_share: float | None
    """Median of the runs before it; None for the first."""
    drift: float | None
    """Flagged share over the usual one; None where nothing is usual."""
    rejected_share: float | None
    """Of the rows that it read, 0..1; None where the run did not say."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How far scheduled scoring is."""

    scored_until: str | None
    """End of the newest window that is done with; None where none is."""
    lag_seconds: float | None
    unfinished: int
    """Jobs that were begun and are not done with."""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """How long the audit log is, and what of it is signed."""

    entries: int
    unsigned: int
    """Entries that the last checkpoint does not cover."""
    checkpoint_age_seconds: float | None
    """None where there is no checkpoint."""
    problem: str | None
    """Why the checkpoints cannot be read; None where they can."""


@dataclass(frozen=True, slots=True)
class Health:
    """How enforcement stands at one moment."""

    at: str
    cases: dict[str, int]
    """State → rings that have not merged into others; every state is there."""
    awaiting_approval: int
    outbox: tuple[SinkStatus, ...]
    last_run: LastRun | None
    brake: Trip | None
    """Why automatic orders are halted; None where they are not."""
    scoring: Scoring
    audit: AuditLog
    exhibits_enabled: bool
    exhibits: dict[str, int]
    """State → exhibits; every state is there."""
    unlock_requests: int
    """Requests that wait for a custodian."""
    holds: dict[str, int]
    """State → holds; every state is there."""

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return asdict(self)


def health(book: Casebook, state: StateFolder, sinks: Iterable[str] = ()) -> Health:
    """Return how enforcement stands.

    Args:
        book: The casebook.
        state: The folder that it is in.
        sinks: Names of the sinks file: told of even where nothing went there yet.

    Raises:
        CasebookError: the casebook cannot be read.
    """
    with book.reading() as connection:
        now = book.now
        return Health(
            at=now.isoformat(timespec="seconds"),
            cases=_cases(connection),
            awaiting_approval=_count(
                connection, "SELECT count(*) FROM orders WHERE status = ?", OrderStatus.AWAITING
            ),
            outbox=tuple(status(connection, now, Backoff().longest, sinks)),
            last_run=_last_run(connection, now),
            brake=tripped(connection),
            scoring=_scoring(connection, now),
            audit=_audit(connection, state, now),
            exhibits_enabled=enabled(connection),
            exhibits=_counted(ExhibitState, (one.state for one in sealed(connection, now))),
            unlock_requests=sum(one.state(now) is RequestState.OPEN for one in unlock_requests(connection)),
            holds=_counted(HoldState, (one.state(now) for one in holds(connection))),
        )


def _cases(connection: sqlite3.Connection) -> dict[str, int]:
    rows = connection.execute("SELECT state FROM rings WHERE succeeded_by IS NULL")
    return _counted(State, (row["state"] for row in rows))


def _counted(kinds: Iterable[str], found: Iterable[str]) -> dict[str, int]:
    counts = Counter(map(str, found))
    return {str(kind): counts[str(kind)] for kind in kinds}


def _count(connection: sqlite3.Connection, query: str, *values: str) -> int:
    return int(connection.execute(query, values).fetchone()[0])


def _last_run(connection: sqlite3.Connection, now: datetime) -> LastRun | None:
    rows = connection.execute(
        "SELECT run_id, recorded_at, accounts, flagged, manifest FROM runs "
        "ORDER BY recorded_at DESC, rowid DESC LIMIT ?",
        (BrakeSettings().window + 1,),
    ).fetchall()
    if not rows:
        return None
    shares = [row["flagged"] / max(row["accounts"], 1) for row in rows]
    usual = median(shares[1:]) if shares[1:] else None
    counted = json.loads(rows[0]["manifest"]).get("rows")
    return LastRun(
        run_id=rows[0]["run_id"],
        recorded_at=rows[0]["recorded_at"],
        age_seconds=_age(rows[0]["recorded_at"], now),
        accounts=rows[0]["accounts"],
        flagged_share=shares[0],
        usual_share=usual,
        drift=shares[0] / usual if usual else None,
        rejected_share=counted["rejected"] / max(counted["in"], 1) if counted else None,
    )


def _scoring(connection: sqlite3.Connection, now: datetime) -> Scoring:
    until = connection.execute("SELECT max(ends_at) FROM jobs WHERE state = 'followed'").fetchone()[0]
    lag = None if until is None else _age(until, now)
    return Scoring(until, lag, _count(connection, "SELECT count(*) FROM jobs WHERE state <> 'followed'"))


def _audit(connection: sqlite3.Connection, state: StateFolder, now: datetime) -> AuditLog:
    entries = _count(connection, "SELECT count(*) FROM audit")
    try:
        last = CheckpointFile(state.checkpoints).last()
    except AuditError as error:
        return AuditLog(entries, entries, None, str(error))
    if last is None:
        return AuditLog(entries, entries, None, None)
    written = datetime.fromtimestamp(state.checkpoints.stat().st_mtime, UTC)
    age = max(0.0, (now - written).total_seconds())
    return AuditLog(entries, max(0, entries - last.checkpoint.size), age, None)


def _age(text: str, now: datetime) -> float:
    return max(0.0, (now - read_stamp(text)).total_seconds())
