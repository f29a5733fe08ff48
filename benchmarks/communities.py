"""Communities beside other libraries: how fast, how good, and how near to what was planted.

    python benchmarks/communities.py speed [--accounts N] [--runs K]
    python benchmarks/communities.py lfr [--graphs K]
    python benchmarks/communities.py large

``speed``: leidenalg, igraph and Ringfence partition the same links by the same objective (Constant Potts
Model) and resolution, each until nothing improves, in turn in one process; the time runs from arrays of pairs
and weights to an array of communities. Promise: at least 15× leidenalg, at an objective of at least 0.999 of
its value, with no community in pieces. Processor seconds tell more where others use the same cores.
``lfr``: normalised mutual information with the truth of LFR graphs (Lancichinetti, Fortunato, Radicchi 2008).
Both users of CPM get one resolution, 2 to 32 times the mean weight a pair of the graph: the one that
describes the links in the fewest nats. No method sees the truth.
``large``: what follows on communities at 2 million accounts and 6 million links.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import igraph
import leidenalg
import networkit
import networkx as nx
import numpy as np
from machine import machine
from sklearn.metrics import normalized_mutual_info_score

from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.hierarchy import nested
from ringfence.graphbuild.communities.loops.adjacency import components
from ringfence.graphbuild.communities.metrics import community_metrics
from ringfence.graphbuild.communities.overlap import secondary_memberships
from ringfence.graphbuild.communities.resolution import shortest_resolution

Graph = tuple[int, np.ndarray, np.ndarray]
RESOLUTION = 1.0
MIXING = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
MULTIPLES = np.geomspace(2.0, 32.0, 13)


def planted(accounts: int, low: int, high: int, share: float, noise: int, seed: int) -> Graph:
    """Return links within groups of ``low`` to ``high`` accounts, and weaker ones between any; sorted."""
    rng = np.random.default_rng(seed)
    sizes = (low * (high / low) ** rng.random(accounts // low)).astype(int)
    bounds = np.minimum(np.concatenate([[0], np.cumsum(sizes)]), accounts)
    pairs = []
    for first, last in pairwise(bounds[: np.searchsorted(bounds, accounts) + 1].tolist()):
        left, right = np.triu_indices(last - first, 1)
        kept = (rng.random(len(left)) < share) | (right == left + 1)
        pairs.append(np.stack([left[kept], right[kept]], axis=1) + first)
    inside = np.concatenate(pairs)
    between = np.unique(np.sort(rng.integers(0, accounts, (noise, 2)), axis=1), axis=0)
    between = between[between[:, 0] != between[:, 1]]
    weights = np.concatenate([rng.uniform(2, 12, len(inside)), rng.uniform(0.5, 6, len(between))])
    pairs = np.sort(rng.permutation(accounts)[np.concatenate([inside, between])], axis=1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return accounts, pairs[order], weights[order]


def objective(graph: Graph, community: np.ndarray) -> float:
    """Return the Constant Potts Model's worth of a partition; -1 is for accounts alone."""
    _, pairs, weights = graph
    left, right = community[pairs].T
    size = np.bincount(community[community >= 0])
    return float(weights[(left == right) & (left >= 0)].sum() - RESOLUTION * (size * (size - 1) / 2).sum())


def in_pieces(graph: Graph, community: np.ndarray) -> int:
    """Return how many communities are not connected."""
    accounts, pairs, _ = graph
    left, right = community[pairs].T
    inside = pairs[(left == right) & (left >= 0)]
    piece = components(accounts, np.ascontiguousarray(inside[:, 0]), np.ascontiguousarray(inside[:, 1]))
    placed = community >= 0
    return len(np.unique(piece[placed])) - len(np.unique(community[placed]))


def as_igraph(graph: Graph) -> igraph.Graph:
    """Return the graph as the peers take it."""
    made = igraph.Graph(n=graph[0], edges=graph[1])
    made.es["weight"] = graph[2]
    return made


def by_leidenalg(graph: Graph, resolution: float = RESOLUTION) -> np.ndarray:
    """Return leidenalg's communities by CPM."""
    found = leidenalg.find_partition(
        as_igraph(graph),
        leidenalg.CPMVertexPartition,
        weights="weight",
        resolution_parameter=resolution,
        n_iterations=-1,
        seed=1,
    )
    return np.asarray(found.membership)


def by_igraph(graph: Graph, objective_function: str = "CPM", resolution: float = RESOLUTION) -> np.ndarray:
    """Return igraph's communities by CPM or modularity."""
    found = as_igraph(graph).community_leiden(
        objective_function=objective_function, weights="weight", resolution=resolution, n_iterations=-1
    )
    return np.asarray(found.membership)


def by_networkit(graph: Graph) -> np.ndarray:
    """Return the communities of NetworKit's parallel Louvain method, by modularity."""
    accounts, pairs, weights = graph
    left, right = np.ascontiguousarray(pairs.T)
    made = networkit.GraphFromCoo((weights, (left, right)), n=accounts, weighted=True)
    return np.asarray(networkit.community.PLM(made).run().getPartition().getVector())


def ours(graph: Graph, resolution: float = RESOLUTION, workers: int = 1) -> np.ndarray:
    """Return Ringfence's communities."""
    return find_communities(*graph, resolution=resolution, seed=1, workers=workers).community


