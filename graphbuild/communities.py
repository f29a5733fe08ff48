"""Links → communities: Leiden with the Constant Potts Model, per connected component.

Traag, Van Dooren and Nesterov (2011) for the model, Traag, Waltman and van Eck (2019) for the algorithm.
CPM compares each community with a fixed density γ and with nothing else in the graph, so components are
independent of each other, and small rings are not swallowed by large graphs. Every community is connected.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import igraph
import numpy as np
import numpy.typing as npt

from ringfence.progress import Tick, silent


@dataclass(frozen=True, slots=True)
class Partition:
    """Accounts in components and communities; both numbered from 0 in the order of their first account."""

    component: npt.NDArray[np.int64]
    """shape: ``(n,)``; accounts without a link are components of their own."""
    community: npt.NDArray[np.int64]
    """shape: ``(n,)``; -1 for accounts in no community of two or more."""


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
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    heaviest = ends[np.lexsort((ends[:, 1], -np.concatenate([weights, weights]), ends[:, 0]))]
    alone = heaviest[np.unique(heaviest[:, 0], return_index=True)[1]]
    alone = alone[giant[alone[:, 0]] & (community[alone[:, 0]] < 0)]
    graph = igraph.Graph(n=len(component), edges=np.concatenate([alone, _chains(community, giant)]))
    cut = np.asarray(graph.connected_components().membership, np.int64) + component.max(initial=0) + 1
    return _renumbered(np.where(giant, cut, component))


def _chains(community: npt.NDArray[np.int64], giant: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return edges that join the members of each community one behind the other; shape: ``(e, 2)``."""
    members = np.flatnonzero(giant & (community >= 0))
    members = members[np.argsort(community[members], kind="stable")]
    same = community[members[:-1]] == community[members[1:]]
    return np.stack([members[:-1][same], members[1:][same]], axis=1)


def find_communities(
    accounts: int,
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    *,
    resolution: float,
    seed: int,
    tick: Tick = silent,
) -> Partition:
    """Partition the accounts.

    Args:
        accounts: n, the number of accounts.
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats, positive and finite.
        resolution: γ in nats: the mean weight per pair that a community exceeds.
        seed: The same seed gives the same partition.
        tick: Told the share of linked accounts that are placed.

    Raises:
        ValueError: a weight is not positive or not finite.
    """
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError("Link weights must be positive and finite.")
    graph = igraph.Graph(n=accounts, edges=pairs, directed=False)
    graph.es["weight"] = weights
    graph.vs["account"] = np.arange(accounts)
    component = np.asarray(graph.connected_components().membership, np.int64)
    community = np.full(accounts, -1, np.int64)
    linked = max(int(np.count_nonzero(np.bincount(component)[component] > 1)), 1)
    found = placed = 0
    for part in graph.decompose(minelements=2):
        members = np.asarray(part.vs["account"], np.int64)
        for group in _communities(part, resolution, seed + int(members[0])):
            community[members[group]] = found
            found += 1
        placed += len(members)
        tick(placed / linked)
    return Partition(_renumbered(component), _renumbered(community))


def _communities(part: igraph.Graph, resolution: float, seed: int) -> list[list[int]]:
    """Return the communities of one component that have two or more members."""
    igraph.set_random_number_generator(random.Random(seed))  # noqa: S311 - repeatable, not secret
    try:
        clusters = part.community_leiden(
            objective_function="CPM", weights="weight", resolution=resolution, n_iterations=-1
        )
    finally:
        igraph.set_random_number_generator(random)
    connected = []
    for members in clusters:
        if len(members) < 2:
            continue
        # Leiden promises connected communities; a ring cut in two by a defect would be two accusations.
        pieces = part.induced_subgraph(members).connected_components()
        connected += [[members[i] for i in piece] for piece in pieces if len(piece) > 1]
    return connected


def _renumbered(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number groups from 0 in the order of their first member; -1 stays."""
    inside = groups >= 0
    values, first, inverse = np.unique(groups[inside], return_index=True, return_inverse=True)
    rank = np.empty(len(values), np.int64)
    rank[np.argsort(first)] = np.arange(len(values))
    numbered = groups.copy()
    numbered[inside] = rank[inverse]
    return numbered
