"""Several operators in one community, as those whom a proxy network joins: communities inside communities.

Each community is partitioned anew, all of them at once, at half of its own mean weight a pair: parts that
little joins come apart there. A split is kept where it describes the links in fewer nats than the joint
community (``description``), and where the parts are joined thinly: one operator's ring has cells and waves,
too. What was split off is looked at again until nothing more is kept. Most communities are so small or so
evenly linked that no split can save anything, and are not searched at all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.communities.description import may_save, saved_nats
from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.links import Links, checked_links, each_once
from ringfence.graphbuild.communities.partition import renumbered

THIN = 0.15
"""Parts are joined thinly where pairs across weigh at most this share of what pairs inside of them do."""
_RESOLUTION = 0.5
"""In mean weights a pair of the community."""
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
        group = np.where(open_, levels[-1], -1)
        searched = np.flatnonzero(np.append(may_save(links, group, least_size), False)[group])
        parts, split = np.full(len(community), -1, np.int64), np.zeros(len(community), np.bool_)
        parts[searched], split[searched] = _split(
            _among(links, searched, len(community)),
            renumbered(group[searched]),
            seed,
            least_size,
            workers,
        )
        if not split.any():
            break
        marked = np.where(split, parts + levels[-1].max() + 1, levels[-1])
        levels.append(renumbered(np.where(split & (parts < 0), -1, marked)))
        open_ = split & (parts >= 0)
    return levels


def _among(links: Links, chosen: npt.NDArray[np.int64], accounts: int) -> Links:
    """Return the links between the chosen accounts, which are numbered anew in their order."""
    number = np.full(accounts, -1, np.int64)
    number[chosen] = np.arange(len(chosen))
    left, right = number[links.left], number[links.right]
    inside = (left >= 0) & (right >= 0)
    return Links(left[inside], right[inside], links.weights[inside])


def _split(
    links: Links, group: npt.NDArray[np.int64], seed: int, least_size: int, workers: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the parts of groups that are split, -1 for accounts in none, and which accounts' groups are.

    Every account is in a group.
    """
    inside = group[links.left] == group[links.right]
    links = Links(links.left[inside], links.right[inside], links.weights[inside])
    size = np.bincount(group)
    of_link = group[links.left]
    mean = np.bincount(of_link, links.weights, minlength=len(size)) / np.maximum(size * (size - 1) / 2, 1)
    found = find_communities(
        len(group),
        np.stack([links.left, links.right], axis=1),
        links.weights / mean[of_link],
        resolution=_RESOLUTION,
        seed=seed,
        workers=workers,
    ).community
    parts = np.where(np.append(np.bincount(found[found >= 0]) >= least_size, False)[found], found, -1)
    split = _thinly_joined(links, group, parts)
    split &= saved_nats(links, group, _blocks(group, parts)) > 0
    return np.where(split[group], parts, -1), split[group]


def _thinly_joined(
    links: Links, group: npt.NDArray[np.int64], parts: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which groups have two or more parts, with little between them."""
    groups = int(group.max(initial=-1)) + 1
    placed = parts >= 0
    size = np.bincount(parts[placed]).astype(float)
    of = np.zeros(len(size), np.int64)
    of[parts[placed]] = group[placed]
    within = np.bincount(of, size * (size - 1) / 2, minlength=groups)
    in_parts = np.bincount(group[placed], minlength=groups)
    across = in_parts * (in_parts - 1) / 2 - within
    both = placed[links.left] & placed[links.right]
    same = parts[links.left] == parts[links.right]
    held, joined = (
        np.bincount(group[links.left[chosen]], links.weights[chosen], minlength=groups)
        for chosen in (both & same, both & ~same)
    )
    return np.asarray((across > 0) & (joined * within <= THIN * held * across))


def _blocks(group: npt.NDArray[np.int64], parts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the parts, and a block for the accounts of each group that are in none."""
    return renumbered(np.where(parts >= 0, parts, group + parts.max(initial=-1) + 1))
