"""The scorecard of an answer: every figure that a promise is held to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import reduce
from operator import add
from typing import Any

import pandas as pd

from ringfence.errors import InputError
from ringfence.worlds.score.calibration import Calibration, calibration, pool_calibrations
from ringfence.worlds.score.findings import Findings
from ringfence.worlds.score.innocents import (
    Accused,
    Bystanders,
    Fairness,
    accused,
    accused_by,
    bystanders,
    merged,
    shared,
)
from ringfence.worlds.score.intervals import Rates
from ringfence.worlds.score.matching import match
from ringfence.worlds.score.outcomes import Outcome, judge_each
from ringfence.worlds.score.ranking import Ranking, pool_rankings, rank
from ringfence.worlds.score.rings import Rings, judge_rings
from ringfence.worlds.score.truth import Truth

ATTRIBUTES = ("country", "language")


@dataclass(frozen=True, slots=True)
class AccountScores:
    """How well single accounts are judged."""

    ring: Rates
    """Of accounts named by reported clusters. Intervals take accounts for independent (see ``wilson``)."""
    review: Rates
    """Of accounts named by flagged clusters."""
    ranking: Ranking
    """Of the account score."""
    unlabelled: Ranking
    """The same over the accounts that no reviewer has labelled, as ring or as benign: nothing is repeated."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """An answer held against the truth."""

    detector: str
    worlds: tuple[str, ...]
    """The worlds it was asked about."""
    accounts: AccountScores
    rings: Rings
    innocents: Accused
    """All innocents together."""
    populations: tuple[Accused, ...]
    """Innocents by population."""
    bystanders: Bystanders
    calibration: Calibration | None
    """None where the detector states no probability."""
    fairness: tuple[Fairness, ...]
    """By country and by language."""
    outcomes: tuple[Outcome, ...]
    """Each planted ring."""

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values; what is not defined is None.

        ``claims`` says what the intervals show, ``large_enough`` which samples could show it at all.
        """
        plain: dict[str, Any] = _plain(self)
        plain["claims"] = {
            "false_positives_0.1%": self.innocents.claimed,
            "ring_precision_0.99": self.rings.claimed,
        }
        plain["large_enough"] = {
            "false_positives_0.1%": not self.innocents.too_small,
            "ring_precision_0.99": not self.rings.too_few_reported,
        }
        return plain


def score(findings: Findings, truth: Truth, seed: int = 0) -> Scorecard:
    """Hold an answer against the truth.

    Args:
        findings: The answer, about every account of the world.
        truth: What was planted; a world without rings is scored for its innocents.
        seed: Of the resampling that gives the intervals of the ranking.

    Raises:
        InputError: the answer is not one about every account of this world.
    """
    matched = match(findings, truth)
    accounts = matched.accounts
    innocent = accounts[accounts["ring"].isna()]
    return Scorecard(
        detector=findings.detector,
        worlds=(truth.world,),
        accounts=_account_scores(accounts, seed),
        rings=judge_rings(matched),
        innocents=accused("all innocents", innocent),
        populations=accused_by(accounts, "population"),
        bystanders=bystanders(accounts),
        calibration=calibration(matched),
        fairness=tuple(Fairness(name, accused_by(accounts, name)) for name in ATTRIBUTES),
        outcomes=judge_each(matched, truth.world),
    )


def pool(scorecards: Sequence[Scorecard], seed: int = 0) -> Scorecard:
    """Put one detector's scorecards over several worlds together.

    Counts are added up and their intervals made anew, so that a large world weighs more; rankings are
    averaged (see ``pool_estimates``), so that each world weighs the same.

    Args:
        scorecards: At least one, all of one detector.
        seed: Of the resampling.

    Raises:
        InputError: there is none, or they are of several detectors.
    """
    names = sorted({card.detector for card in scorecards})
    if len(names) != 1:
        raise InputError(
            f"Scorecards of one detector can be pooled; these are of {', '.join(names) or 'none'}."
        )
    return Scorecard(
        detector=names[0],
        worlds=tuple(world for card in scorecards for world in card.worlds),
        accounts=AccountScores(
            reduce(add, (card.accounts.ring for card in scorecards)),
            reduce(add, (card.accounts.review for card in scorecards)),
            pool_rankings([card.accounts.ranking for card in scorecards], seed),
            pool_rankings([card.accounts.unlabelled for card in scorecards], seed),
        ),
        rings=reduce(add, (card.rings for card in scorecards)),
        innocents=reduce(add, (card.innocents for card in scorecards)),
        populations=merged([group for card in scorecards for group in card.populations]),
        bystanders=reduce(add, (card.bystanders for card in scorecards)),
        calibration=reduce(pool_calibrations, (card.calibration for card in scorecards)),
        fairness=tuple(reduce(add, same) for same in zip(*(c.fairness for c in scorecards), strict=True)),
        outcomes=tuple(outcome for card in scorecards for outcome in card.outcomes),
    )


def _account_scores(accounts: pd.DataFrame, seed: int) -> AccountScores:
    ranking = rank(accounts, seed)
    unlabelled = accounts["label"].isna()
    return AccountScores(
        _account_rates(accounts, "ring"),
        _account_rates(accounts, "review"),
        ranking,
        ranking if unlabelled.all() else rank(accounts[unlabelled], seed),
    )


def _account_rates(accounts: pd.DataFrame, level: str) -> Rates:
    guilty, named = accounts["ring"].notna(), accounts[f"named_{level}"]
    return Rates(shared(guilty[named]), shared(named[guilty]))


def _plain(value: Any) -> Any:
    """Return a value as JSON values; a dataclass that has words of its own uses them."""
    if is_dataclass(value) and not isinstance(value, type):
        if hasattr(value, "as_json") and not isinstance(value, Scorecard):
            return value.as_json()
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
