"""Links → communities: Leiden with the Constant Potts Model, per connected component.

Traag, Van Dooren and Nesterov (2011) for the model, Traag, Waltman and van Eck (2019) for the algorithm.
CPM compares each community with a fixed density γ and with nothing else in the graph, so components are
independent of each other, and small rings are not swallowed by large graphs. Every community is connected.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.communities.links import Links, checked_links
from ringfence.graphbuild.communities.loops.adjacency import adjacency, components
from ringfence.graphbuild.communities.loops.leiden import leiden
from ringfence.graphbuild.communities.partition import Partition, renumbered
from ringfence.progress import Tick, silent

_SHARE_OF_A_HEAP = 0.02
"""Workers take components in heaps of about this share of all links; a larger one is a heap of its own."""


def find_communities(
    accounts: int,
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    *,
    resolution: float,
    seed: int,
    previous: npt.NDArray[np.int64] | None = None,
    workers: int = 1,
    tick: Tick = silent,
) -> Partition:
    """Partition the accounts.

    What is found in a component depends on nothing outside it, and not on the order of the links.

    Args:
        accounts: n, the number of accounts.
        pairs: shape: ``(e, 2)``; links between account numbers. One that comes twice weighs its sum.
        weights: shape: ``(e,)``; their weights in nats, positive and finite.
        resolution: γ in nats: the mean weight per pair that a community exceeds.
        seed: The same seed gives the same partition.
        previous: shape: ``(n,)``; the community that each account was in before, -1 for none: where to start
            from, so that what has not changed stays together.
        workers: Threads at work; the partition is the same for any number.
        tick: Told the share of links that are done.

    Raises:
        ValueError: a weight is not positive or not finite, or the resolution is below 0.
    """
    if not (np.isfinite(resolution) and resolution >= 0):
        raise ValueError(f"The resolution must be 0 or more, not {resolution}.")
    if previous is not None and len(previous) != accounts:
        raise ValueError(f"There are {accounts} accounts, and previous communities of {len(previous)}.")
    links = checked_links(accounts, pairs, weights)
    component = components(accounts, links.left, links.right)
    size = np.bincount(component)
    linked = np.flatnonzero(size[component] > 1)
    order = linked[np.argsort(component[linked], kind="stable")]
    bounds = np.concatenate([[0], np.cumsum(size[size > 1])])
    number = np.empty(accounts, np.int64)
    number[order] = np.arange(len(order))
    starts, ends, weight = adjacency(len(order), number[links.left], number[links.right], links.weights)
    first = np.repeat(bounds[:-1], np.diff(bounds))
    place = (np.arange(len(order)) - first).astype(np.int32)
    if previous is not None:
        place = _start(np.asarray(previous)[order], place, first)
    heaps = _heaps(starts[bounds])

    def work(heap: tuple[int, int]) -> int:
        leiden(
            bounds[heap[0] : heap[1] + 1],
            starts,
            ends,
            weight,
            place,
            float(resolution),
            np.uint64(seed % 2**64),
        )
        return int(starts[bounds[heap[1]]])

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for done in pool.map(work, heaps):
            tick(done / max(len(ends), 1))
    group = np.full(accounts, -1, np.int64)
    group[order] = place + first
    return Partition(component, _connected(links, group))


def _start(
    previous: npt.NDArray[np.int64], alone: npt.NDArray[np.int32], first: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Return the groups to start from: earlier communities within each component, all others alone."""
    known = np.flatnonzero(previous >= 0)
    keys = np.stack([first[known], previous[known]])
    _, founder, group = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    start = alone.copy()
    start[known] = alone[known[founder[group.ravel()]]]
    return start


def _heaps(link_starts: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return runs of components, the first and the one behind the last of each, of about as many links."""
    most = max(int(link_starts[-1] * _SHARE_OF_A_HEAP), 1)
    cuts = np.flatnonzero(np.diff(link_starts[:-1] // most)) + 1
    return list(pairwise([0, *cuts.tolist(), len(link_starts) - 1]))


def _connected(links: Links, group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the groups of two or more, each in one piece, numbered in the order of their first accounts.

    Leiden promises connected communities; a ring cut in two by a defect would be two accusations.
    """
    inside = group[links.left] == group[links.right]
    piece = components(len(group), links.left[inside], links.right[inside])
    return renumbered(np.where(np.bincount(piece, minlength=1)[piece] > 1, piece, -1))
