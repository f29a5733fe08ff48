"""What a ring stands on: its evidence by family and by value, where it is thin, and without what it falls.

A ring **stands** as long as its accounts hang together by links that are still links: the largest piece
has at least half of them, and in it enough families link enough of its accounts to count. Which families
it cannot do without is **exact**: every set of families is tried, smallest first. Which values it cannot
do without is **greedy**: those that carry most are taken away until it falls, then each that turns out
not to be needed is put back. What remains is irreducible, none of it can be put back without the ring
standing again, but another, smaller set may exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.communities.loops.adjacency import components
from ringfence.graphbuild.communities.metrics import community_weak_points
from ringfence.graphbuild.explain.adding import Adding, Floats
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.schema import LINK_FAMILIES

MOST_TAKEN = 200
"""Values that are taken away at most before a ring is said to stand on more than that."""


@dataclass(frozen=True, slots=True)
class StandingRule:
    """When what is left of a ring still is one."""

    least_families: int
    """Families that must count."""
    family_coverage: float
    """A family counts when it links at least this share of the accounts,"""
    least_family_weight: float
    """each by at least so many nats."""
    least_weight: float
    """A pair below this weight is no link."""
    least_share: float = 0.5
    """Share of the ring's accounts that must still hang together."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a ring stands on."""

    weight: float
    """Of all its links, in nats."""
    families: dict[str, float]
    """Family → its part of that weight."""
    values: pd.DataFrame
    """As :meth:`~ringfence.graphbuild.explain.adding.Adding.carried` tells them."""
    bridges: tuple[tuple[str, str], ...]
    """Links without which it falls apart."""
    articulation: tuple[str, ...]
    """Accounts without which it falls apart."""
    stands: bool
    """Whether it stands by the rule with all that there is; a community under review may not."""
    needed_families: tuple[tuple[str, ...], ...]
    """All smallest sets of families without which it falls; empty where no set fells it."""
    needed_values: tuple[tuple[str, str], ...] | None
    """View and value: an irreducible set without which it falls; None where it stands even without the
    :data:`MOST_TAKEN` heaviest."""


def standing(members: Sequence[str], links: pd.DataFrame, adding: Adding, rule: StandingRule) -> Standing:
    """Return what a ring stands on.

    Args:
        members: Its accounts.
        links: Rows of ``links.parquet`` between them.
        adding: The same links, ready to be added up again.
        rule: When it stands.
    """
    index = pd.Index(sorted(members))
    pairs = np.stack([index.get_indexer(pd.Index(links[end])) for end in PAIR], axis=1).astype(np.int64)

    def stands(weights: Floats) -> bool:
        return _stands(len(index), pairs, weights, rule)

    whole = stands(adding.weights())
    values = adding.carried()
    weak = community_weak_points(pairs, links["weight"].to_numpy(np.float64), np.zeros(len(index), np.int64))
    named = index.to_numpy(str)
    return Standing(
        weight=round(float(links["weight"].sum()), 6),
        families={str(f): round(float(links[f].sum()), 6) for f in LINK_FAMILIES},
        values=values,
        bridges=tuple((str(named[a]), str(named[b])) for a, b in weak.bridges),
        articulation=tuple(str(named[a]) for a in weak.articulation),
        stands=whole,
        needed_families=_needed_families(adding, stands) if whole else (),
        needed_values=_needed_values(adding, values, stands) if whole else (),
    )


def _stands(accounts: int, pairs: npt.NDArray[np.int64], weights: Floats, rule: StandingRule) -> bool:
    kept = weights.sum(axis=1).round(6) >= rule.least_weight
    pairs, weights = pairs[kept], weights[kept]
    piece = components(accounts, np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]))
    largest = int(np.bincount(piece).argmax())
    size = int((piece == largest).sum())
    if size < 2 or size < rule.least_share * accounts:
        return False
    inside = piece[pairs[:, 0]] == largest
    told = weights[inside] >= rule.least_family_weight
    covered = [len(np.unique(pairs[inside][told[:, family]])) for family in range(told.shape[1])]
    return sum(count >= rule.family_coverage * size for count in covered) >= rule.least_families


def _needed_families(adding: Adding, stands: Callable[[Floats], bool]) -> tuple[tuple[str, ...], ...]:
    present = [
        str(f) for f, said in zip(LINK_FAMILIES, adding.weights().sum(axis=0), strict=True) if said > 0
    ]
    for size in range(1, len(present) + 1):
        sets = combinations(present, size)
        felling = tuple(one for one in sets if not stands(adding.weights(families=one)))
        if felling:
            return felling
    return ()


def _needed_values(
    adding: Adding, values: pd.DataFrame, stands: Callable[[Floats], bool]
) -> tuple[tuple[str, str], ...] | None:
    ranked = values["number"].head(MOST_TAKEN).tolist()

    def falls(taken: Sequence[int]) -> bool:
        return not stands(adding.weights(values=taken))

    if not falls(ranked):
        return None
    low, high = 1, len(ranked)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if falls(ranked[:middle]) else (middle + 1, high)
    taken = _irreducible(ranked[:low], falls)
    told = values.set_index("number").loc[taken]
    return tuple(zip(told["view"].tolist(), told["value"].tolist(), strict=True))


def _irreducible(taken: list[int], falls: Callable[[Sequence[int]], bool]) -> list[int]:
    """Return a part of ``taken`` that still fells the ring and of which each is needed; lightest go first."""
    while True:
        kept = list(taken)
        for one in reversed(taken):
            rest = [other for other in kept if other != one]
            kept = rest if falls(rest) else kept
        if len(kept) == len(taken):
            return kept
        taken = kept
