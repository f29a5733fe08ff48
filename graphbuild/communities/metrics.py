"""How well each community hangs together, and how it stands out from what is around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.communities.links import Links, checked_links
from ringfence.graphbuild.communities.loops.adjacency import adjacency
from ringfence.graphbuild.communities.loops.weakness import weak_points

_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class WeakPoints:
    """Where a community comes apart."""

    bridges: npt.NDArray[np.int64]
    """shape: ``(k, 2)``; pairs inside a community, the lower account first, without whose link it is cut."""
    articulation: npt.NDArray[np.int64]
    """shape: ``(a,)``; accounts without which their community is cut."""


def community_metrics(
    pairs: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], community: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """Return a row for each community, in their order.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        community: shape: ``(n,)``; numbered from 0, -1 for none.

    Returns:
        community; members; links, its linked pairs; density, the share of all its pairs that are linked;
        weight, that of its links in nats; mean_weight, the same for each of all its pairs; outside_weight,
        that of links leaving it; conductance, the share of these in the weight of its accounts, or in that of
        all others if less; bridges, links whose removal cuts it; articulation, accounts whose removal does.

    Raises:
        ValueError: a link is not usable.
    """
    links = checked_links(len(community), pairs, weights)
    found = int(community.max(initial=-1)) + 1
    left, right = community[links.left], community[links.right]
    inside = (left == right) & (left >= 0)
    members = _sums(community, None, found)
    weight = _sums(left[inside], links.weights[inside], found)
    outside = sum(_sums(end[~inside], links.weights[~inside], found) for end in (left, right))
    volume = 2 * weight + outside
    rest = np.minimum(volume, 2 * links.weights.sum() - volume)
    linked, weak = _inside(links, inside, len(community))
    all_pairs = np.maximum(members * (members - 1) / 2, 1)
    count = _sums(community[linked[:, 0]], None, found)
    rows = {
        "community": np.arange(found),
        "members": members,
        "links": count,
        "density": count / all_pairs,
        "weight": weight,
        "mean_weight": weight / all_pairs,
        "outside_weight": outside,
        "conductance": np.divide(outside, rest, out=np.zeros(found), where=outside > 0),
        "bridges": _sums(community[weak.bridges[:, 0]], None, found),
        "articulation": _sums(community[weak.articulation], None, found),
    }
    return pd.DataFrame(rows).round(_DECIMALS)


def community_weak_points(
    pairs: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], community: npt.NDArray[np.int64]
) -> WeakPoints:
    """Return the bridges and articulation accounts of all communities, in the order of accounts.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        community: shape: ``(n,)``; -1 for none.

    Raises:
        ValueError: a link is not usable.
    """
    links = checked_links(len(community), pairs, weights)
    left = community[links.left]
    return _inside(links, (left == community[links.right]) & (left >= 0), len(community))[1]


def _inside(
    links: Links, inside: npt.NDArray[np.bool_], accounts: int
) -> tuple[npt.NDArray[np.int64], WeakPoints]:
    """Return the pairs that links inside communities join, each once, and where these come apart."""
    kept = [links.left[inside], links.right[inside], links.weights[inside]]
    starts, ends, _ = adjacency(accounts, *kept)
    one = np.repeat(np.arange(accounts), np.diff(starts))
    new = np.ones(len(ends), np.bool_)
    new[1:] = (ends[1:] != ends[:-1]) | (one[1:] != one[:-1])
    new &= one < ends
    far, cuts = weak_points(starts, ends)
    near = np.flatnonzero(far >= 0)
    bridges = np.sort(np.stack([near, far[near]], axis=1), axis=1)
    bridges = bridges[np.lexsort((bridges[:, 1], bridges[:, 0]))]
    return np.stack([one[new], ends[new].astype(np.int64)], axis=1), WeakPoints(bridges, np.flatnonzero(cuts))


def _sums(
    group: npt.NDArray[np.int64], amounts: npt.NDArray[np.float64] | None, groups: int
) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
    """Return the sum of amounts, or the count, for each group; group -1 is nobody's."""
    kept = group >= 0
    return np.bincount(group[kept], None if amounts is None else amounts[kept], minlength=groups)
