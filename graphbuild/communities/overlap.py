"""Accounts that serve two: in one community, and linked with another nearly as much."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.communities.links import checked_links

_DECIMALS = 6


def secondary_memberships(
    pairs: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    community: npt.NDArray[np.int64],
    least_share: float = 0.5,
) -> pd.DataFrame:
    """Return the further communities of accounts, by account and then by falling share.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.
        community: shape: ``(n,)``; -1 for none.
        least_share: The weight of an account's links into another community must be this share of the weight
            of those into its own.

    Returns:
        account, its number; community, the other one; share.

    Raises:
        ValueError: a link is not usable, or the share is not above 0.
    """
    if not least_share > 0:
        raise ValueError(f"The least share must be above 0, not {least_share}: each account would serve all.")
    links = checked_links(len(community), pairs, weights)
    account = np.concatenate([links.left, links.right])
    other = community[np.concatenate([links.right, links.left])]
    weight = np.concatenate([links.weights, links.weights])
    own = community[account]
    home = own == other
    into_own = np.bincount(account[home], weight[home], minlength=len(community))
    away = ~home & (own >= 0) & (other >= 0)
    groups = int(community.max(initial=-1)) + 1
    key, of = np.unique(account[away] * groups + other[away], return_inverse=True)
    into = np.bincount(of, weight[away], minlength=len(key))
    found = pd.DataFrame({"account": key // max(groups, 1), "community": key % max(groups, 1)})
    own_weight = into_own[found["account"]]
    share = np.divide(into, own_weight, out=np.full(len(key), np.inf), where=own_weight > 0).round(_DECIMALS)
    found = pd.DataFrame(found.assign(share=share)[share >= least_share])
    return found.sort_values(
        ["account", "share", "community"], ascending=[True, False, True], ignore_index=True
    )
