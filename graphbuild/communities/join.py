"""Pieces of one large ring → one community.

CPM's resolution is the mean weight per pair that a community exceeds. A ring of three thousand is linked far
more thinly than one of thirty, so at a resolution that keeps thirty clean it falls into pieces. Lower ones
would put it together, and hang many innocents onto others by single busy accounts that happen to share
something with all of a group. The two differ in how many take part: pieces of one ring are linked by **many
on both sides**, an accident by one. So communities are joined where at least half of the smaller one's
accounts, and as many of the other's, have a link across.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.communities.loops.adjacency import components
from ringfence.graphbuild.communities.partition import renumbered

SUPPORT = 0.5
"""Share of the smaller community's accounts that must be linked to the other, and as many of the other's."""
LEAST = 3
"""The fewest such accounts on either side."""


def join_pieces(
    pairs: npt.NDArray[np.int64], community: npt.NDArray[np.int64], support: float = SUPPORT
) -> npt.NDArray[np.int64]:
    """Return the communities after joining those with support from both sides, until none is left.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        community: shape: ``(n,)``; -1 for none, which stays.
        support: Share of the smaller community that must take part, 0..1.
    """
    joined = renumbered(community)
    while len(supported := _supported(pairs, joined, support)):
        whole = components(int(joined.max()) + 1, supported[:, 0], supported[:, 1])
        joined = renumbered(np.where(joined >= 0, whole[joined], -1))
    return joined


def _supported(
    pairs: npt.NDArray[np.int64], community: npt.NDArray[np.int64], support: float
) -> npt.NDArray[np.int64]:
    """Return pairs of communities that support each other; shape: ``(k, 2)``."""
    ends = community[pairs]
    across = (ends[:, 0] != ends[:, 1]) & (ends >= 0).all(axis=1)
    ends, accounts = ends[across], pairs[across]
    turned = ends[:, 0] > ends[:, 1]
    ends[turned], accounts[turned] = ends[turned][:, ::-1], accounts[turned][:, ::-1]
    count = int(community.max(initial=-1)) + 1
    between, where = np.unique(ends[:, 0] * count + ends[:, 1], return_inverse=True)
    taking_part = np.minimum(*(_distinct(where, accounts[:, side], len(between)) for side in (0, 1)))
    both = np.stack([between // max(count, 1), between % max(count, 1)], axis=1)
    size = np.bincount(community[community >= 0], minlength=max(count, 1))
    needed = np.maximum(LEAST, support * size[both].min(axis=1))
    supported: npt.NDArray[np.int64] = both[taking_part >= needed]
    return supported


def _distinct(
    where: npt.NDArray[np.int64], accounts: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.int64]:
    """Return how many different accounts fall to each place; shape: ``(count,)``."""
    most = int(accounts.max(initial=0)) + 1
    return np.bincount(np.unique(where * most + accounts) // most, minlength=count)
