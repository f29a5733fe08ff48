"""Graphs with groups that are known, for the tests of communities."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
from hypothesis import strategies as st

Links = dict[tuple[int, int], float]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Links]:
    accounts = draw(st.integers(1, 24))
    pairs = [(a, b) for a in range(accounts) for b in range(a + 1, accounts)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=60)) if pairs else []
    weights = draw(st.lists(st.floats(0.01, 40.0), min_size=len(chosen), max_size=len(chosen)))
    return accounts, dict(zip(chosen, weights, strict=True))


def arrays(links: Links) -> tuple[np.ndarray, np.ndarray]:
    return np.array(list(links), np.int64).reshape(-1, 2), np.array(list(links.values()), np.float64)


def as_networkx(accounts: int, links: Links) -> nx.Graph:
    graph = nx.empty_graph(accounts)
    graph.add_weighted_edges_from((a, b, w) for (a, b), w in links.items())
    return graph


def groups(numbers: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(numbers == n).tolist()) for n in np.unique(numbers[numbers >= 0])}


def quality(community: np.ndarray, pairs: np.ndarray, weights: np.ndarray, resolution: float) -> float:
    """The Constant Potts Model: weight inside communities less γ for each of their pairs."""
    left, right = community[pairs].T
    size = np.bincount(community[community >= 0])
    return float(weights[(left == right) & (left >= 0)].sum() - resolution * (size * (size - 1) / 2).sum())


def planted(
    sizes: Sequence[int], inside: float, between: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the group of each account, pairs and weights; links between groups weigh a little less."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    left, right = np.triu_indices(len(group), 1)
    same = group[left] == group[right]
    kept = rng.random(len(left)) < np.where(same, inside, between)
    weights = np.where(same, rng.uniform(6, 14, len(left)), rng.uniform(6, 10, len(left)))
    return group, np.stack([left, right], axis=1)[kept], weights[kept]
