"""Accounts that serve two: in one community, and linked with another nearly as much."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.communities.links import checked_links, each_once

LEAST_LINKS = 2
"""One link into another community is what chance may bring."""
_DECIMALS = 6


def secondary_memberships(
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    community: npt.NDArray[np.int64],
    least_share: float = 0.25,
) -> pd.DataFrame:
    """Return the further communities of accounts, by account and then by falling share.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        community: shape: ``(n,)``; -1 for none.
        least_share: The least share of the weight of an account's links that those into the other community
            have.

    Returns:
        account, its number; community, the other one, with :data:`LEAST_LINKS` of its accounts linked; share.

    Raises:
        ValueError: a link is not usable, or the share is not above 0.
    """
    if not least_share > 0:
        raise ValueError(f"The least share must be above 0, not {least_share}: each account would serve all.")
    links = each_once(checked_links(len(community), pairs, weights), len(community))
    account = np.concatenate([links.left, links.right])
    other = community[np.concatenate([links.right, links.left])]
    weight = np.concatenate([links.weights, links.weights])
    in_all = np.bincount(account, weight, minlength=len(community))
    own = community[account]
    away = (own != other) & (own >= 0) & (other >= 0)
    groups = int(community.max(initial=-1)) + 1
    key, of, count = np.unique(account[away] * groups + other[away], return_inverse=True, return_counts=True)
    into = np.bincount(of, weight[away], minlength=len(key))
    found = pd.DataFrame({"account": key // max(groups, 1), "community": key % max(groups, 1)})
    found["share"] = (into / in_all[found["account"]]).round(_DECIMALS)
    found = found[(found["share"] >= least_share) & (count >= LEAST_LINKS)]
    return found.sort_values(
        ["account", "share", "community"], ascending=[True, False, True], ignore_index=True
    )
