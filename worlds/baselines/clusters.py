"""Links between accounts → clusters of a least size, and a detector's answer made of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from ringfence.worlds.score.findings import Findings

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST_SIZE = 5
"""Accounts of the smallest cluster that is reported."""


def numbered(accounts: pd.Index[str], names: pd.Series[str]) -> Numbers:
    """Return the place of each name among the accounts; -1 where it is none."""
    return np.asarray(accounts.get_indexer(pd.Index(names)), np.int64)


def components(accounts: int, left: Numbers, right: Numbers) -> Numbers:
    """Return the connected component of each account.

    Args:
        accounts: n.
        left: shape: ``(e,)``; account numbers, or numbers of 0..m-1 of any nodes.
        right: shape: ``(e,)``; the other ends. Nodes from n on are things that accounts share.

    Returns:
        shape: ``(n,)``.
    """
    nodes = max(accounts, int(left.max(initial=-1)) + 1, int(right.max(initial=-1)) + 1)
    graph = sparse.coo_matrix((np.ones(len(left), np.int8), (left, right)), (nodes, nodes))
    return np.asarray(csgraph.connected_components(graph, directed=False)[1][:accounts], np.int64)


def large(groups: Numbers, least: int = LEAST_SIZE) -> Numbers:
    """Return the groups with those of fewer than ``least`` accounts made -1; -1 stays; shape: ``(n,)``."""
    inside = groups >= 0
    sizes = np.bincount(groups[inside], minlength=1)
    return np.where(inside & (sizes[np.where(inside, groups, 0)] >= least), groups, -1)


def clustered(detector: str, accounts: pd.Index[str], groups: Numbers, scores: Floats) -> Findings:
    """Return an answer that reports every group as a ring.

    Args:
        detector: Its name.
        accounts: The n accounts.
        groups: shape: ``(n,)``; -1 for accounts in none.
        scores: shape: ``(n,)``; higher is more suspect.
    """
    codes, _groups = pd.factorize(np.where(groups < 0, -1, groups))
    found = pd.unique(codes[groups >= 0])
    names = {code: f"{detector}-{place:05d}" for place, code in enumerate(found, start=1)}
    named = pd.Series(codes).where(groups >= 0).map(names).astype(object)
    return Findings(
        detector=detector,
        accounts=pd.DataFrame(
            {
                "account_id": np.asarray(accounts, object),
                "score": scores.astype(float),
                "cluster": named.where(named.notna(), None),
                "role": pd.Series([None] * len(accounts), dtype=object),
            }
        ),
        clusters=pd.DataFrame(
            {"cluster": list(names.values()), "decision": "ring", "probability": np.nan}
        ).astype({"cluster": object, "decision": object, "probability": float}),
    )
