"""Several operators in one community, as those whom a proxy network joins: communities inside communities.

Each community is partitioned anew at multiples of its own mean weight a pair, all of them at once. A split is
kept where it describes the links in fewer nats than the joint community (``description``); among several,
the one that saves most. What was split off is looked at again until nothing more is kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.communities.description import saved_nats
from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.links import Links, checked_links, each_once
from ringfence.graphbuild.communities.partition import renumbered

MULTIPLES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Resolutions that are tried. Below 1, too: a part that is most of its community is hardly denser than it."""
_MOST_LEVELS = 16


def sub_networks(
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    community: npt.NDArray[np.int64],
    *,
    seed: int,
    least_size: int = 3,
    workers: int = 1,
) -> npt.NDArray[np.int64]:
    """Return the innermost sub-network of each account: the last level of :func:`nested`; shape: ``(n,)``.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        community: shape: ``(n,)``; numbered from 0, -1 for none.
        seed: The same seed gives the same sub-networks.
        least_size: The smallest part that is a sub-network.
        workers: Threads at work.

    Raises:
        ValueError: a link is not usable.
    """
    return nested(pairs, weights, community, seed=seed, least_size=least_size, workers=workers)[-1]


def nested(
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    community: npt.NDArray[np.int64],
    *,
    seed: int,
    least_size: int = 3,
    workers: int = 1,
) -> list[npt.NDArray[np.int64]]:
    """Return levels of groups, each inside those of the level before; the first is ``community``.

    A community that is not split is the same group on every level. Accounts of a split one that are in no
    part of the least size are -1 from there on. Groups are numbered in the order of their first accounts.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        community: shape: ``(n,)``; numbered from 0, -1 for none.
        seed: The same seed gives the same levels.
        least_size: The smallest part that is a sub-network.
        workers: Threads at work.

    Raises:
        ValueError: a link is not usable.
    """
    links = each_once(checked_links(len(community), pairs, weights), len(community))
    levels = [renumbered(community)]
    open_ = levels[0] >= 0
    while open_.any() and len(levels) <= _MOST_LEVELS:
        large = open_ & (_sizes(levels[-1]) >= 2 * least_size)
        parts, split = _best_split(links, np.where(large, levels[-1], -1), seed, least_size, workers)
        if not split.any():
            break
        marked = np.where(split, parts + levels[-1].max() + 1, levels[-1])
        levels.append(renumbered(np.where(split & (parts < 0), -1, marked)))
        open_ = split & (parts >= 0)
    return levels


def _sizes(group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many accounts are in the group of each."""
    return np.asarray(np.bincount(group + 1)[group + 1], np.int64)


def _best_split(
    links: Links, group: npt.NDArray[np.int64], seed: int, least_size: int, workers: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the best parts of each group, -1 for accounts in none, and which accounts' groups they split."""
    inside = (group[links.left] == group[links.right]) & (group[links.left] >= 0)
    links = Links(links.left[inside], links.right[inside], links.weights[inside])
    groups = int(group.max(initial=-1)) + 1
    members = np.bincount(group[group >= 0], minlength=groups)
    of_link = group[links.left]
    density = np.bincount(of_link, links.weights, minlength=groups) / np.maximum(
        members * (members - 1) / 2, 1
    )
    relative = links.weights / density[of_link]
    best, chosen = np.zeros(groups), np.full(len(group), -1, np.int64)
    for multiple in MULTIPLES:
        found = find_communities(
            len(group),
            np.stack([links.left, links.right], axis=1),
            relative,
            resolution=multiple,
            seed=seed,
            workers=workers,
        ).community
        size = np.bincount(found[found >= 0], minlength=1)
        parts = np.where((found >= 0) & (size[found] >= least_size), found, -1)
        saved = np.where(_several(group, parts, groups), saved_nats(links, group, _blocks(group, parts)), 0.0)
        better = np.append(saved > best, False)[group]
        best = np.maximum(best, saved)
        chosen[better] = parts[better]
    return chosen, np.append(best > 0, False)[group]


def _blocks(group: npt.NDArray[np.int64], parts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the parts, and a block for the accounts of each group that are in none."""
    return renumbered(
        np.where(parts >= 0, parts, np.where(group >= 0, group + parts.max(initial=-1) + 1, -1))
    )


def _several(
    group: npt.NDArray[np.int64], parts: npt.NDArray[np.int64], groups: int
) -> npt.NDArray[np.bool_]:
    """Return which groups have two or more parts."""
    part, account = np.unique(parts, return_index=True)
    return np.bincount(group[account[part >= 0]], minlength=groups) > 1
