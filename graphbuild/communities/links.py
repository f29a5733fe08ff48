"""Links between accounts by number: what is refused, and what is the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Links:
    """Links that were looked through: no account is linked with itself."""

    left: npt.NDArray[np.int64]
    """shape: ``(e,)``; one end of each."""
    right: npt.NDArray[np.int64]
    """shape: ``(e,)``; the other."""
    weights: npt.NDArray[np.float64]
    """shape: ``(e,)``; in nats, positive."""


def checked_links(accounts: int, pairs: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> Links:
    """Return the links; those of an account with itself are left out, for they say nothing.

    A pair may come more than once, either way round: its weights add up.

    Args:
        accounts: n, the number of accounts.
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; their weights in nats.

    Raises:
        ValueError: there is not one weight a pair, an account is not there, or a weight is not positive
            and finite.
    """
    if pairs.shape != (len(weights), 2):
        raise ValueError(
            f"{len(weights)} weights do not fit pairs of shape {pairs.shape}: one a pair is needed."
        )
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= accounts):
        wrong = pairs[(pairs < 0) | (pairs >= accounts)][0]
        raise ValueError(f"A link names account {wrong}; there are {accounts}, numbered from 0.")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if len(bad):
        left, right = pairs[bad[0]]
        raise ValueError(
            f"Link weights must be positive and finite; {len(bad)} of {len(weights)} are not, the first "
            f"being {weights[bad[0]]} between accounts {left} and {right}. Leave such pairs out."
        )
    apart = pairs[:, 0] != pairs[:, 1]
    if not apart.all():
        pairs, weights = pairs[apart], weights[apart]
    return Links(
        np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]), np.asarray(weights, np.float64)
    )


def each_once(links: Links, accounts: int) -> Links:
    """Return each pair once, with the sum of its weights."""
    low, high = np.minimum(links.left, links.right), np.maximum(links.left, links.right)
    key, pair = np.unique(low * accounts + high, return_inverse=True)
    if len(key) == len(pair):
        return links
    return Links(key // accounts, key % accounts, np.bincount(pair, links.weights).astype(np.float64))
