"""How short links can be described by groups: the measure of whether a community is one or several.

A community told as one block says how many of its pairs are linked and how heavily on average; told as
several blocks it says so for each two of them, and for each account its block. Several blocks are worth it
where they take fewer nats (minimum description length: Rissanen 1978; of block models: Peixoto 2013, with
weights 2018). No threshold is set by hand, and chance groups in an evenly linked community are not worth
their names.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

from ringfence.graphbuild.communities.links import Links

_PARAMETERS = 2
"""What is told of two blocks: how likely a pair is linked, and the mean weight of a link."""


def planted_nats(accounts: int, links: Links, block: npt.NDArray[np.int64]) -> float:
    """Return how many nats the links of all accounts take if only inside or outside of blocks matters.

    Unlike :func:`saved_nats` this fits any number of blocks: two rates are told for all of them together
    (Zhang and Peixoto 2020, *Statistical inference of assortative community structures*).

    Args:
        accounts: n.
        links: Each pair once.
        block: shape: ``(n,)``; numbered from 0, none without.
    """
    size = np.bincount(block).astype(float)
    inside = block[links.left] == block[links.right]
    pairs = np.array([(size * (size - 1) / 2).sum(), 0.0])
    pairs[1] = accounts * (accounts - 1) / 2 - pairs[0]
    linked = np.array([inside.sum(), (~inside).sum()], float)
    total = np.array([links.weights[inside].sum(), links.weights[~inside].sum()])
    names = _names(np.array([float(accounts)]), np.array([float(len(size))]), np.zeros(len(size), int), size)
    return float(_nats(pairs, linked, total).sum() + names[0])


def saved_nats(
    links: Links, community: npt.NDArray[np.int64], block: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return for each community how many nats its blocks save as against one block.

    Links are taken as independent given the blocks, their weights as exponentially distributed. Weights of
    links are less spread than that, so that a difference in weight alone saves less here than it might.

    Args:
        links: Each pair once.
        community: shape: ``(n,)``; numbered from 0, -1 for none.
        block: shape: ``(n,)``; numbered from 0 over all communities, each inside one of them.
    """
    communities = int(community.max(initial=-1)) + 1
    inside = (community[links.left] == community[links.right]) & (community[links.left] >= 0)
    left, right, weight = links.left[inside], links.right[inside], links.weights[inside]
    member = community >= 0
    size = np.bincount(block[member]).astype(float)
    of = np.zeros(len(size), np.int64)
    of[block[member]] = community[member]
    whole = np.bincount(community[member], minlength=communities).astype(float)
    linked = np.bincount(community[left], minlength=communities).astype(float)
    total = _weight(community[left], weight, communities)
    one = _nats(whole * (whole - 1) / 2, linked, total)

    ends = np.sort(np.stack([block[left], block[right]]), axis=0)
    key, two = np.unique(ends[0] * len(size) + ends[1], return_inverse=True)
    first, second = key // max(len(size), 1), key % max(len(size), 1)
    joined, heavy = np.bincount(two, minlength=len(key)), _weight(two, weight, len(key))
    pairs = np.where(first == second, size[first] * (size[first] - 1) / 2, size[first] * size[second])
    several = np.bincount(of[first], _nats(pairs, joined.astype(float), heavy), minlength=communities)
    blocks = np.bincount(of, minlength=communities).astype(float)
    return one - several - _names(whole, blocks, of, size) - _more_parameters(blocks, whole)


def may_save(links: Links, community: npt.NDArray[np.int64], least_size: int) -> npt.NDArray[np.bool_]:
    """Return for each community whether several blocks, two of them of the least size, might save anything.

    No blocks save more than all there is to say of which pairs are linked, and of how the weights differ
    from their mean; none take less to be named than two, one of them as small as can be.

    Args:
        links: Each pair once.
        community: shape: ``(n,)``; numbered from 0, -1 for none.
        least_size: The smallest block that is worth a name.
    """
    communities = int(community.max(initial=-1)) + 1
    inside = (community[links.left] == community[links.right]) & (community[links.left] >= 0)
    of, weight = community[links.left[inside]], links.weights[inside]
    size = np.bincount(community[community >= 0], minlength=communities).astype(float)
    linked = np.bincount(of, minlength=communities).astype(float)
    one = _nats(size * (size - 1) / 2, linked, _weight(of, weight, communities))
    most = one - linked - _weight(of, np.log(weight), communities)
    small, both = np.full(communities, float(least_size)), np.full(communities, 2.0)
    halves = np.concatenate([small, np.maximum(size - small, small)])
    named = _names(size, both, np.tile(np.arange(communities), 2), halves)
    return np.asarray((size >= 2 * least_size) & (most > named + _more_parameters(both, size)))


def _weight(
    group: npt.NDArray[np.int64], weight: npt.NDArray[np.float64], groups: int
) -> npt.NDArray[np.float64]:
    return np.asarray(np.bincount(group, weight, minlength=groups), np.float64)


def _nats(
    pairs: npt.NDArray[np.float64], linked: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return what it takes to say which pairs are linked, and how heavily, at the best rates."""
    apart = pairs - linked
    rate = xlogy(linked, linked) + xlogy(apart, apart) - xlogy(pairs, pairs)
    return np.asarray(linked + xlogy(linked, weight / np.maximum(linked, 1)) - rate)


def _names(
    whole: npt.NDArray[np.float64],
    blocks: npt.NDArray[np.float64],
    of: npt.NDArray[np.int64],
    size: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return what it takes to say the sizes of blocks, and which account is in which."""
    arrangements = gammaln(whole + 1) - np.bincount(of, gammaln(size + 1), minlength=len(whole))
    sizes = gammaln(np.maximum(whole, 1)) - gammaln(np.maximum(blocks, 1)) - gammaln(whole - blocks + 1)
    return np.asarray(arrangements + sizes + np.log(np.maximum(whole, 1)))


def _more_parameters(
    blocks: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return what it takes to say the rates of each two blocks, beyond those of one."""
    pairs = np.maximum(whole * (whole - 1) / 2, 1)
    return np.asarray(_PARAMETERS * 0.5 * np.log(pairs) * (blocks * (blocks + 1) / 2 - 1))
