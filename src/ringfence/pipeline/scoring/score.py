"""Scheduled scoring: a window of the logs is scored once, however often and by how many it is asked."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.jobs.job import Job, JobState, followed, plan, scored
from ringfence.enforcement.policy.read import read_policy
from ringfence.errors import InputError, StoreError
from ringfence.files import MANIFEST
from ringfence.pipeline.enforcement.enforce import Followed, follow_run
from ringfence.pipeline.measure import Measure
from ringfence.pipeline.run import NO_STORE, RunRequest, into_store, run
from ringfence.pipeline.scoring.held import Hold, held
from ringfence.pipeline.scoring.plan import Planned, ScoreRequest, plan_score, read_job
from ringfence.pipeline.scoring.publish import settled, sweep
from ringfence.progress import Display, QuietDisplay

BY = "score"
"""Who takes the steps of a job, for the audit log."""

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of a job."""

    job: Job
    out: Path
    """Where the result lies."""
    manifest: dict[str, Any]
    """Of the result."""
    done_already: bool
    """Whether all was done before; then nothing was written."""
    followed: Followed | None
    """What followed; None where all was done before."""
    store_error: StoreError | None = None
    """Why the graph is not in the store; None where it is, or was not wanted."""

    @property
    def rejected_share(self) -> float:
        """Share of the window's rows that were refused, 0..1."""
        rows = self.manifest["rows"]
        return float(rows["rejected"] / rows["in"]) if rows["in"] else 0.0


def score(request: ScoreRequest, display: Display | None = None) -> Scored:
    """Score a window, record the result in the casebook and do what follows, unless that is done.

    A job goes from planned to scored (its result is published) to followed, each step kept before the next
    begins. Whoever repeats it after a crash goes on from there; whoever comes second finds it done.

    Raises:
        InputError: the logs cannot be used, or hold nothing of the window.
        BusyError: another process scores the window, for longer than is to be waited.
        OutputError: the result cannot be written.
        PolicyError: the policy or the sinks file is off.
        CasebookError: the casebook is locked, full or damaged.
    """
    display = display or QuietDisplay()
    read_policy(request.state.policy)  # What is wrong with it is better told before the work than after.
    planned = plan_score(request, display)
    if not planned.done:
        with held(request.state, planned.folder.name, request.wait) as hold:
            sweep(request.state, planned.folder)
            return _Job(request, planned, hold, display).carry_out()
    return _result(request, planned, None, display)


def _result(request: ScoreRequest, planned: Planned, then: Followed | None, display: Display) -> Scored:
    job = read_job(request.state, planned.key.job_id)
    if job is None:
        raise InputError(
            f"The casebook no longer knows job {planned.key.job_id}. Was it replaced? Try again."
        )
    manifest = json.loads((planned.out / MANIFEST).read_text(encoding="utf-8"))
    error = None
    if request.neo4j != NO_STORE:
        load = RunRequest(request.logs, planned.out, neo4j=request.neo4j, disposable=True)
        error = into_store(load, Measure(display))
    return Scored(job, planned.out, manifest, then is None, then, error)


class _Job:
    """A job that this process has in hand."""

    def __init__(self, request: ScoreRequest, planned: Planned, hold: Hold, display: Display) -> None:
        self._request, self._planned, self._hold, self._display = request, planned, hold, display

    def carry_out(self) -> Scored:
        """Take the steps that are left."""
        # Whoever had the window until now may have finished it.
        if self._state() is JobState.FOLLOWED and self._planned.published:
            return _result(self._request, self._planned, None, self._display)
        self._publish()
        self._step(JobState.SCORED)
        then = follow_run(self._request.state, self._planned.out, by=BY)
        self._step(JobState.FOLLOWED)
        return _result(self._request, self._planned, then, self._display)

    def _state(self) -> JobState | None:
        job = read_job(self._request.state, self._planned.key.job_id)
        return None if job is None else job.state

    def _publish(self) -> None:
        """Make the result where it is missing; again where logs of the window have come in meanwhile."""
        for _ in range(_ATTEMPTS):
            self._step(JobState.PLANNED)
            if self._planned.published or self._made():
                return
            self._planned = plan_score(self._request, self._display)
        raise InputError(
            f"Rows of the window kept coming into {self._request.logs} while it was read, {_ATTEMPTS} times. "
            "Score a window that has ended, or a copy of the logs."
        )

    def _made(self) -> bool:
        """Run, and publish the result unless it is of other rows than planned."""
        request, planned = self._request, self._planned
        building = planned.folder / f".{planned.key.job_id}"
        run(
            RunRequest(
                request.logs,
                building,
                request.mapping,
                neo4j=NO_STORE,
                settings=request.settings,
                window=planned.window,
                input_digest=planned.key.input_digest,
                labels=planned.labels,
            ),
            self._display,
        )
        if planned.overtaken(request.logs, request.mapping):
            shutil.rmtree(building)
            return False
        settled(building)
        building.replace(planned.out)
        return True

    def _step(self, to: JobState) -> None:
        with Casebook.open(self._request.state.casebook) as book, book.writing(BY) as writing:
            self._hold.check(writing)
            key = self._planned.key
            if to is JobState.PLANNED:
                plan(writing, key, self._planned.out)
            elif to is JobState.SCORED:
                scored(writing, key.job_id)
            else:
                followed(writing, key.job_id)
