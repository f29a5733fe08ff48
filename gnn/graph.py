"""The snapshot as a graph that messages pass through: both directions, weighted, without dead ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringfence.gnn.features import ACCOUNT, LINK, Floats, node_inputs
from ringfence.snapshot import Edges, EdgeType, Snapshot

Nodes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MessageGraph:
    """What a graph neural network reads."""

    inputs: dict[str, Floats]
    """Node type → shape ``(n, f)``; only types that have nodes left."""
    edges: dict[EdgeType, Edges]
    """Both directions; none empty. The weights of the edges into a node sum to 1 in each relation."""


def message_graph(snapshot: Snapshot) -> MessageGraph:
    """Return the message graph of a snapshot.

    An entity that touches one node only carries nothing from one account to another, so it is left out,
    and so is what then touches one node only. Degrees are counted before that: how many cards an account
    has is known still.
    """
    inputs = node_inputs(snapshot)
    kept = _kept_nodes(snapshot)
    renumber = {node: np.cumsum(keep) - 1 for node, keep in kept.items()}
    edges: dict[EdgeType, Edges] = {}
    for (source, relation, target), forward in sorted(snapshot.edges.items()):
        both = kept[source][forward.index[0]] & kept[target][forward.index[1]]
        if not both.any():
            continue
        start = renumber[source][forward.index[0, both]]
        end = renumber[target][forward.index[1, both]]
        edges.update(_directions((source, relation, target), start, end, forward.weight[both]))
    return MessageGraph(
        {node: values[kept[node]] for node, values in inputs.items() if kept[node].any()}, edges
    )


def _directions(edge_type: EdgeType, start: Nodes, end: Nodes, weight: Floats) -> dict[EdgeType, Edges]:
    source, relation, target = edge_type
    if relation == LINK:
        both = np.concatenate([start, end]), np.concatenate([end, start])
        return {edge_type: _normalised(*both, np.concatenate([weight, weight]))}
    return {
        edge_type: _normalised(start, end, weight),
        (target, f"rev_{relation}", source): _normalised(end, start, weight),
    }


def _normalised(start: Nodes, end: Nodes, weight: Floats) -> Edges:
    """Return edges weighed by weight / √(out-degree of the source), made to sum to 1 at each target.

    The root holds hubs back: what a thousand accounts share says less of each of them.
    """
    out_degree = np.bincount(start)[start]
    share = np.maximum(weight, 1e-6) / np.sqrt(out_degree)
    total = np.bincount(end, weights=share)[end]
    return Edges(np.stack([start, end]), (share / total).astype(np.float32))


def _kept_nodes(snapshot: Snapshot) -> dict[str, npt.NDArray[np.bool_]]:
    """Return node type → which nodes stay: every account, and entities that lead somewhere."""
    kept = {node: np.ones(len(values), np.bool_) for node, values in snapshot.features.items()}
    while True:
        degree = _degrees(snapshot, kept)
        dead = {n: k & (degree[n] < 2) for n, k in kept.items() if n != ACCOUNT}
        if not any(nodes.any() for nodes in dead.values()):
            return kept
        for node, nodes in dead.items():
            kept[node] &= ~nodes


def _degrees(snapshot: Snapshot, kept: dict[str, npt.NDArray[np.bool_]]) -> dict[str, Nodes]:
    degree = {node: np.zeros(len(keep), np.int64) for node, keep in kept.items()}
    for (source, _relation, target), edges in snapshot.edges.items():
        alive = kept[source][edges.index[0]] & kept[target][edges.index[1]]
        for node, end in ((source, 0), (target, 1)):
            degree[node] += np.bincount(edges.index[end, alive], minlength=len(degree[node]))
    return degree
