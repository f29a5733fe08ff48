"""Components of shared cards in a real payment network, as networkx finds them."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.metrics import community_weak_points
from ringfence.testing.p2p import p2p_tables

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def cards() -> pd.DataFrame:
    """The user and the card of each row, numbered."""
    folder = p2p_tables()
    if folder is None:
        pytest.skip("the public payment network is not there; name its folder in RINGFENCE_SHARED_DATA")
    had = pd.read_parquet(folder / "HAS_CC.parquet").drop_duplicates()
    return pd.DataFrame(
        {"user": pd.factorize(had["from_user_id"])[0], "card": pd.factorize(had["to_card_id"])[0]}
    )


@pytest.fixture(scope="module")
def pairs(cards: pd.DataFrame) -> np.ndarray:
    both = cards.merge(cards, on="card")
    return both.loc[both["user_x"] < both["user_y"], ["user_x", "user_y"]].to_numpy(np.int64)


def test_users_hang_together_as_in_networkx(cards: pd.DataFrame, pairs: np.ndarray) -> None:
    users = int(cards["user"].max()) + 1
    found = find_communities(users, pairs, np.ones(len(pairs)), resolution=0.5, seed=1)
    graph = nx.Graph((user, ("card", card)) for user, card in cards.itertuples(index=False))
    expected = {
        frozenset(node for node in component if not isinstance(node, tuple))
        for component in nx.connected_components(graph)
    }
    assert len(expected) > 1000
    assert _groups(found.component) == expected
    left, right = found.community[pairs].T
    inside = nx.Graph(map(tuple, pairs[(left == right) & (left >= 0)].tolist()))
    assert _groups(found.community) == {frozenset(c) for c in nx.connected_components(inside)}


def test_weak_points_are_those_of_networkx(cards: pd.DataFrame, pairs: np.ndarray) -> None:
    whole = np.zeros(int(cards["user"].max()) + 1, np.int64)
    weak = community_weak_points(pairs, np.ones(len(pairs)), whole)
    graph = nx.Graph(map(tuple, pairs.tolist()))
    assert weak.bridges.tolist() == sorted(sorted(pair) for pair in nx.bridges(graph))
    assert weak.articulation.tolist() == sorted(nx.articulation_points(graph))


def _groups(numbers: np.ndarray) -> set[frozenset[int]]:
    """Return the groups of many accounts without looking through all of them for each."""
    inside = np.flatnonzero(numbers >= 0)
    return set(pd.Series(inside).groupby(numbers[inside]).agg(frozenset))
