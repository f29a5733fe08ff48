"""Links as adjacency: who is linked with whom, in the order of accounts, and which of them hang together."""

from __future__ import annotations

import numpy as np

from ringfence.graphbuild.templates.loops.compiled import compiled, helper


@compiled
def adjacency(nodes, left, right, weights):
    """Return the links of each node: ``neighbours[starts[v] : starts[v + 1]]`` and their weights.

    A node's neighbours come in ascending order whatever the order of the links. Links that are sorted are so
    after one pass; others after a second one, stably by the other end, without a comparison.

    Args:
        nodes: n.
        left: shape: ``(e,)``; one end of each link.
        right: shape: ``(e,)``; the other.
        weights: shape: ``(e,)``.
    """
    starts = np.zeros(nodes + 1, np.int64)
    for e in range(left.size):
        starts[left[e] + 1] += 1
        starts[right[e] + 1] += 1
    starts = np.cumsum(starts)
    free = starts[:-1].copy()
    ends, by_end = np.empty(2 * left.size, np.int32), np.empty(2 * left.size, np.float64)
    for e in range(left.size):
        for source, target in ((left[e], right[e]), (right[e], left[e])):
            ends[free[source]] = target
            by_end[free[source]] = weights[e]
            free[source] += 1
    if _ascending(starts, ends):
        return starts, ends, by_end
    free = starts[:-1].copy()
    neighbours, sorted_weights = np.empty_like(ends), np.empty_like(by_end)
    for source in range(nodes):
        for e in range(starts[source], starts[source + 1]):
            place = free[ends[e]]
            neighbours[place] = source
            sorted_weights[place] = by_end[e]
            free[ends[e]] = place + 1
    return starts, neighbours, sorted_weights


@helper
def _ascending(starts, ends):
    for v in range(starts.size - 1):
        for e in range(starts[v] + 1, starts[v + 1]):
            if ends[e] < ends[e - 1]:
                return False
    return True


@compiled
def components(nodes, left, right):
    """Return the connected component of each node, numbered in the order of their first nodes.

    Union-find in which the lower number is always the root (Tarjan 1975, with path halving).

    Args:
        nodes: n.
        left: shape: ``(e,)``; one end of each link.
        right: shape: ``(e,)``; the other.
    """
    parent = np.arange(nodes)
    for e in range(left.size):
        one, other = left[e], right[e]
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one < other:
            parent[other] = one
        elif other < one:
            parent[one] = other
    number = np.empty(nodes, np.int64)
    found = 0
    for v in range(nodes):
        if parent[v] == v:
            number[v] = found
            found += 1
        else:  # its parent is lower, and numbered already
            number[v] = number[parent[v]]
    return number
