"""Links → communities: Leiden with the Constant Potts Model, per connected component.

Traag, Van Dooren and Nesterov (2011) for the model, Traag, Waltman and van Eck (2019) for the algorithm.
CPM compares each community with a fixed density γ and with nothing else in the graph, so components are
independent of each other, and small rings are not swallowed by large graphs. Every community is connected.
"""

from __future__ import annotations

import random

import igraph
import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.communities.partition import Partition, renumbered
from ringfence.progress import Tick, silent


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
    return Partition(renumbered(component), renumbered(community))


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
