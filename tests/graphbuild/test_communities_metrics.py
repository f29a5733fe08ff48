"""Metrics of communities and further memberships, each beside networkx or a plain count."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from graphs_at_random import Links, arrays, as_networkx, graphs
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.metrics import community_metrics, community_weak_points
from ringfence.graphbuild.communities.overlap import secondary_memberships

# Two triangles that one link joins, and an account that hangs on the second.
PAIRS = np.array([[0, 1], [1, 2], [0, 2], [2, 3], [3, 4], [4, 5], [3, 5], [5, 6]])
WEIGHTS = np.array([6.0, 6.0, 6.0, 2.0, 6.0, 6.0, 6.0, 3.0])


def test_a_row_for_each_community() -> None:
    metrics = community_metrics(PAIRS, WEIGHTS, np.array([0, 0, 0, 1, 1, 1, 1]))
    assert metrics.to_dict("list") == {
        "community": [0, 1],
        "members": [3, 4],
        "links": [3, 4],
        "density": [1.0, 0.666667],
        "weight": [18.0, 21.0],
        "mean_weight": [6.0, 3.5],
        "outside_weight": [2.0, 2.0],
        "conductance": [0.052632, 0.052632],
        "bridges": [0, 1],
        "articulation": [0, 1],
    }


def test_weak_points_are_named() -> None:
    weak = community_weak_points(PAIRS, WEIGHTS, np.zeros(7, np.int64))
    assert weak.bridges.tolist() == [[2, 3], [5, 6]]
    assert weak.articulation.tolist() == [2, 3, 5]


@given(graphs(), st.floats(0.1, 8.0))
def test_metrics_are_those_of_networkx(graph: tuple[int, Links], resolution: float) -> None:
    accounts, links = graph
    pairs, weights = arrays(links)
    community = find_communities(accounts, pairs, weights, resolution=resolution, seed=1).community
    whole = as_networkx(*graph)
    rows = community_metrics(pairs, weights, community).to_dict("records")
    assert len(rows) == community.max(initial=-1) + 1
    for row in rows:
        members = np.flatnonzero(community == row["community"]).tolist()
        part = whole.subgraph(members)
        assert (row["members"], row["links"]) == (len(part), part.number_of_edges())
        assert row["density"] == pytest.approx(nx.density(part), abs=1e-6)
        assert row["weight"] == pytest.approx(part.size("weight"), abs=1e-6)
        assert row["outside_weight"] == pytest.approx(nx.cut_size(whole, members, weight="weight"), abs=1e-6)
        if row["outside_weight"]:
            expected = nx.conductance(whole, members, weight="weight")
            assert row["conductance"] == pytest.approx(expected, abs=2e-6)
        assert row["bridges"] == sum(1 for _ in nx.bridges(part))
        assert row["articulation"] == sum(1 for _ in nx.articulation_points(part))


@given(graphs())
def test_weak_points_are_those_of_networkx(graph: tuple[int, Links]) -> None:
    whole = as_networkx(*graph)
    weak = community_weak_points(*arrays(graph[1]), np.zeros(graph[0], np.int64))
    assert weak.bridges.tolist() == sorted(sorted(pair) for pair in nx.bridges(whole))
    assert weak.articulation.tolist() == sorted(nx.articulation_points(whole))


def test_a_pair_that_comes_twice_is_one_link_and_still_a_bridge() -> None:
    pairs, community = np.array([[0, 1], [1, 0]]), np.zeros(2, np.int64)
    row = community_metrics(pairs, np.array([2.0, 3.0]), community).iloc[0]
    assert (row["links"], row["weight"], row["bridges"]) == (1, 5.0, 1)


def test_without_communities_there_are_no_rows() -> None:
    nothing = np.empty((0, 2), np.int64), np.empty(0), np.full(3, -1)
    assert len(community_metrics(*nothing)) == len(secondary_memberships(*nothing)) == 0
    assert len(community_weak_points(*nothing).bridges) == 0


def test_an_account_that_serves_two_is_named_with_its_share() -> None:
    community = np.array([0, 0, 0, 0, 1, 1, 1])
    pairs = np.array([*combinations(range(4), 2), *combinations(range(4, 7), 2), (3, 4), (3, 5), (0, 6)])
    weights = np.full(len(pairs), 6.0)
    # The others that are linked with another community are so by a single link.
    assert secondary_memberships(pairs, weights, community).to_dict("records") == [
        {"account": 3, "community": 1, "share": 0.4}
    ]
    assert secondary_memberships(pairs, weights, community, least_share=0.5).empty


@given(graphs(), st.floats(0.05, 0.9))
def test_further_memberships_are_those_of_a_plain_count(graph: tuple[int, Links], least_share: float) -> None:
    accounts, links = graph
    pairs, weights = arrays(links)
    community = find_communities(accounts, pairs, weights, resolution=3.0, seed=1).community
    into, count = np.zeros((accounts, accounts + 1)), np.zeros((accounts, accounts + 1))
    for pair, weight in links.items():
        for one, other in (pair, pair[::-1]):
            into[one, community[other]] += weight
            count[one, community[other]] += 1
    expected = {
        (a, c): into[a, c] / into[a].sum()
        for a in np.flatnonzero(community >= 0)
        for c in range(community.max() + 1)
        if c != community[a] and count[a, c] >= 2 and into[a, c] / into[a].sum() >= least_share + 1e-6
    }
    found = secondary_memberships(pairs, weights, community, least_share)
    shares = {(row.account, row.community): row.share for row in found.itertuples()}
    assert expected.keys() <= shares.keys()
    assert all(shares[key] == pytest.approx(share, abs=1e-6) for key, share in expected.items())
    assert all(share >= least_share for share in shares.values())


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        secondary_memberships(PAIRS, WEIGHTS, np.zeros(7, np.int64), 0.0)
