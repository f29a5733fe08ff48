"""Counts with their intervals: every figure of a scorecard is made of these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Z95 = 1.959963984540054
"""The normal quantile of a two-sided 95% interval."""
Z975 = 2.241402727604947
"""The normal quantile of a two-sided 97.5% interval: two of these hold together in at least 95% of cases."""


def wilson(hits: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion; (0, 1) where nothing was counted.

    It takes the counted things for independent. Accounts of one community are judged together, so where a
    whole group is accused at once the true interval is wider; the counts are given for that reason.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.
    """
    if of == 0:
        return 0.0, 1.0
    share, spread = hits / of, z * z / of
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return (0.0 if hits == 0 else max(0.0, centre - half)), (1.0 if hits == of else min(1.0, centre + half))


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with Wilson's 95% interval."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The proportion; NaN where nothing was counted."""
        return self.hits / self.of if self.of else math.nan

    @property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return wilson(self.hits, self.of)[0]

    @property
    def high(self) -> float:
        """The upper end of the 95% interval."""
        return wilson(self.hits, self.of)[1]

    def __add__(self, other: Share) -> Share:
        return Share(self.hits + other.hits, self.of + other.of)

    def as_json(self) -> dict[str, Any]:
        """Return the counts, the proportion and its interval."""
        value = self.hits / self.of if self.of else None
        return {"hits": self.hits, "of": self.of, "share": value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Rates:
    """Precision and recall, and their harmonic mean."""

    precision: Share
    """Right among those named."""
    recall: Share
    """Found among those planted."""

    @property
    def f1(self) -> float:
        """F1; 0 where nothing was named or nothing found, NaN where nothing was planted."""
        return harmonic(self.precision.value, self.recall.value) if self.recall.of else math.nan

    @property
    def f1_low(self) -> float:
        """Lower end of an interval that holds F1 in at least 95% of cases, from both 97.5% lower ends."""
        return harmonic(_wider(self.precision)[0], _wider(self.recall)[0])

    @property
    def f1_high(self) -> float:
        """Upper end of that interval."""
        return harmonic(_wider(self.precision)[1], _wider(self.recall)[1])

    def __add__(self, other: Rates) -> Rates:
        return Rates(self.precision + other.precision, self.recall + other.recall)

    def as_json(self) -> dict[str, Any]:
        """Return precision, recall and F1 with their intervals."""
        f1 = None if math.isnan(self.f1) else self.f1
        return {
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "f1": {"value": f1, "low": self.f1_low, "high": self.f1_high},
        }


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with an interval from resampling."""

    value: float
    """NaN where it is not defined."""
    replicates: tuple[float, ...] = field(repr=False)
    """The same figure on each resample; NaN where it is not defined there."""

    @property
    def low(self) -> float:
        """The 2.5th percentile of the replicates."""
        return _percentile(self.replicates, 2.5)

    @property
    def high(self) -> float:
        """The 97.5th percentile of the replicates."""
        return _percentile(self.replicates, 97.5)

    def as_json(self) -> dict[str, Any]:
        """Return the figure and its interval; None for what is not defined."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if math.isnan(end) else end for name, end in ends.items()}


def pool_estimates(estimates: Sequence[Estimate], seed: int = 0) -> Estimate:
    """Return the mean of a figure over worlds, each counting the same.

    Scores of different runs have no common scale, so they are not ranked together. The interval comes from
    resampling worlds first and one replicate of each chosen world then. Worlds in which the figure is not
    defined (no ring planted) are left out.
    """
    told = [e for e in estimates if not math.isnan(e.value)]
    if len(told) <= 1:
        return told[0] if told else Estimate(math.nan, ())
    size = min(len(e.replicates) for e in told)
    table = np.array([e.replicates[:size] for e in told])
    rng = np.random.default_rng(seed)
    worlds = rng.integers(0, len(told), (size, len(told)))
    draws = rng.integers(0, size, (size, len(told)))
    means = table[worlds, draws].mean(axis=1)
    return Estimate(float(np.mean([e.value for e in told])), tuple(float(mean) for mean in means))


def harmonic(a: float, b: float) -> float:
    """Return the harmonic mean; 0 where either is 0 or not defined."""
    return 2 * a * b / (a + b) if a > 0 and b > 0 else 0.0


def _wider(share: Share) -> tuple[float, float]:
    return wilson(share.hits, share.of, Z975)


def _percentile(values: Sequence[float], percent: float) -> float:
    kept = [value for value in values if not math.isnan(value)]
    return float(np.percentile(kept, percent)) if kept else math.nan
