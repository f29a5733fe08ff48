"""Scoring jobs as the casebook knows them: each moves from planned to scored to followed, and never back."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from ringfence.enforcement.casebook.database import Writing, stamp
from ringfence.files import digest_json


class JobState(StrEnum):
    """How far a job is."""

    PLANNED = "planned"
    SCORED = "scored"
    """Its result is published."""
    FOLLOWED = "followed"
    """The casebook has the result and all that follows from it."""


@dataclass(frozen=True, slots=True)
class JobKey:
    """What makes a job the same job."""

    start: datetime
    end: datetime
    input_digest: str
    model_digest: str

    @property
    def job_id(self) -> str:
        """The job's name: the same for the same key."""
        return digest_json([stamp(self.start), stamp(self.end), self.input_digest, self.model_digest])[:32]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the casebook."""

    job_id: str
    starts_at: str
    ends_at: str
    input_digest: str
    model_digest: str
    state: JobState
    out: str
    planned_at: str
    scored_at: str | None
    followed_at: str | None
    superseded_by: str | None
    """A later job on the same window, whose result holds instead."""

    def as_json(self) -> dict[str, Any]:
        """Return the job as plain JSON values."""
        return asdict(self)


def job(connection: sqlite3.Connection, job_id: str) -> Job | None:
    """Return a job, None where there is none of that id."""
    row = connection.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return None if row is None else _job(row)


def jobs(connection: sqlite3.Connection, most: int | None = None) -> list[Job]:
    """Return jobs, those on the latest windows first, and of one window the latest first."""
    rows = connection.execute(
        "SELECT * FROM jobs ORDER BY ends_at DESC, starts_at DESC, planned_at DESC, job_id LIMIT ?",
        (-1 if most is None else most,),
    )
    return [_job(row) for row in rows]


def plan(writing: Writing, key: JobKey, out: Path) -> Job:
    """Return the job of a key; it is added where there is none yet."""
    found = job(writing.connection, key.job_id)
    if found is not None:
        return found
    writing.execute(
        "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
        (
            key.job_id,
            stamp(key.start),
            stamp(key.end),
            key.input_digest,
            key.model_digest,
            JobState.PLANNED,
            str(out),
            writing.stamp,
        ),
    )
    _note(writing, "job planned", key.job_id)
    return _there(writing, key.job_id)


def scored(writing: Writing, job_id: str) -> Job:
    """Note that the result of a job is published; nothing changes where that is known."""
    changed = writing.execute(
        "UPDATE jobs SET state = 'scored', scored_at = ? WHERE job_id = ? AND state = 'planned'",
        (writing.stamp, job_id),
    )
    if changed.rowcount:
        _note(writing, "job scored", job_id)
    return _there(writing, job_id)


def followed(writing: Writing, job_id: str) -> Job:
    """Note that all which follows from a job is done: it supersedes the earlier ones on the same window."""
    changed = writing.execute(
        "UPDATE jobs SET state = 'followed', followed_at = ?, superseded_by = NULL "
        "WHERE job_id = ? AND state = 'scored'",
        (writing.stamp, job_id),
    )
    if changed.rowcount:
        superseded = writing.execute(
            "UPDATE jobs SET superseded_by = :job_id WHERE superseded_by IS NULL AND job_id <> :job_id "
            "AND (starts_at, ends_at) = (SELECT starts_at, ends_at FROM jobs WHERE job_id = :job_id)",
            {"job_id": job_id},
        )
        _note(writing, "job followed", job_id, supersedes=superseded.rowcount)
    return _there(writing, job_id)


def _note(writing: Writing, what: str, job_id: str, supersedes: int = 0) -> None:
    found = _there(writing, job_id)
    writing.audit(
        what,
        job_id=job_id,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        input_digest=found.input_digest,
        supersedes=supersedes,
    )


def _there(writing: Writing, job_id: str) -> Job:
    row = writing.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return _job(row)


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "state": JobState(row["state"])})
