"""Sub-networks: found where several were planted, never where chance alone makes groups."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from graphs_at_random import Links, arrays, graphs, groups, planted
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.communities.description import may_save, saved_nats
from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.hierarchy import nested, sub_networks
from ringfence.graphbuild.communities.links import checked_links
from ringfence.graphbuild.communities.partition import renumbered


@pytest.mark.parametrize("sizes", [(30, 30), (60, 12), (20, 20, 20, 20)])
@pytest.mark.parametrize("seed", range(3))
def test_operators_whom_few_links_join_are_told_apart(sizes: tuple[int, ...], seed: int) -> None:
    group, pairs, weights = planted(sizes, 0.7, 0.08, seed)
    found = sub_networks(pairs, weights, np.zeros(len(group), np.int64), seed=1)
    assert groups(found) == groups(group)


@pytest.mark.parametrize(("size", "share"), [(12, 0.5), (40, 0.3), (100, 0.1), (250, 0.06), (30, 1.0)])
@pytest.mark.parametrize("seed", range(3))
def test_an_evenly_linked_community_stays_one(size: int, share: float, seed: int) -> None:
    group, pairs, weights = planted([size], share, 0.0, seed)
    assert len(nested(pairs, weights, group, seed=1)) == 1


def test_cells_that_much_joins_stay_one_ring() -> None:
    group, pairs, weights = planted([30, 30], 0.7, 0.25, 1)
    assert len(nested(pairs, weights, np.zeros(len(group), np.int64), seed=1)) == 1


def test_parts_of_two_communities_stay_apart() -> None:
    group, pairs, weights = planted([20, 25, 30, 8, 40], 0.8, 0.04, 2)
    community = np.array([0, 0, 1, 1, 1])[group]
    within = community[pairs[:, 0]] == community[pairs[:, 1]]
    levels = nested(pairs[within], weights[within], community, seed=1)
    assert groups(levels[-1]) == groups(group)


def test_small_communities_and_accounts_in_none_stay_as_they_are() -> None:
    group, pairs, weights = planted([3, 20, 20, 4], 0.9, 0.0, 1)
    joined = np.concatenate([pairs, [[5, 25], [6, 26]]]), np.concatenate([weights, [6.0, 6.0]])
    community = np.where(group == 2, 1, np.where(group == 3, 2, group))
    found = sub_networks(*joined, np.append(community, -1), seed=1)
    assert found.tolist() == [*group.tolist(), -1]


def test_networks_in_networks_come_level_by_level() -> None:
    inner, pairs, weights = planted([15] * 6, 0.9, 0.08, 5)
    near = inner[pairs[:, 0]] // 3 == inner[pairs[:, 1]] // 3
    few = np.arange(len(pairs)) % 15 == 0
    pairs, weights = pairs[near | few], weights[near | few]
    levels = nested(pairs, weights, np.zeros(len(inner), np.int64), seed=2)
    assert groups(levels[-1]) == groups(inner)
    for above, below in pairwise(levels):
        for group in groups(below):
            assert len({above[account] for account in group}) == 1


@given(graphs())
def test_each_level_lies_within_the_one_above(graph: tuple[int, Links]) -> None:
    pairs, weights = arrays(graph[1])
    community = find_communities(graph[0], pairs, weights, resolution=0.5, seed=1).community
    levels = nested(pairs, weights, community, seed=1)
    assert levels[0].tolist() == community.tolist()
    for above, below in pairwise(levels):
        assert ((below < 0) | (above >= 0)).all()
        for group in groups(below):
            assert len({above[account] for account in group}) == 1


@given(graphs(), st.integers(0, 2**32 - 1))
def test_no_blocks_save_where_none_may(graph: tuple[int, Links], seed: int) -> None:
    pairs, weights = arrays(graph[1])
    links, whole = checked_links(graph[0], pairs, weights), np.zeros(graph[0], np.int64)
    for _ in range(5):
        seed += 1
        block = renumbered(np.random.default_rng(seed).integers(0, 3, graph[0]))
        least = int(np.sort(np.bincount(block))[-2:][0])
        if block.any() and saved_nats(links, whole, block)[0] > 0:
            assert may_save(links, whole, least)[0]


def test_a_pair_that_comes_twice_counts_once_with_its_sum() -> None:
    group, pairs, weights = planted([20, 20], 0.7, 0.05, 3)
    whole = np.zeros(len(group), np.int64)
    halves = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([weights, weights]) / 2
    assert (
        sub_networks(*halves, whole, seed=1).tolist() == sub_networks(pairs, weights, whole, seed=1).tolist()
    )
