"""Appeals come in, and the rings they are about are scored again as a whole, by what people have said since.

The run that last told of a ring left the graph it saw. That graph is scored once more with the labels of the
casebook in place of its own, and the ring is judged by the rule that every run follows. What was ordered
stands until a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ringfence.config import DecisionSettings, LinkSettings, Settings
from ringfence.enforcement.appeals.files import Refused, Row, read_appeals
from ringfence.enforcement.appeals.intake import Heard, hear
from ringfence.enforcement.appeals.rescoring import (
    RecordedRun,
    Rescored,
    Waiting,
    recorded_run,
    waiting,
    write_rescoring,
)
from ringfence.enforcement.casebook.cases import ring_at
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.reading import read_run
from ringfence.enforcement.labels import Label, labels
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.errors import (
    CasebookError,
    EnforcementError,
    ModelError,
    OutputError,
    RingfenceError,
    StaleVersionError,
)
from ringfence.gnn.rings import judge_again
from ringfence.gnn.scores import AccountScores, score_accounts
from ringfence.progress import Tick, silent
from ringfence.records import Ring
from ringfence.snapshot import Snapshot, read_snapshot


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of an appeals file."""

    heard: tuple[Heard, ...]
    refused: tuple[Refused, ...]
    """Rows that were not taken in; mend them and give the file again: what is known is not taken in twice."""
    rescored: tuple[Rescored, ...]


def take_in(book: Casebook, path: Path, by: str, sinks: Mapping[str, Sink], tick: Tick = silent) -> TakenIn:
    """Take in an appeals file, and score the rings again that its appeals are about.

    Each appeal is a transaction of its own; one that is stopped half way goes on where it was when the same
    file is given again.

    Args:
        book: The casebook.
        path: The file.
        by: Who does it.
        sinks: Name → where events go.
        tick: Told the share that is done.

    Raises:
        InputError: the file cannot be read.
        CasebookError: the casebook cannot be written; what came before is kept.
    """
    heard: list[Heard] = []
    refused: list[Refused] = []
    for row in read_appeals(path):
        if isinstance(row, Refused):
            refused.append(row)
            continue
        try:
            heard.append(_hear(book, row, by, sinks))
        except CasebookError:
            raise
        except EnforcementError as error:
            refused.append(Refused(row.line, str(error)))
    return TakenIn(tuple(heard), tuple(refused), rescore(book, by, tick))


def look(path: Path) -> TakenIn:
    """Read an appeals file and change nothing.

    Raises:
        InputError: the file cannot be read.
    """
    rows = read_appeals(path)
    return TakenIn(
        tuple(Heard(row.appeal.appeal_id, known=False) for row in rows if isinstance(row, Row)),
        tuple(row for row in rows if isinstance(row, Refused)),
        (),
    )


def _hear(book: Casebook, row: Row, by: str, sinks: Mapping[str, Sink]) -> Heard:
    with book.writing(by) as writing:
        return hear(writing, row.appeal, sinks)


def rescore(book: Casebook, by: str, tick: Tick = silent) -> tuple[Rescored, ...]:
    """Score the rings again that wait for it, each run once.

    A ring that somebody changed meanwhile waits on. Where a run's output is gone, or cannot be calibrated,
    that is written down, and the ring stays as it is, for a person to look at.
    """
    with book.reading() as connection:
        left = waiting(connection)
        known = labels(connection)
        runs = [recorded_run(connection, run_id) for run_id in sorted({one.run_id for one in left})]
        rings = {one.ring_id: ring_at(connection, one.ring_id, one.version) for one in left}
    done: list[Rescored] = []
    for place, run in enumerate(runs):
        scored = _scored(run, known, _part(tick, place, len(runs)))
        for one in left:
            if one.run_id == run.run_id:
                done += _write(book, by, one, scored.judge(rings[one.ring_id]), scored.told)
    return tuple(done)


def _part(tick: Tick, place: int, of: int) -> Tick:
    return lambda share: tick((place + share) / of)


def _write(book: Casebook, by: str, one: Waiting, again: Ring | None, told: str) -> list[Rescored]:
    try:
        with book.writing(by) as writing:
            return [write_rescoring(writing, one, again, told)]
    except StaleVersionError:
        return []


@dataclass(frozen=True, slots=True)
class _Scored:
    """What scoring a run again said."""

    told: str
    score: Mapping[str, float] | None = None
    """Account → calibrated score; None where there is none."""
    decisions: DecisionSettings | None = None

    def judge(self, ring: Ring) -> Ring | None:
        if self.score is None or self.decisions is None:
            return None
        return judge_again(ring, self.score, self.decisions)


def _scored(run: RecordedRun, known: list[Label], tick: Tick) -> _Scored:
    try:
        settings = _settings(run)
        accounts, snapshot = _graph(run)
        scores = score_accounts(with_labels(snapshot, accounts, known), settings, tick)
    except RingfenceError as error:
        return _Scored(f"Not scored again: {error}")
    return _said(scores, accounts, settings)


def _said(scores: AccountScores, accounts: list[str], settings: Settings) -> _Scored:
    if not scores.calibrated:
        return _Scored(f"Not scored again: nothing is calibrated. {scores.reason}")
    score = dict(zip(accounts, scores.score.tolist(), strict=True))
    return _Scored(scores.reason, score, settings.decisions)


def _settings(run: RecordedRun) -> Settings:
    """Return the settings that a run had.

    Raises:
        OutputError: its manifest tells none that this version knows.
    """
    try:
        told = dict(run.manifest["settings"])
        links, decisions = LinkSettings(**told.pop("links")), DecisionSettings(**told.pop("decisions"))
        return Settings(**told, links=links, decisions=decisions)
    except (KeyError, TypeError) as error:
        raise OutputError(f"the run tells no settings that this version knows ({error}).") from error


def _graph(run: RecordedRun) -> tuple[list[str], Snapshot]:
    """Return the accounts of a run in the order of its snapshot, and the snapshot.

    Raises:
        OutputError: the folder is gone, or holds another run by now.
        ModelError: the snapshot is damaged.
    """
    if read_run(run.out).run_id != run.run_id:
        raise OutputError(f"{run.out} holds another run by now.")
    try:
        table = pq.read_table(run.out / "accounts.parquet", columns=["account_id"])
    except (OSError, ValueError) as error:
        raise OutputError(f"{run.out} is damaged: accounts.parquet cannot be read.") from error
    accounts: list[str] = table["account_id"].to_pylist()
    snapshot = read_snapshot(run.out / "snapshot.safetensors")
    if snapshot.accounts != len(accounts):
        raise ModelError(f"{run.out} is damaged: its files tell of different numbers of accounts.")
    return accounts, snapshot


def with_labels(snapshot: Snapshot, accounts: list[str], known: list[Label]) -> Snapshot:
    """Return a snapshot with what the casebook knows in place of the labels that its logs brought.

    Labels of the logs stay where the casebook says nothing: they, too, are what people found.

    Args:
        snapshot: The graph of a run.
        accounts: Its accounts, in its order.
        known: The casebook's labels.
    """
    places = {account: place for place, account in enumerate(accounts)}
    fresh = np.array(snapshot.labels)
    for label in known:
        if label.account_id in places:
            fresh[places[label.account_id]] = int(label.is_ring)
    return replace(snapshot, labels=fresh)
