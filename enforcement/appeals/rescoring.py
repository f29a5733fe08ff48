"""Rings that appeals are about, scored again: which ones wait for it, and what comes of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringfence.enforcement.casebook.cases import case_at
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.casebook.record import raised, write_version
from ringfence.records import Decision, Ring


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ring that is to be scored again."""

    ring_id: str
    version: int
    run_id: str
    """The latest run that told of it."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run of the casebook, to go back to."""

    run_id: str
    out: Path
    """Where its output lay."""
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rescored:
    """What came of scoring a ring again."""

    ring_id: str
    run_id: str
    before: float | None
    probability: float | None
    """None where it could not be scored; then nothing is changed."""
    decision: Decision | None
    told: str
    """What scored it, or why nothing could."""

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return asdict(self)


def waiting(connection: sqlite3.Connection) -> list[Waiting]:
    """Return the rings of which an appeal came, or was decided, since they were last scored."""
    rows = connection.execute(
        "SELECT DISTINCT ring_id, version, last_run FROM appeal_rings JOIN rings USING (ring_id) "
        "WHERE rescoring_id IS NULL AND succeeded_by IS NULL ORDER BY last_run, ring_id"
    )
    return [Waiting(row["ring_id"], row["version"], row["last_run"]) for row in rows]


def recorded_run(connection: sqlite3.Connection, run_id: str) -> RecordedRun:
    """Return a run that the casebook knows."""
    row = connection.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    return RecordedRun(row["run_id"], Path(row["out"]), json.loads(row["manifest"]))


def write_rescoring(writing: Writing, one: Waiting, again: Ring | None, told: str) -> Rescored:
    """Write down what came of scoring a ring again; its state and its orders stay for people to decide on.

    Args:
        writing: The transaction.
        one: The ring, as it was when it was scored.
        again: As it is judged now; None where it could not be.
        told: What scored it, or why nothing could.

    Raises:
        StaleVersionError: the ring has changed since; it waits on.
    """
    found = case_at(writing.connection, one.ring_id, one.version)
    version = found.version
    if again is not None:
        version = raised(writing, one.ring_id)
        writing.execute(
            "UPDATE rings SET probability = ?, decision = ? WHERE ring_id = ?",
            (again.probability, again.decision, one.ring_id),
        )
        write_version(writing, one.ring_id, version, one.run_id, again)
    done = Rescored(
        one.ring_id,
        one.run_id,
        found.probability,
        None if again is None else again.probability,
        None if again is None else again.decision,
        told,
    )
    written = writing.execute(
        "INSERT INTO rescorings (ring_id, version, run_id, probability, decision, told, by, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (one.ring_id, version, one.run_id, done.probability, done.decision, told, writing.by, writing.stamp),
    )
    writing.execute(
        "UPDATE appeal_rings SET rescoring_id = ? WHERE ring_id = ? AND rescoring_id IS NULL",
        (written.lastrowid, one.ring_id),
    )
    writing.audit(
        "ring rescored",
        one.ring_id,
        run_id=one.run_id,
        before=found.probability,
        probability=done.probability,
        decision=done.decision,
        told=told,
    )
    return done
