"""Which accounts a split for training must not part."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.communities.loops.adjacency import components
from ringfence.graphbuild.communities.partition import Partition, renumbered


def fold_groups(
    partition: Partition,
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    largest_share: float = 0.1,
) -> npt.NDArray[np.int64]:
    """Return the groups of accounts that a split must not cut; shape: ``(n,)``.

    They are the connected components. A component with more than ``largest_share`` of all accounts would
    leave nothing to split, so it is cut along its communities; an account in none goes with the one it is
    linked to most.

    Args:
        partition: Of n accounts.
        pairs: shape: ``(e, 2)``; their links.
        weights: shape: ``(e,)``; the weights of the links.
        largest_share: 0..1.
    """
    component, community = partition.component, partition.community
    giant = np.bincount(component, minlength=1)[component] > max(largest_share * len(component), 1)
    lost = giant & (community < 0)
    ends, weight = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([weights, weights])
    ends, weight = ends[lost[ends[:, 0]]], weight[lost[ends[:, 0]]]
    heaviest = ends[np.lexsort((ends[:, 1], -weight, ends[:, 0]))]
    _, first = np.unique(heaviest[:, 0], return_index=True)
    left, right = np.concatenate([heaviest[first], _chains(community, giant)]).T.copy()
    cut = components(len(component), left, right) + component.max(initial=0) + 1
    return renumbered(np.where(giant, cut, component))


def _chains(community: npt.NDArray[np.int64], giant: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return edges that join the members of each community one behind the other; shape: ``(e, 2)``."""
    members = np.flatnonzero(giant & (community >= 0))
    members = members[np.argsort(community[members], kind="stable")]
    same = community[members[:-1]] == community[members[1:]]
    return np.stack([members[:-1][same], members[1:][same]], axis=1)