def speed(accounts: int, runs: int) -> None:
    """Print seconds, ratios and objectives."""
    ours(planted(100, 5, 10, 0.9, 20, 1))  # compiles
    methods: dict[str, Callable[[Graph], np.ndarray]] = {
        "ours, 1 worker": ours,
        "ours, 2 workers": lambda graph: ours(graph, workers=2),
        "igraph": by_igraph,
        "leidenalg": by_leidenalg,
    }
    cases = {
        "one giant component": (6, 90, 0.6, 2 * accounts),
        "many small components": (2, 60, 0.7, 0),
    }
    print("| graph | links | | seconds | ratio | cpu seconds | ratio | objective | in pieces |")
    print("|---|---|---|---|---|---|---|---|---|")
    for title, (low, high, share, noise) in cases.items():
        graph = planted(accounts, low, high, share, noise, 7)
        seconds: dict[str, list[float]] = {name: [] for name in methods}
        busy: dict[str, list[float]] = {name: [] for name in methods}
        found = {}
        for _ in range(runs):
            for name, method in methods.items():
                start, used = time.perf_counter(), time.process_time()
                found[name] = method(graph)
                seconds[name].append(time.perf_counter() - start)
                busy[name].append(time.process_time() - used)
        best = objective(graph, found["leidenalg"])
        for name in methods:
            took = " | ".join(compared(times, name) for times in (seconds, busy))
            worth = objective(graph, found[name]) / best
            pieces = in_pieces(graph, found[name])
            print(f"| {title} | {len(graph[1]):,} | {name} | {took} | {worth:.6f} | {pieces} |", flush=True)


def compared(times: dict[str, list[float]], name: str) -> str:
    """Return the median time, and how many times as long leidenalg took."""
    took = statistics.median(times[name])
    return f"{took:.2f} | {statistics.median(times['leidenalg']) / took:.1f}×"


def lfr(graphs: int) -> None:
    """Print the information shared with the truth, the mean over graphs."""
    methods: dict[str, Callable[[Graph, float], np.ndarray]] = {
        "ours (CPM)": ours,
        "leidenalg (CPM)": by_leidenalg,
        "igraph (modularity)": lambda graph, _: by_igraph(graph, "modularity", 1.0),
        "NetworKit PLM (modularity)": lambda graph, _: by_networkit(graph),
    }
    networkit.setNumberOfThreads(1)
    print(f"| mixing | {' | '.join(methods)} | resolution |\n|---|{'---|' * (len(methods) + 1)}")
    for mixing in MIXING:
        scores: dict[str, list[float]] = {name: [] for name in methods}
        chosen = []
        for graph, truth in lfr_graphs(mixing, graphs):
            density = graph[2].sum() / (graph[0] * (graph[0] - 1) / 2)
            resolution = shortest_resolution(*graph, density * MULTIPLES, seed=1)
            chosen.append(resolution)
            for name, method in methods.items():
                found = alone_numbered(method(graph, resolution))
                scores[name].append(normalized_mutual_info_score(truth, found))
        cells = " | ".join(f"{statistics.mean(score):.3f}" for score in scores.values())
        print(f"| {mixing} | {cells} | {min(chosen):.3f}–{max(chosen):.3f} |", flush=True)


def lfr_graphs(mixing: float, graphs: int) -> list[tuple[Graph, np.ndarray]]:
    """Return the first graphs, by seed, that the generator can make, and the group of each node."""
    made, seed = [], 0
    while len(made) < graphs:
        seed += 1
        try:
            graph = nx.LFR_benchmark_graph(
                1000,
                3,
                1.5,
                mixing,
                average_degree=20,
                max_degree=50,
                min_community=20,
                seed=seed,
                max_iters=2000,
            )
        except nx.ExceededMaxIterations:
            continue
        pairs = np.array([(a, b) for a, b in graph.edges() if a != b])
        truth = [min(graph.nodes[node]["community"]) for node in range(1000)]
        made.append(((1000, pairs, np.ones(len(pairs))), np.array(truth)))
    return made


def alone_numbered(community: np.ndarray) -> np.ndarray:
    """Return the communities with one of their own for each account in none."""
    return np.where(community < 0, len(community) + np.arange(len(community)), community)


def large() -> None:
    """Print seconds of each step at 2 million accounts."""
    ours(planted(100, 5, 10, 0.9, 20, 1))
    graph = planted(2_000_000, 2, 13, 0.8, 700_000, 7)
    print(f"{graph[0]:,} accounts, {len(graph[1]):,} links")
    community = timed("communities", lambda: ours(graph))
    timed("metrics", lambda: community_metrics(*graph[1:], community))
    timed("second memberships", lambda: secondary_memberships(*graph[1:], community))
    timed("nested", lambda: nested(*graph[1:], community, seed=1))


def timed(title: str, step: Callable[[], np.ndarray]) -> np.ndarray:
    """Print how long a step takes; return what it does."""
    start = time.perf_counter()
    result = step()
    print(f"{title}: {time.perf_counter() - start:.1f} s", flush=True)
    return result


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["speed", "lfr", "large"])
    parser.add_argument("--accounts", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--graphs", type=int, default=5)
    asked = parser.parse_args()
    print(machine(), flush=True)
    if asked.what == "speed":
        speed(asked.accounts, asked.runs)
    elif asked.what == "lfr":
        lfr(asked.graphs)
    else:
        large()


if __name__ == "__main__":
    main()
