"""What there is to score: the rows of a window, what people decided before its end, and the job they make."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import ringfence
from ringfence.config import Settings
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.jobs.job import Job, JobKey, JobState, job
from ringfence.enforcement.labels import Label, labels
from ringfence.errors import InputError
from ringfence.files import MANIFEST, check_apart, digest_json
from ringfence.loaders.discover import Discovery, discover
from ringfence.loaders.mapping import read_mapping
from ringfence.loaders.row_digest import digest_window
from ringfence.loaders.window import Window
from ringfence.pipeline.run import NO_STORE
from ringfence.pipeline.scoring.window import folder_name, window_until
from ringfence.progress import Display, QuietDisplay
from ringfence.schema import ACTIVITY_TABLES
from ringfence.state import StateFolder

Stamps = dict[Path, tuple[int, int]]
"""File → size and time of the last change."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """What is to be scored."""

    logs: Path
    state: StateFolder
    span: timedelta
    until: datetime
    """End of the window, UTC; not in it."""
    mapping: Path | None = None
    neo4j: str = NO_STORE
    settings: Settings = field(default_factory=Settings)
    wait: float = 0.0
    """Seconds to wait for another process that scores the same window."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A job that is to be done, or has been."""

    window: Window
    key: JobKey
    rows: dict[str, int]
    """Canonical table → rows of the window that would be loaded, doubles included."""
    labels: tuple[Label, ...]
    """What people had decided before the window ended."""
    folder: Path
    """Of the window; every result on it is a folder within."""
    stamps: Stamps
    """The files as they were when they were looked at."""
    job: Job | None
    """As the casebook knows it."""

    @property
    def out(self) -> Path:
        """Where the result is published."""
        return self.folder / self.key.job_id

    @property
    def published(self) -> bool:
        """Whether the result lies there; it does so as a whole or not at all."""
        return (self.out / MANIFEST).is_file()

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.job is not None and self.job.state is JobState.FOLLOWED and self.published

    def overtaken(self, logs: Path, mapping: Path | None) -> bool:
        """Return whether the files hold other rows of the window by now; they are read if they changed."""
        found = _discovered(logs, mapping)
        if _stamps(found) == self.stamps:
            return False
        return digest_window(found, self.window).digest != self.key.input_digest


def plan_score(request: ScoreRequest, display: Display | None = None) -> Planned:
    """Look at the logs and the casebook, and say which job they make. Nothing is written.

    Raises:
        InputError: the logs cannot be used, or hold nothing of the window.
        OutputError: logs and state folder lie in each other.
        CasebookError: the casebook cannot be read.
    """
    found = _discovered(request.logs, request.mapping)
    check_apart(request.state.scores, request.logs)
    stamps = _stamps(found)
    window = window_until(request.until, request.span)
    with (display or QuietDisplay()).stage("Look for rows of the window") as tick:
        content = digest_window(found, window, tick)
    if not any(content.rows.get(table) for table in ACTIVITY_TABLES):
        raise InputError(
            f"{request.logs} holds no request, payment or login from {window.start.isoformat()} until "
            f"{window.end.isoformat()}. Are the logs late? Name another moment with --as-of."
        )
    decided = _labels(request.state, window.end)
    model = digest_json(
        [ringfence.__version__, asdict(request.settings), [label.as_json() for label in decided]]
    )
    key = JobKey(window.start, window.end, content.digest, model)
    return Planned(
        window,
        key,
        content.rows,
        decided,
        request.state.scores / folder_name(window),
        stamps,
        read_job(request.state, key.job_id),
    )


def read_job(state: StateFolder, job_id: str) -> Job | None:
    """Return a job of the casebook; None where either is not there."""
    if not state.casebook.is_file():
        return None
    with Casebook.open(state.casebook, make=False) as book, book.reading() as connection:
        return job(connection, job_id)


def _labels(state: StateFolder, before: datetime) -> tuple[Label, ...]:
    if not state.casebook.is_file():
        return ()
    with Casebook.open(state.casebook, make=False) as book, book.reading() as connection:
        return tuple(labels(connection, before))


def _discovered(logs: Path, mapping: Path | None) -> Discovery:
    return discover(logs, read_mapping(mapping) if mapping else ())


def _stamps(found: Discovery) -> Stamps:
    stats = {source.path: source.path.stat() for source in found.sources}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}
