"""The resolution that describes the links best: a choice that needs no labels and no truth."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ringfence.graphbuild.communities.description import planted_nats
from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.links import checked_links, each_once


def shortest_resolution(
    accounts: int,
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    candidates: Iterable[float],
    *,
    seed: int,
    workers: int = 1,
) -> float:
    """Return the candidate whose communities describe the links in the fewest nats; of equals, the first.

    Args:
        accounts: n, the number of accounts.
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        candidates: Resolutions to choose from, at least one.
        seed: The same seed gives the same choice.
        workers: Threads at work.

    Raises:
        ValueError: a link or a candidate is not usable, or there is no candidate.
    """
    links = each_once(checked_links(accounts, pairs, weights), accounts)

    def nats(resolution: float) -> float:
        found = find_communities(
            accounts, pairs, weights, resolution=resolution, seed=seed, workers=workers
        ).community
        alone = found.max(initial=-1) + 1 + np.cumsum(found < 0) - 1
        return planted_nats(accounts, links, np.where(found < 0, alone, found))

    return min(candidates, key=nats)
