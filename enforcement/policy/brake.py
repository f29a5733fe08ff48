"""The brake: automatic orders stop when a run flags far more, or far less, than runs before it did.

A detector that breaks does so for many accounts at once: a proxy network that starts to share addresses, a
column that comes in empty. No tier of a policy sees that; the share of accounts that are flagged does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.policy.records import BrakeSettings
from ringfence.errors import NotAllowedError


@dataclass(frozen=True, slots=True)
class Trip:
    """The brake, pulled and not released yet."""

    run_id: str
    """The run that pulled it."""
    share: float
    """Of that run's accounts that were flagged, 0..1."""
    median: float
    """Of the runs before it."""
    at: str

    def as_json(self) -> dict[str, Any]:
        """Return the trip as plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"The brake is on since {self.at}: a run flagged {self.share:.2%} of its accounts, where "
            f"{self.median:.2%} was usual. A person releases it: "
            "`ringfence enforce brake --release --reason …`."
        )


@dataclass(frozen=True, slots=True)
class _Run:
    run_id: str
    share: float


def tripped(connection: sqlite3.Connection) -> Trip | None:
    """Return why the brake is on; None where it is off."""
    row = connection.execute(
        "SELECT run_id, share, median, at FROM brake WHERE released_at IS NULL ORDER BY trip_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Trip(**dict(row))


def check_brake(writing: Writing, settings: BrakeSettings) -> Trip | None:
    """Pull the brake where the newest run asks for it; return why it is on, None where it is off.

    A run is judged against the median of the runs before it. Where a person has released the brake since, the
    share that the newest run had then is as good as the median: either the level has changed for good, or a
    spike is over, and neither pulls it again.
    """
    on = tripped(writing.connection)
    if on is not None:
        return on
    runs = _runs(writing.connection, settings.window + 1)
    if len(runs) <= settings.least_runs:
        return None
    newest, before = runs[0], runs[1:]
    usual = median(run.share for run in before)
    levels = [usual, *_accepted(writing.connection, [run.run_id for run in runs])]
    if any(within(newest.share, level, settings.factor) for level in levels):
        return None
    writing.execute(
        "INSERT INTO brake (run_id, share, median, at) VALUES (?, ?, ?, ?)",
        (newest.run_id, newest.share, usual, writing.stamp),
    )
    writing.audit("brake tripped", run_id=newest.run_id, share=newest.share, median=usual)
    return tripped(writing.connection)


def release(writing: Writing, reason: str) -> Trip:
    """Let automatic orders go again; return what had halted them.

    Raises:
        NotAllowedError: there is no reason, or the brake is off.
    """
    on = tripped(writing.connection)
    if on is None:
        raise NotAllowedError("The brake is off; there is nothing to release.")
    if not reason.strip():
        raise NotAllowedError("Releasing the brake needs a reason: what was looked at, and what was found?")
    accepted = _runs(writing.connection, 1)[0].share
    writing.execute(
        "UPDATE brake SET released_at = ?, released_by = ?, reason = ?, accepted = ? "
        "WHERE released_at IS NULL",
        (writing.stamp, writing.by, reason.strip(), accepted),
    )
    writing.audit("brake released", run_id=on.run_id, accepted=accepted, reason=reason.strip())
    return on


def within(share: float, level: float, factor: float) -> bool:
    """Return whether a share is at most so many times above or below a level."""
    return level / factor <= share <= level * factor


def _runs(connection: sqlite3.Connection, count: int) -> list[_Run]:
    """Return the latest runs, the newest first; a run without accounts flagged none."""
    rows = connection.execute(
        "SELECT run_id, CAST(flagged AS REAL) / max(accounts, 1) AS share FROM runs "
        "ORDER BY rowid DESC LIMIT ?",
        (count,),
    )
    return [_Run(row["run_id"], row["share"]) for row in rows]


def _accepted(connection: sqlite3.Connection, run_ids: Sequence[str]) -> list[float]:
    """Return the shares that a person accepted since the oldest of some runs."""
    rows = connection.execute(
        "SELECT accepted FROM brake WHERE accepted IS NOT NULL AND released_at >= "
        "(SELECT recorded_at FROM runs WHERE run_id = ?)",
        (run_ids[-1],),
    )
    return [row["accepted"] for row in rows]
