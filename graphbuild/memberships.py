"""What a community's number does not tell: several networks in one, and accounts that serve a second.

Told to whoever looks into a ring; it is no evidence, and decisions do not change by it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.communities.hierarchy import sub_networks
from ringfence.graphbuild.communities.overlap import secondary_memberships


def memberships(
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    community: npt.NDArray[np.int64],
    *,
    least_size: int,
    seed: int,
    workers: int = 1,
) -> pd.DataFrame:
    """Return a row for each account that is in a part of its community, or serves a second one.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        community: shape: ``(n,)``; -1 for none.
        least_size: Smaller communities are not looked at, and smaller parts not told.
        seed: The same seed gives the same parts.
        workers: Threads at work.

    Returns:
        account, its number; community; part, the number of the sub-network in its community, from 1 by size,
        null where it is in none; second, the other community that the account serves most, null for none;
        share of the weight of its links that those into ``second`` have, 0..1.
    """
    size = np.bincount(community + 1)[community + 1]
    community = np.where(size >= least_size, community, -1)
    group = sub_networks(pairs, weights, community, seed=seed, least_size=least_size, workers=workers)
    part = _by_size(community, group)
    served = secondary_memberships(pairs, weights, community).drop_duplicates("account")
    second = np.full(len(community), -1, np.int64)
    second[served["account"]] = served["community"]
    share = np.full(len(community), np.nan)
    share[served["account"]] = served["share"]
    account = np.flatnonzero((part > 0) | (second >= 0))
    found = pd.DataFrame({"account": account, "community": community[account]})
    found["part"] = pd.Series(part[account], dtype="Int64").where(part[account] > 0)
    found["second"] = pd.Series(second[account], dtype="Int64").where(second[account] >= 0)
    return found.assign(share=share[account])


def _by_size(community: npt.NDArray[np.int64], group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of each account's group in its community, from 1 by size; 0 where it is alone."""
    placed = group >= 0
    size = np.bincount(group[placed])
    of = np.zeros(len(size), np.int64)
    of[group[placed]] = community[placed]
    order = np.lexsort((-size, of))
    number = np.empty(len(size), np.int64)
    number[order] = np.arange(len(size)) - np.searchsorted(of[order], of[order]) + 1
    number[np.bincount(of)[of] == 1] = 0
    return np.append(number, 0)[group]
