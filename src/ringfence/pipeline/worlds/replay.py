"""Time to detection: a world's log run again and again, as its provider would have while it was written."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ringfence.config import Settings
from ringfence.engine import connect
from ringfence.errors import InputError, UsageError
from ringfence.files import check_apart
from ringfence.pipeline.asof import active_accounts, cut_times, logged_span, write_as_known
from ringfence.pipeline.run import NO_STORE, RunRequest, run
from ringfence.pipeline.worlds.spent import distilling_by_cut, first_requests
from ringfence.progress import Tick, silent
from ringfence.worlds.baselines.tables import Tables, open_tables
from ringfence.worlds.score.findings import read_findings
from ringfence.worlds.score.matching import LEVELS, match
from ringfence.worlds.score.timeline import COLUMNS, REPLACEMENT_COLUMNS, Detection
from ringfence.worlds.score.truth import Truth, read_truth

LEAST_HOURS = 1.0


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment of a replay, and what a run on the log until then says. Rings and accounts are the truth's."""

    when: datetime
    """UTC, without a zone; rows from then on are not known."""
    accounts: int
    """How many the run knows."""
    rings: int
    """How many have been seen: an account of theirs has done something."""
    found: Mapping[str, frozenset[str]]
    """Level → rings that are found."""
    accused: int
    """Innocents whom a cluster decided ``ring`` names."""
    under_review: int
    """Further innocents whom a flagged cluster names."""
    flagged: frozenset[str]
    """Accounts whom a flagged cluster names."""

    def as_json(self) -> dict[str, Any]:
        """Return the moment and its counts."""
        return {
            "when": self.when.isoformat(timespec="seconds") + "Z",
            "accounts": self.accounts,
            "rings_seen": self.rings,
            **{f"found_{level}": len(self.found[level]) for level in LEVELS},
            "innocents_accused": self.accused,
            "innocents_under_review": self.under_review,
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """When each planted ring was found, and each banned account's replacement."""

    every_hours: float
    cuts: tuple[Cut, ...]
    detection: Detection
    replacements: pd.DataFrame
    """account_id, replaces, ring, first_request, hours (from then until a flagged cluster names it; NaN where
    none does). A row for each ring account that replaces a banned one and sends anything."""

    def as_json(self) -> dict[str, Any]:
        """Return the replay as plain JSON values; None where something never happens."""
        return {
            "every_hours": self.every_hours,
            "cuts": [cut.as_json() for cut in self.cuts],
            "detection": self.detection.as_json(),
            "replacements": self.detection.replaced().as_json(),
        }


def replay(
    world: Path,
    every_hours: float,
    settings: Settings | None = None,
    scratch: Path | None = None,
    tick: Tick = silent,
) -> Replay:
    """Run the pipeline on a world's log as it was every so many hours, and note when each ring is found.

    A run sees what was known at its moment (see :func:`write_as_known`) and starts from nothing. A ring is
    found when :func:`match` says so of those of its accounts that have done something by then; a later run
    may lose it again. The time that a run takes is not added.

    Args:
        world: Folder with ``input`` and ``truth``.
        every_hours: Time between runs, at least an hour; the last run sees the whole log.
        settings: Of every run.
        scratch: Where copies of the log go, prompts included as in ``input``; the platform's place for what
            is temporary where None. Nothing is left there.
        tick: Told how much is done.

    Raises:
        UsageError: the runs are to follow each other too fast.
        InputError: the world's input or truth cannot be used.
        OutputError: the scratch folder and the world lie in each other.
    """
    if not every_hours >= LEAST_HOURS:
        raise UsageError(f"A run every {every_hours:g} hours is asked for; an hour apart is the least.")
    if scratch is not None:
        check_apart(scratch, world / "input", world / "truth")
        scratch.mkdir(parents=True, exist_ok=True)
    truth = read_truth(world)
    if truth.rings.empty:
        raise InputError(f"{world} has no planted ring, so there is none to wait for.")
    engine = connect(None)
    tables = open_tables(world / "input", engine)
    start, end = logged_span(engine, tables)
    times = cut_times(start, end, every_hours)
    spent = distilling_by_cut(engine, tables, truth, start, times)
    cuts = []
    with tempfile.TemporaryDirectory(prefix=".replay-", dir=scratch) as place:
        for number, when in enumerate(times, start=1):
            cuts.append(_look(engine, tables, truth, when, settings or Settings(), Path(place) / str(number)))
            tick(number / len(times))
    first = first_requests(engine, tables, truth)
    replacements = replacement_frame(first.replacements, cuts)
    found = Detection(
        detection_frame(first.rings, cuts, spent), replacements.loc[:, list(REPLACEMENT_COLUMNS)]
    )
    return Replay(every_hours, tuple(cuts), found, replacements)


def _look(engine: Any, tables: Tables, truth: Truth, when: datetime, settings: Settings, folder: Path) -> Cut:
    """Run on the log until a moment; ``folder`` is made and removed."""
    write_as_known(engine, tables, when, folder / "input")
    run(RunRequest(folder / "input", folder / "out", neo4j=NO_STORE, settings=settings))
    cut = judge(folder / "out", truth, active_accounts(engine, tables, when), when)
    shutil.rmtree(folder)
    return cut


def judge(out: Path, truth: Truth, active: frozenset[str], when: datetime) -> Cut:
    """Hold a run on a log until a moment against what was true by then.

    Args:
        out: The run's output folder.
        truth: The whole world's; a ring is planted in it.
        active: Accounts that have done something before the moment.
        when: The moment.
    """
    known = pd.read_parquet(out / "accounts.parquet", columns=["account_id"])["account_id"]
    planted = truth.accounts.loc[truth.accounts["account_id"].isin(active), "ring"].value_counts()
    by_then = replace(
        truth.only(set(known)),
        rings=truth.rings.assign(accounts=truth.rings["ring"].map(planted).fillna(0).astype("int64")),
    )
    matched = match(read_findings(out, by_then), by_then)
    seen = matched.rings[matched.rings["accounts"] > 0]
    innocent = matched.accounts[matched.accounts["ring"].isna()]
    accused = int(innocent["named_ring"].sum())
    return Cut(
        when=when,
        accounts=len(matched.accounts),
        rings=len(seen),
        found={level: frozenset(seen.loc[seen[f"found_{level}"], "ring"]) for level in LEVELS},
        accused=accused,
        under_review=int(innocent["named_review"].sum()) - accused,
        flagged=frozenset(matched.accounts.loc[matched.accounts["named_review"], "account_id"]),
    )


def detection_frame(
    rings: pd.DataFrame, cuts: Sequence[Cut], spent: Mapping[str, Sequence[int]]
) -> pd.DataFrame:
    """Return when each ring was first found: the columns of :class:`Detection`.

    Args:
        rings: ring, ring_type, first_request (UTC, without a zone).
        cuts: In the order of time.
        spent: Ring → distilling requests before each cut; the last one has seen them all. A ring that sent
            none has spent none.
    """
    rows = []
    for ring in rings.to_dict("records"):
        row = {"ring": ring["ring"], "ring_type": ring["ring_type"]}
        for level in LEVELS:
            place = _first(ring["ring"] in cut.found[level] for cut in cuts)
            row[f"share_at_{level}"] = math.nan if place is None else _share(spent, ring["ring"], place)
            row[f"hours_at_{level}"] = _hours(ring["first_request"], cuts, place)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def replacement_frame(replacements: pd.DataFrame, cuts: Sequence[Cut]) -> pd.DataFrame:
    """Return ``replacements`` with the hours from each account's first request until it is flagged.

    Args:
        replacements: account_id, first_request (UTC, without a zone), further columns.
        cuts: In the order of time.
    """
    hours = [
        _hours(first, cuts, _first(account in cut.flagged for cut in cuts))
        for account, first in zip(replacements["account_id"], replacements["first_request"], strict=True)
    ]
    return replacements.assign(hours=pd.Series(hours, index=replacements.index, dtype=float))


def _first(flags: Iterable[bool]) -> int | None:
    return next((place for place, flag in enumerate(flags) if flag), None)


def _hours(since: datetime, cuts: Sequence[Cut], place: int | None) -> float:
    return math.nan if place is None else (cuts[place].when - since).total_seconds() / 3600


def _share(spent: Mapping[str, Sequence[int]], ring: str, place: int) -> float:
    return spent[ring][place] / spent[ring][-1] if ring in spent else 0.0
