"""Whether a stated probability comes true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ringfence.worlds.score.intervals import Share
from ringfence.worlds.score.matching import Matched

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Statements of about one probability."""

    stated: float
    """Sum of the stated probabilities."""
    true: Share
    """How many came true."""

    @property
    def mean(self) -> float:
        """The mean stated probability; only where there is a statement."""
        return self.stated / self.true.of

    def __add__(self, other: Bin) -> Bin:
        return Bin(self.stated + other.stated, self.true + other.true)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Stated probabilities against what came true, in ten bins of equal width."""

    bins: tuple[Bin, ...]
    squared: float
    """Sum of squared differences between the stated probability and 1 or 0."""

    @property
    def count(self) -> int:
        """How many statements."""
        return sum(b.true.of for b in self.bins)

    @property
    def brier(self) -> float:
        """The Brier score: mean squared difference; 0 is best."""
        return self.squared / self.count

    @property
    def ece(self) -> float:
        """Expected calibration error: mean over statements of |share true - mean stated| of their bin."""
        return sum(abs(b.true.hits - b.stated) for b in self.bins) / self.count

    def __add__(self, other: Reliability) -> Reliability:
        bins = tuple(a + b for a, b in zip(self.bins, other.bins, strict=True))
        return Reliability(bins, self.squared + other.squared)

    def as_json(self) -> dict[str, Any]:
        """Return the bins that hold something, the expected calibration error and the Brier score."""
        bins = [{"stated": b.mean, "true": b.true.as_json()} for b in self.bins if b.true.of]
        return {"count": self.count, "ece": self.ece, "brier": self.brier, "bins": bins}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Reliability of both kinds of statement; each None where nothing of it is stated as a probability."""

    clusters: Reliability | None
    """Probability of a cluster against whether it is right, over all clusters that state one, benign too."""
    accounts: Reliability | None
    """Score of an account against whether it belongs to a ring."""

    def __add__(self, other: Calibration) -> Calibration:
        return Calibration(_sum(self.clusters, other.clusters), _sum(self.accounts, other.accounts))


def reliability(stated: pd.Series[float], true: pd.Series[bool]) -> Reliability | None:
    """Compare probabilities with what came true; None where there is none.

    Args:
        stated: Probabilities in 0..1; shape (n,).
        true: Whether each came true; shape (n,).
    """
    if stated.empty:
        return None
    p, came = stated.to_numpy(float), true.to_numpy(float)
    places = np.minimum((p * BINS).astype(int), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = np.bincount(places, weights=p, minlength=BINS)
    hits = np.bincount(places, weights=came, minlength=BINS)
    bins = (Bin(float(s), Share(int(h), int(n))) for s, h, n in zip(sums, hits, counts, strict=True))
    return Reliability(tuple(bins), float(np.sum((p - came) ** 2)))


def calibration(matched: Matched) -> Calibration | None:
    """Judge the probabilities of an answer; None where no cluster states one: then nothing is calibrated.

    Account scores are judged too where all of them can be probabilities, that is lie in 0..1.
    """
    stated = matched.clusters.dropna(subset=["probability"])
    if stated.empty:
        return None
    scores = matched.accounts["score"]
    told = scores.between(0, 1).all()
    return Calibration(
        reliability(stated["probability"], stated["right"]),
        reliability(scores, matched.accounts["ring"].notna()) if told else None,
    )


def pool_calibrations(one: Calibration | None, other: Calibration | None) -> Calibration | None:
    """Add up; what is not calibrated adds nothing."""
    return one + other if one and other else one or other


def _sum(one: Reliability | None, other: Reliability | None) -> Reliability | None:
    return one + other if one and other else one or other
