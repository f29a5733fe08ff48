"""What happened to the innocents: false accusations by population, country and language, and in networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ringfence.records import Role
from ringfence.worlds.score.intervals import Share

ENOUGH_INNOCENTS = 4000
"""With none accused of 4,000, the 95% interval ends just below 0.1% (of 3,838, at it)."""
CLAIMED_RATE = 0.001
"""The false-positive rate that is claimed where the interval ends no higher."""
ENOUGH_TO_COMPARE = 100
"""Groups with fewer innocents have no say in the largest gap: there one account is a percentage point."""
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Accused:
    """How many innocents of a group were named. A false-positive rate with its interval."""

    name: str
    ring: Share
    """By a cluster decided ``ring``."""
    review: Share
    """By a cluster decided ``ring`` or ``review``."""

    @property
    def too_small(self) -> bool:
        """Whether the sample is too small for a claim of 0.1%, however few are accused."""
        return self.ring.of < ENOUGH_INNOCENTS

    @property
    def claimed(self) -> bool:
        """Whether a rate of 0.1% at most is shown: the 95% interval ends there or below."""
        return self.ring.high <= CLAIMED_RATE

    def __add__(self, other: Accused) -> Accused:
        return Accused(self.name, self.ring + other.ring, self.review + other.review)

    def as_json(self) -> dict[str, Any]:
        """Return both rates and whether the sample is too small."""
        return {
            "name": self.name,
            "ring": self.ring.as_json(),
            "review": self.review.as_json(),
            "too_small_for_0.1%": self.too_small,
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest difference in false-positive rates between two groups."""

    highest: str
    lowest: str
    difference: float
    apart: bool
    """Whether their 95% intervals do not overlap. Among many groups some pair will be, by chance."""


@dataclass(frozen=True, slots=True)
class Fairness:
    """False-positive rates over the values of one attribute."""

    attribute: str
    """country or language."""
    groups: tuple[Accused, ...]

    def gap(self, level: str) -> Gap | None:
        """Return the largest gap among groups of at least 100 innocents; None where fewer than two are.

        Args:
            level: ring or review.
        """
        rates = [(g.name, share) for g in self.groups if (share := _at(g, level)).of >= ENOUGH_TO_COMPARE]
        if len(rates) < 2:
            return None
        high = max(rates, key=lambda rate: rate[1].value)
        low = min(rates, key=lambda rate: (rate[1].value, -rate[1].of))
        return Gap(high[0], low[0], high[1].value - low[1].value, high[1].low > low[1].high)

    def __add__(self, other: Fairness) -> Fairness:
        return Fairness(self.attribute, merged((*self.groups, *other.groups)))

    def as_json(self) -> dict[str, Any]:
        """Return the groups and the largest gap at each level."""
        gaps = {level: self.gap(level) for level in ("ring", "review")}
        return {
            "attribute": self.attribute,
            "groups": [group.as_json() for group in self.groups],
            "largest_gap": {
                level: gap
                and {
                    "highest": gap.highest,
                    "lowest": gap.lowest,
                    "difference": gap.difference,
                    "intervals_apart": gap.apart,
                }
                for level, gap in gaps.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Bystanders:
    """Whether bystanders are told from ring accounts inside blended networks.

    A blended network is one that ring accounts go through.
    """

    spared_ring: Share
    """Innocents of blended networks not named at level ``ring``; planted bystanders whose network is not told
    are taken for such."""
    spared_review: Share
    """The same at level ``review``."""
    named_ring: Share
    """Ring accounts of blended networks named at level ``ring``."""
    named_review: Share
    """The same at level ``review``."""

    def __add__(self, other: Bystanders) -> Bystanders:
        return Bystanders(
            self.spared_ring + other.spared_ring,
            self.spared_review + other.spared_review,
            self.named_ring + other.named_ring,
            self.named_review + other.named_review,
        )


def accused_by(accounts: pd.DataFrame, column: str) -> tuple[Accused, ...]:
    """Return the false-positive rates of innocents by a column, in the order of names; null is ``unknown``.

    Args:
        accounts: ring, named_ring, named_review and the column; a row an account.
        column: What to group by.
    """
    innocent = accounts[accounts["ring"].isna()]
    names = innocent[column].astype("str").where(innocent[column].notna(), UNKNOWN)
    return tuple(accused(str(name), part) for name, part in innocent.groupby(names, sort=True))


def accused(name: str, innocent: pd.DataFrame) -> Accused:
    """Return the false-positive rates of some innocents.

    Args:
        name: What to call them.
        innocent: named_ring, named_review (bool).
    """
    return Accused(name, shared(innocent["named_ring"]), shared(innocent["named_review"]))


def bystanders(accounts: pd.DataFrame) -> Bystanders:
    """Return who was spared and who was named inside blended networks.

    Args:
        accounts: ring, role, network, named_ring, named_review; a row an account.
    """
    guilty = accounts["ring"].notna()
    networks = accounts.loc[guilty, "network"].dropna().unique()
    blended = accounts["network"].isin(networks) & accounts["network"].notna()
    untold = accounts["network"].isna() & accounts["role"].eq(Role.BYSTANDER.value)
    innocent = accounts[~guilty & (blended | untold)]
    rings = accounts[guilty & blended]
    return Bystanders(
        shared(~innocent["named_ring"]),
        shared(~innocent["named_review"]),
        shared(rings["named_ring"]),
        shared(rings["named_review"]),
    )


def merged(groups: Sequence[Accused]) -> tuple[Accused, ...]:
    """Add up groups of one name, in the order of names."""
    total: dict[str, Accused] = {}
    for group in groups:
        total[group.name] = total[group.name] + group if group.name in total else group
    return tuple(total[name] for name in sorted(total))


def shared(flags: pd.Series[bool]) -> Share:
    """Return how many of the flags are set."""
    return Share(int(flags.sum()), len(flags))


def _at(group: Accused, level: str) -> Share:
    return group.ring if level == "ring" else group.review
