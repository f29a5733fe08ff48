"""How well clusters stand for rings."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ringfence.worlds.score.frames import looked_up
from ringfence.worlds.score.innocents import shared
from ringfence.worlds.score.intervals import Rates, Share, harmonic
from ringfence.worlds.score.matching import LEVELS, Matched

ENOUGH_REPORTED = 381
"""With fewer reported rings, a precision of 0.99 cannot be claimed, even where all are right: the 95%
interval of 300 out of 300 begins at 0.987."""
CLAIMED_PRECISION = 0.99
"""The precision that is claimed where the interval begins no lower."""
_BANDS = {1: "under 10", 10: "10–49", 50: "50–199", 200: "200–999", 1000: "1,000 and more"}


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of some planted rings were found."""

    name: str
    ring: Share
    review: Share

    def __add__(self, other: Recall) -> Recall:
        return Recall(self.name, self.ring + other.ring, self.review + other.review)


@dataclass(frozen=True, slots=True)
class BCubed:
    """B-cubed over ring accounts, as sums so that worlds can be added up.

    For each ring account: precision is the share of the ring accounts in its cluster that are of its ring
    (itself included), recall the share of its ring's accounts that are in its cluster. An account in no
    cluster is alone in one. Innocents in a cluster do not count here; false accusations are told apart.

    Source: A. Bagga and B. Baldwin, Algorithms for scoring coreference chains, LREC 1998.
    """

    precision_sum: float
    recall_sum: float
    accounts: int

    @property
    def precision(self) -> float:
        """Mean over ring accounts; NaN where there are none."""
        return self.precision_sum / self.accounts if self.accounts else math.nan

    @property
    def recall(self) -> float:
        """Mean over ring accounts; NaN where there are none."""
        return self.recall_sum / self.accounts if self.accounts else math.nan

    @property
    def f1(self) -> float:
        """Their harmonic mean; NaN where there are no ring accounts."""
        return harmonic(self.precision, self.recall) if self.accounts else math.nan

    def __add__(self, other: BCubed) -> BCubed:
        return BCubed(
            self.precision_sum + other.precision_sum,
            self.recall_sum + other.recall_sum,
            self.accounts + other.accounts,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the means; None where there are no ring accounts."""
        means = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        told = {name: None if math.isnan(mean) else mean for name, mean in means.items()}
        return {**told, "accounts": self.accounts}


@dataclass(frozen=True, slots=True)
class Pieces:
    """How rings were cut up and run together by flagged clusters."""

    touched: int
    """Rings with an account named in a flagged cluster."""
    fragments: int
    """Sum over these of the flagged clusters that name their accounts; touched = fragments is ideal."""
    most: int
    """The most pieces of one ring."""
    merged: Share
    """Flagged clusters that name accounts of two or more operators, of all flagged clusters."""

    @property
    def per_ring(self) -> float:
        """Mean pieces of a ring that was touched at all; NaN where none was."""
        return self.fragments / self.touched if self.touched else math.nan

    def __add__(self, other: Pieces) -> Pieces:
        return Pieces(
            self.touched + other.touched,
            self.fragments + other.fragments,
            max(self.most, other.most),
            self.merged + other.merged,
        )


@dataclass(frozen=True, slots=True)
class Rings:
    """Everything about rings as wholes."""

    ring: Rates
    """Of reported clusters and planted rings."""
    review: Rates
    """Of flagged clusters and planted rings."""
    linked: BCubed
    """Over all clusters, whatever was decided of them."""
    flagged: BCubed
    """Over flagged clusters alone."""
    pieces: Pieces
    by_evidence: tuple[Recall, ...]
    """Rings that show in several evidence families, and those in one, which reach review at most."""
    by_knowledge: tuple[Recall, ...]
    """Rings of which reviewers have labelled some accounts, and those that nobody has heard of."""
    by_type: tuple[Recall, ...]
    by_size: tuple[Recall, ...]

    @property
    def too_few_reported(self) -> bool:
        """Whether too few rings were reported for a claim of precision 0.99, even where all are right."""
        return self.ring.precision.of < ENOUGH_REPORTED

    @property
    def claimed(self) -> bool:
        """Whether precision is shown to be at least 0.99: the 95% interval begins there or above."""
        return self.ring.precision.low >= CLAIMED_PRECISION

    def __add__(self, other: Rings) -> Rings:
        return Rings(
            self.ring + other.ring,
            self.review + other.review,
            self.linked + other.linked,
            self.flagged + other.flagged,
            self.pieces + other.pieces,
            _merged(self.by_evidence + other.by_evidence),
            _merged(self.by_knowledge + other.by_knowledge),
            _merged(self.by_type + other.by_type),
            _merged(self.by_size + other.by_size),
        )


SEVERAL, SINGLE = "several families", "one family"
KNOWN, UNHEARD = "known to reviewers in part", "unheard of"


def judge_rings(matched: Matched) -> Rings:
    """Judge clusters as rings."""
    rings = matched.rings
    bands = rings["accounts"].map(band)
    evidence = rings["single_family"].astype(bool).map({True: SINGLE, False: SEVERAL})
    knowledge = rings["labelled"].map({True: KNOWN, False: UNHEARD})
    return Rings(
        ring=_rates(matched, "ring"),
        review=_rates(matched, "review"),
        linked=b_cubed(matched.accounts),
        flagged=b_cubed(_flagged_only(matched.accounts)),
        pieces=_pieces(matched),
        by_evidence=_merged(_recalls(rings, evidence)),
        by_knowledge=_merged(_recalls(rings, knowledge)),
        by_type=_merged(_recalls(rings, rings["ring_type"].astype(str))),
        by_size=_merged(_recalls(rings, bands)),
    )


def band(size: int) -> str:
    """Return the size band of a ring."""
    starts = list(_BANDS)
    return _BANDS[starts[max(0, bisect_right(starts, size) - 1)]]


def b_cubed(accounts: pd.DataFrame) -> BCubed:
    """Return B-cubed over ring accounts.

    Args:
        accounts: ring (null for innocents), cluster (null for those in none); a row an account.
    """
    guilty = accounts.loc[accounts["ring"].notna(), ["ring", "cluster"]]
    sizes = guilty["ring"].value_counts()
    alone = guilty.loc[guilty["cluster"].isna(), "ring"]
    held = guilty.dropna(subset=["cluster"])
    both = held.groupby(["cluster", "ring"]).size().rename("both").reset_index()
    squared = both["both"].astype(float) ** 2
    return BCubed(
        float((squared / looked_up(both["cluster"], held["cluster"].value_counts())).sum()) + len(alone),
        float((squared / looked_up(both["ring"], sizes)).sum() + (1 / looked_up(alone, sizes)).sum()),
        len(guilty),
    )


def _rates(matched: Matched, level: str) -> Rates:
    said = matched.clusters[matched.clusters["decision"].isin(LEVELS[level])]
    return Rates(shared(said["right"]), shared(matched.rings[f"found_{level}"]))


def _recalls(rings: pd.DataFrame, names: pd.Series[str]) -> tuple[Recall, ...]:
    return tuple(
        Recall(str(name), shared(part["found_ring"]), shared(part["found_review"]))
        for name, part in rings.groupby(names)
    )


def _merged(recalls: tuple[Recall, ...]) -> tuple[Recall, ...]:
    """Add up those of one name; size bands from small to large, everything else by name, largest first."""
    total: dict[str, Recall] = {}
    for recall in recalls:
        total[recall.name] = total[recall.name] + recall if recall.name in total else recall
    names = (*_BANDS.values(), SEVERAL, SINGLE, KNOWN, UNHEARD)
    order: Mapping[str, int] = {name: n for n, name in enumerate(names)}
    return tuple(sorted(total.values(), key=lambda r: (order.get(r.name, 0), -r.ring.of, r.name)))


def _flagged_only(accounts: pd.DataFrame) -> pd.DataFrame:
    return accounts.assign(cluster=accounts["cluster"].where(accounts["named_review"], None))


def _pieces(matched: Matched) -> Pieces:
    named = matched.accounts[matched.accounts["named_review"]].dropna(subset=["ring"])
    parts = named.groupby("ring")["cluster"].nunique()
    flagged = matched.clusters[matched.clusters["decision"].isin(LEVELS["review"])]
    return Pieces(
        len(parts), int(parts.sum()), int(parts.max()) if len(parts) else 0, shared(flagged["operators"] >= 2)
    )
