"""Communities from what was there before, from any number of workers, and from links that are off."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from graphs_at_random import Links, arrays, as_networkx, graphs, groups, planted, quality
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.communities.find import find_communities

SIZES = [3, 5, 8, 13, 21] * 6


def _stay(before: np.ndarray, after: np.ndarray) -> float:
    """Return the share of pairs of one community before that are in one community after."""
    left, right = np.triu_indices(len(before), 1)
    joint = (before[left] == before[right]) & (before[left] >= 0)
    return float(((after[left] == after[right]) & (after[left] >= 0))[joint].mean())


def _changed(
    pairs: np.ndarray, weights: np.ndarray, accounts: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the links of the next day: one in thirty is gone, as many have come."""
    rng = np.random.default_rng(seed)
    kept = rng.random(len(pairs)) > 1 / 30
    new = rng.integers(0, accounts, (int((~kept).sum()), 2))
    return np.concatenate([pairs[kept], new]), np.concatenate([weights[kept], rng.uniform(6, 10, len(new))])


def test_more_members_stay_together_from_where_they_were_than_from_scratch() -> None:
    from_start, from_scratch = [], []
    for seed in range(8):
        group, pairs, weights = planted([25] * 12, 0.25, 0.06, seed)  # groups that hardly stand out
        asked = {"resolution": 1.2, "seed": seed}
        first = find_communities(len(group), pairs, weights, **asked).community
        pairs, weights = _changed(pairs, weights, len(group), seed)
        asked["seed"] = seed + 100
        scratch = find_communities(len(group), pairs, weights, **asked).community
        start = find_communities(len(group), pairs, weights, previous=first, **asked).community
        from_start.append(_stay(first, start))
        from_scratch.append(_stay(first, scratch))
        best = quality(scratch, pairs, weights, 1.2)
        assert quality(start, pairs, weights, 1.2) >= 0.999 * best
    assert np.mean(from_start) > np.mean(from_scratch) + 0.1


@given(graphs(), st.data())
def test_any_earlier_communities_end_connected_and_no_worse_than_none(
    graph: tuple[int, Links], data: st.DataObject
) -> None:
    accounts, links = graph
    previous = data.draw(st.lists(st.integers(-1, 5), min_size=accounts, max_size=accounts))
    found = find_communities(
        accounts, *arrays(links), resolution=2.0, seed=3, previous=np.array(previous)
    ).community
    whole = as_networkx(*graph)
    assert all(nx.is_connected(whole.subgraph(group)) for group in groups(found))
    assert quality(found, *arrays(links), 2.0) >= -1e-9


def test_workers_and_the_order_of_links_change_nothing() -> None:
    group, pairs, weights = planted(SIZES, 0.7, 0.0, 4)
    expected = find_communities(len(group), pairs, weights, resolution=1.0, seed=9)
    order = np.random.default_rng(1).permutation(len(pairs))
    for workers in (1, 2, 5):
        found = find_communities(
            len(group), pairs[order][:, ::-1], weights[order], resolution=1.0, seed=9, workers=workers
        )
        assert found.community.tolist() == expected.community.tolist()
        assert found.component.tolist() == expected.component.tolist()


def test_a_component_does_not_depend_on_what_else_is_there() -> None:
    group, pairs, weights = planted([30, 30], 0.3, 0.15, 2)
    alone = find_communities(len(group), pairs, weights, resolution=1.5, seed=1).community
    other, more, heavier = planted([20, 20, 20], 0.3, 0.1, 3)
    joint = find_communities(
        len(other) + len(group),
        np.concatenate([more, pairs + len(other)]),
        np.concatenate([heavier, weights]),
        resolution=1.5,
        seed=1,
    ).community
    assert groups(joint[len(other) :]) == groups(alone)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0, 0.0])
def test_a_weight_that_is_none_is_named(weight: float) -> None:
    with pytest.raises(ValueError, match=r"1 of 2 are not, the first being .* between accounts 1 and 2"):
        find_communities(3, np.array([[0, 1], [1, 2]]), np.array([2.0, weight]), resolution=1.0, seed=1)


@pytest.mark.parametrize(
    ("pairs", "resolution", "message"),
    [
        ([[0, 3]], 1.0, "names account 3; there are 3"),
        ([[-1, 1]], 1.0, "names account -1"),
        ([[0, 1], [1, 2]], 1.0, "1 weights do not fit"),
        ([[0, 1]], -1.0, "resolution must be 0 or more"),
        ([[0, 1]], float("nan"), "resolution must be 0 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(pairs: list[list[int]], resolution: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_communities(3, np.array(pairs), np.ones(1), resolution=resolution, seed=1)
    with pytest.raises(ValueError, match="previous communities of 2"):
        find_communities(3, np.array([[0, 1]]), np.ones(1), resolution=1.0, seed=1, previous=np.array([0, 0]))


def test_double_pairs_add_up_and_self_loops_say_nothing() -> None:
    twice = np.array([[0, 1], [1, 0], [2, 2], [2, 3]])
    found = find_communities(4, twice, np.array([0.6, 0.6, 9.0, 0.9]), resolution=1.0, seed=1)
    assert found.community.tolist() == [0, 0, -1, -1]
    assert found.component.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("accounts", [0, 3])
def test_no_links_no_communities(accounts: int) -> None:
    found = find_communities(accounts, np.empty((0, 2), np.int64), np.empty(0), resolution=1.0, seed=1)
    assert found.community.tolist() == [-1] * accounts
    assert found.component.tolist() == list(range(accounts))


def test_a_component_that_is_the_whole_graph_is_one_community_where_it_is_dense() -> None:
    group, pairs, weights = planted([400], 0.5, 0.0, 1)
    found = find_communities(len(group), pairs, weights, resolution=1.0, seed=1)
    assert set(found.community) == {0}


def test_a_star_of_a_hundred_thousand_is_no_community_of_that_size() -> None:
    rays = np.stack([np.zeros(100_000, np.int64), np.arange(1, 100_001)], axis=1)
    found = find_communities(100_001, rays, np.full(100_000, 6.0), resolution=1.0, seed=1)
    assert set(found.component) == {0}
    size = np.bincount(found.community[found.community >= 0])
    # The best star of n rays weighs 6 n - n (n + 1) / 2: five rays, or six.
    assert size.tolist() in ([6], [7])
