"""Communities: connected, repeatable, better than the trivial partitions, and found where planted."""

from __future__ import annotations

import random
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from graphs_at_random import Links, arrays, as_networkx, graphs, groups, quality
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.folds import fold_groups
from ringfence.graphbuild.communities.partition import Partition


def _find(accounts: int, links: Links, resolution: float = 1.0, seed: int = 5) -> Partition:
    return find_communities(accounts, *arrays(links), resolution=resolution, seed=seed)


@given(graphs())
def test_components_are_those_of_networkx(graph: tuple[int, Links]) -> None:
    expected = {frozenset(c) for c in nx.connected_components(as_networkx(*graph))}
    assert groups(_find(*graph).component) == expected


@given(graphs(), st.floats(0.1, 20.0))
def test_communities_are_connected_and_of_two_or_more(graph: tuple[int, Links], resolution: float) -> None:
    whole = as_networkx(*graph)
    for group in groups(_find(*graph, resolution=resolution).community):
        assert len(group) >= 2
        assert nx.is_connected(whole.subgraph(group))


@given(graphs(), st.floats(0.1, 20.0))
def test_the_objective_is_no_worse_than_that_of_trivial_partitions(
    graph: tuple[int, Links], resolution: float
) -> None:
    accounts, links = graph
    found = quality(_find(accounts, links, resolution).community, *arrays(links), resolution)
    whole = _find(accounts, links).component
    assert found >= -1e-9, "single accounts score 0"
    assert found >= quality(whole, *arrays(links), resolution) - 1e-9


@given(graphs(), st.integers(0, 2**31))
def test_a_seed_settles_the_partition(graph: tuple[int, Links], seed: int) -> None:
    one, two = _find(*graph, seed=seed), _find(*graph, seed=seed)
    assert (one.community == two.community).all()
    assert (one.component == two.component).all()


@given(graphs())
def test_numbers_run_from_zero_in_the_order_of_first_members(graph: tuple[int, Links]) -> None:
    partition = _find(*graph)
    for numbers in (partition.component, partition.community):
        met = list(dict.fromkeys(numbers[numbers >= 0].tolist()))
        assert met == list(range(len(met)))


def test_planted_cliques_on_weak_bridges_are_found_exactly() -> None:
    cliques = [range(start, start + size) for start, size in ((0, 3), (3, 8), (11, 5), (16, 40))]
    links = {pair: 6.0 for clique in cliques for pair in combinations(clique, 2)}
    links |= {(0, 3): 6.0, (4, 12): 6.0, (11, 16): 6.0, (1, 20): 6.0}
    partition = _find(56, links)
    assert groups(partition.community) == {frozenset(clique) for clique in cliques}
    assert len(groups(partition.component)) == 1


def test_what_happens_in_one_component_leaves_the_others_alone() -> None:
    """The Constant Potts Model has no global term, so that other traffic cannot swallow a ring."""
    rng = random.Random(3)
    ring = dict.fromkeys(combinations(range(6), 2), 4.0)
    crowd = {pair: 9.0 for pair in combinations(range(6, 60), 2) if rng.random() < 0.3}
    alone = groups(_find(60, ring).community)
    assert alone == {frozenset(range(6))}
    assert alone < groups(_find(60, ring | crowd).community)


def test_nothing_linked_means_no_community() -> None:
    partition = _find(3, {})
    assert partition.community.tolist() == [-1, -1, -1]
    assert partition.component.tolist() == [0, 1, 2]
    assert len(_find(0, {}).component) == 0


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf])
def test_weights_that_are_no_weights_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        _find(3, {(0, 1): 1.0, (1, 2): weight})


def test_the_random_numbers_of_others_are_left_alone() -> None:
    links = {pair: 1.0 + pair[0] for pair in combinations(range(12), 2)}
    random.seed(99)
    before = random.getstate()
    _find(12, links)
    assert random.getstate() == before


def test_ticks_grow_to_one() -> None:
    shares: list[float] = []
    pairs = np.array([[0, 1], [2, 3], [3, 4]])
    find_communities(6, pairs, np.ones(3), resolution=0.5, seed=1, tick=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


_NO_LINKS = np.empty((0, 2), np.int64), np.empty(0)


def _partition(component: list[int], community: list[int]) -> Partition:
    return Partition(np.array(component), np.array(community))


def test_folds_keep_components_whole() -> None:
    component = [0, 0, 1, 1, *range(2, 20)]
    community = [0, 0, -1, -1, *[-1] * 18]
    folds = fold_groups(_partition(component, community), *_NO_LINKS, largest_share=0.2)
    assert folds.tolist() == component


def test_folds_cut_a_giant_component_along_its_communities() -> None:
    partition = _partition([0, 0, 0, 0, 0, 1], [0, 0, 1, 1, -1, -1])
    pairs, weights = np.array([[0, 1], [1, 2], [2, 3], [1, 4], [3, 4]]), np.array([9.0, 1.0, 9.0, 1.0, 2.0])
    folds = fold_groups(partition, pairs, weights, largest_share=0.5)
    assert groups(folds) == {frozenset(g) for g in ([0, 1], [2, 3, 4], [5])}


@given(graphs(), st.floats(0.0, 1.0))
def test_folds_never_cut_a_community(graph: tuple[int, Links], share: float) -> None:
    partition = _find(*graph)
    folds = fold_groups(partition, *arrays(graph[1]), largest_share=share)
    for community in groups(partition.community):
        assert len({folds[account] for account in community}) == 1
    for group in groups(folds):
        assert len({partition.component[account] for account in group}) == 1
