"""The objective beside igraph's Leiden, and the resolution that describes links best."""

from __future__ import annotations

import os
import random

import igraph
import numpy as np
import pytest
from graphs_at_random import groups, planted, quality

from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.resolution import shortest_resolution

SEEDS = range(200 if os.environ.get("RINGFENCE_SOAK") else 6)


def _of_igraph(accounts: int, pairs: np.ndarray, weights: np.ndarray, resolution: float) -> np.ndarray:
    graph = igraph.Graph(n=accounts, edges=pairs)
    igraph.set_random_number_generator(random.Random(1))
    try:
        found = graph.community_leiden("CPM", weights=weights, resolution=resolution, n_iterations=-1)
    finally:
        igraph.set_random_number_generator(random)
    return np.asarray(found.membership)


@pytest.mark.parametrize("resolution", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("between", [0.01, 0.1])
def test_the_objective_is_that_of_igraph(resolution: float, between: float) -> None:
    ours, theirs = [], []
    for seed in SEEDS:
        group, pairs, weights = planted([3, 5, 9, 16, 28] * 3, 0.6, between, seed)
        found = find_communities(len(group), pairs, weights, resolution=resolution, seed=seed).community
        ours.append(quality(found, pairs, weights, resolution))
        theirs.append(quality(_of_igraph(len(group), pairs, weights, resolution), pairs, weights, resolution))
    assert sum(ours) >= 0.999 * sum(theirs)


def test_the_shortest_description_finds_what_was_planted() -> None:
    group, pairs, weights = planted([12] * 10, 0.7, 0.1, 4)
    chosen = shortest_resolution(len(group), pairs, weights, [0.01, 0.5, 2.0, 4.0, 12.0], seed=1)
    found = find_communities(len(group), pairs, weights, resolution=chosen, seed=1).community
    assert groups(found) == groups(group)
    with pytest.raises(ValueError, match="resolution must be"):
        shortest_resolution(len(group), pairs, weights, [-1.0], seed=1)
