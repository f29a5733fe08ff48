"""Leiden with the Constant Potts Model: Traag, Waltman and van Eck (2019), *From Louvain to Leiden*.

A group of nodes is worth the weight inside less γ for each pair of its accounts. ``place[v]`` is the group of
node ``v``; groups have numbers below that of the nodes.

As against the paper, refinement joins a node to the best group instead of drawing among the better ones:
weights in nats differ by so much that the draw is nearly always the best. Chance remains in the order of
nodes. And later rounds look again only at what has changed since it was last refined.
"""

from __future__ import annotations

import numpy as np

from ringfence.graphbuild.communities.loops.levels import Level, merged, numbered, shuffled
from ringfence.graphbuild.templates.loops.compiled import compiled, helper

_LEAST_GAIN = 1e-9
"""What a move must gain: sums of weights differ by less in another order."""


@compiled
def leiden(blocks, starts, ends, weights, place, resolution, seed):
    """Improve a partition until neither nodes nor parts of groups gain by a move, each block by itself.

    Args:
        blocks: Block ``b`` has the nodes ``blocks[b] .. blocks[b + 1] - 1``; no link leaves it.
        starts: shape: ``(n + 1,)``; over all blocks.
        ends: shape: ``(2 e,)``; each link from both ends, none from a node to itself.
        weights: shape: ``(2 e,)``; positive.
        place: shape: ``(n,)``; group of each node, to begin with and at the end, 0 .. nodes of its block - 1.
        resolution: γ.
        seed: Settles the order of nodes, together with nothing but the block itself.
    """
    for b in range(blocks.size - 1):
        first, last = blocks[b], blocks[b + 1]
        links = slice(starts[first], starts[last])
        graph = Level(
            starts[first : last + 1] - starts[first],
            (ends[links] - first).astype(np.int32),
            weights[links].copy(),
            np.ones(last - first, np.int64),
        )
        state = np.full(1, seed, np.uint64)
        fresh = np.ones(last - first, np.bool_)
        while fresh.any():
            fresh = _round(graph, place[first:last], fresh, resolution, state)
        _join_all(graph, place[first:last], resolution)


@helper
def _round(graph, place, fresh, resolution, state):
    """Move, refine and merge nodes, level by level; return which nodes' groups have changed by merging.

    Only what is ``fresh``, changed since it was last refined, is looked at again: all else stands as it is.
    """
    moving = fresh.copy()
    if not fresh.all():
        for v in np.flatnonzero(fresh):
            moving[graph.ends[graph.starts[v] : graph.starts[v + 1]]] = True
    before, groups = place.copy(), place.copy()
    node, level = np.arange(place.size).astype(np.int32), graph
    while True:
        _move(level, groups, moving, resolution, state)
        if level.sizes.size == place.size:
            place[:] = groups
            fresh = fresh | _changed(before, groups)
        part = _refined(level, groups, fresh, resolution, state)
        parts = numbered(part)
        if parts == part.size:
            break
        coarse = np.empty(parts, np.int32)
        for v in range(part.size):
            coarse[part[v]] = groups[v]
        numbered(coarse)
        level, groups, node = merged(level, part, parts), coarse, part[node]
        moving, fresh = np.ones(parts, np.bool_), np.ones(parts, np.bool_)
    after = groups[node]
    changed = _changed(place, after)
    place[:] = after
    numbered(place)
    return changed


@helper
def _changed(before, after):
    """Return for each node whether its group has lost or won any member."""
    most = max(before.max(), after.max()) + 1
    origin = np.full(most, -1, np.int32)
    was, common = np.zeros(most, np.int64), np.zeros(most, np.int64)
    for v in range(before.size):
        was[before[v]] += 1
        if origin[after[v]] < 0:
            origin[after[v]] = before[v]
        common[after[v]] += 1 if before[v] == origin[after[v]] else -before.size
    changed = np.empty(before.size, np.bool_)
    for v in range(before.size):
        changed[v] = common[after[v]] != was[origin[after[v]]]
    return changed


