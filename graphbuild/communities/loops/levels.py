"""Graphs whose nodes are groups of accounts, and what Leiden does with numbers of groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import uint64

from ringfence.graphbuild.templates.loops.compiled import helper
from ringfence.graphbuild.templates.loops.hashing import mixed

_STEP = uint64(0x9E3779B97F4A7C15)


class Level(NamedTuple):
    """Node ``v`` stands for ``sizes[v]`` accounts; it is linked with ``ends[starts[v] : starts[v + 1]]``."""

    starts: np.ndarray
    ends: np.ndarray
    weights: np.ndarray
    sizes: np.ndarray


@helper
def merged(level, part, parts):
    """Return the graph whose nodes are the parts."""
    bounds = np.zeros(parts + 1, np.int64)
    for v in range(part.size):
        bounds[part[v] + 1] += 1
    bounds = np.cumsum(bounds)
    free, order = bounds[:-1].copy(), np.empty(part.size, np.int32)
    for v in range(part.size):
        order[free[part[v]]] = v
        free[part[v]] += 1
    starts, sizes = np.zeros(parts + 1, np.int64), np.zeros(parts, np.int64)
    ends, weights = np.empty(level.ends.size, np.int32), np.empty(level.ends.size, np.float64)
    toward = np.zeros(parts, np.float64)
    filled = 0
    for one in range(parts):
        for v in order[bounds[one] : bounds[one + 1]]:
            sizes[one] += level.sizes[v]
            for e in range(level.starts[v], level.starts[v + 1]):
                other = part[level.ends[e]]
                if other != one:
                    if toward[other] == 0.0:
                        ends[filled] = other
                        filled += 1
                    toward[other] += level.weights[e]
        for e in range(starts[one], filled):
            weights[e] = toward[ends[e]]
            toward[ends[e]] = 0.0
        starts[one + 1] = filled
    return Level(starts, ends[:filled].copy(), weights[:filled].copy(), sizes)


@helper
def numbered(group):
    """Number groups from 0 in the order of their first nodes, in place; return how many there are."""
    number = np.full(group.size and group.max() + 1, -1, np.int32)
    found = 0
    for v in range(group.size):
        if number[group[v]] < 0:
            number[group[v]] = found
            found += 1
        group[v] = number[group[v]]
    return found


@helper
def shuffled(nodes, state):
    """Return the nodes in random order (Fisher and Yates)."""
    order = np.arange(nodes)
    for i in range(nodes - 1, 0, -1):
        state[0] += _STEP
        j = mixed(state[0]) % uint64(i + 1)
        order[i], order[j] = order[j], order[i]
    return order
