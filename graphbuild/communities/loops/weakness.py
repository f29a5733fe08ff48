"""What holds a graph together by itself: bridges and articulation points (Hopcroft and Tarjan 1973)."""

from __future__ import annotations

import numpy as np

from ringfence.graphbuild.templates.loops.compiled import compiled


@compiled
def weak_points(starts, ends):
    """Return the far end of a bridge for each node, or -1, and whether its removal cuts its component.

    A walk goes as deep as it can; a node that no later one reaches past hangs on the link it was come by.
    Links that come twice between two nodes are one.

    Args:
        starts: shape: ``(n + 1,)``.
        ends: Node ``v`` is linked with ``ends[starts[v] : starts[v + 1]]``.
    """
    nodes = starts.size - 1
    order, low = np.full(nodes, -1, np.int64), np.empty(nodes, np.int64)
    parent, bridge = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    cuts, cursor, clock = np.zeros(nodes, np.bool_), starts[:-1].copy(), 0
    for root in range(nodes):
        if order[root] >= 0:
            continue
        v, branches = root, 0
        order[v] = low[v] = clock
        clock += 1
        while True:
            if cursor[v] < starts[v + 1]:
                u = ends[cursor[v]]
                cursor[v] += 1
                if order[u] < 0:
                    parent[u] = v
                    order[u] = low[u] = clock
                    clock += 1
                    v = u
                elif u != parent[v]:
                    low[v] = min(low[v], order[u])
                continue
            up = parent[v]
            if up < 0:
                break
            low[up] = min(low[up], low[v])
            if low[v] > order[up]:
                bridge[v] = up
            if up == root:
                branches += 1
            elif low[v] >= order[up]:
                cuts[up] = True
            v = up
        cuts[root] = branches > 1
    return bridge, cuts