@helper
def _join_all(graph, place, resolution):
    """Put all nodes into one group where that is worth more than what was found."""
    count = np.zeros(place.size, np.int64)
    apart = 0.0
    for v in range(place.size):
        count[place[v]] += 1
        for e in range(graph.starts[v], graph.starts[v + 1]):
            if place[graph.ends[e]] != place[v]:
                apart += graph.weights[e]
    pairs = place.size * place.size - (count * count).sum()
    if apart > resolution * pairs:
        place[:] = 0


@helper
def _move(level, place, moving, resolution, state):
    """Move nodes to the groups they gain most by until none gains; ``moving`` is where to begin."""
    nodes = place.size
    total, members = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    for v in range(nodes):
        total[place[v]] += level.sizes[v]
        members[place[v]] += 1
    empty = np.flatnonzero(members == 0)
    spare = empty.size
    empty = np.concatenate((empty, np.empty(nodes - spare, np.int64)))
    toward, near = np.zeros(nodes, np.float64), np.empty(nodes, np.int32)
    queue, waits = np.empty(nodes, np.int32), moving
    head = waiting = 0
    for v in shuffled(nodes, state):
        if waits[v]:
            queue[waiting] = v
            waiting += 1
    while waiting:
        v = queue[head]
        head = head + 1 if head + 1 < nodes else 0
        waiting -= 1
        waits[v] = False
        own, size, met = place[v], level.sizes[v], 0
        for e in range(level.starts[v], level.starts[v + 1]):
            group = place[level.ends[e]]
            if toward[group] == 0.0:
                near[met] = group
                met += 1
            toward[group] += level.weights[e]
        best, gain = own, toward[own] - resolution * size * (total[own] - size)
        for group in near[:met]:
            if group != own:
                other = toward[group] - resolution * size * total[group]
                if other > gain + _LEAST_GAIN:
                    best, gain = group, other
            toward[group] = 0.0
        if gain < -_LEAST_GAIN and members[own] > 1:
            spare -= 1
            best = empty[spare]
        if best == own:
            continue
        place[v] = best
        total[own] -= size
        total[best] += size
        members[own] -= 1
        members[best] += 1
        if members[own] == 0:
            empty[spare] = own
            spare += 1
        for e in range(level.starts[v], level.starts[v + 1]):
            u = level.ends[e]
            if not waits[u] and place[u] != best:
                tail = head + waiting
                queue[tail if tail < nodes else tail - nodes] = u
                waits[u] = True
                waiting += 1


@helper
def _refined(level, place, fresh, resolution, state):
    """Return parts of the groups, each connected: nodes join where both are well linked with the group.

    Groups that are not ``fresh`` are one part each.
    """
    nodes = place.size
    total = np.zeros(nodes, np.int64)
    for v in range(nodes):
        total[place[v]] += level.sizes[v]
    within = np.zeros(nodes, np.float64)
    first = np.full(nodes, -1, np.int32)
    for v in np.flatnonzero(fresh):
        for e in range(level.starts[v], level.starts[v + 1]):
            if place[level.ends[e]] == place[v]:
                within[v] += level.weights[e]
    part, mass, outward = np.arange(nodes).astype(np.int32), level.sizes.copy(), within.copy()
    alone = np.ones(nodes, np.bool_)
    toward, near = np.zeros(nodes, np.float64), np.empty(nodes, np.int32)
    for v in shuffled(nodes, state):
        group, size, met = place[v], level.sizes[v], 0
        if not fresh[v]:
            if first[group] < 0:
                first[group] = v
            part[v] = first[group]
            continue
        if not alone[v] or within[v] < resolution * size * (total[group] - size):
            continue
        for e in range(level.starts[v], level.starts[v + 1]):
            u = level.ends[e]
            if place[u] == group:
                if toward[part[u]] == 0.0:
                    near[met] = part[u]
                    met += 1
                toward[part[u]] += level.weights[e]
        best, gain, link = v, 0.0, 0.0
        for other in near[:met]:
            if outward[other] >= resolution * mass[other] * (total[group] - mass[other]):
                more = toward[other] - resolution * size * mass[other]
                if more > gain:
                    best, gain, link = other, more, toward[other]
            toward[other] = 0.0
        if best != v:
            part[v] = best
            mass[best] += size
            outward[best] += within[v] - 2 * link
            alone[best] = False
    return part
