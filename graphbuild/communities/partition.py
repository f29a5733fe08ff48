"""What a partition of the accounts is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Partition:
    """Accounts in components and communities; both numbered from 0 in the order of their first account."""

    component: npt.NDArray[np.int64]
    """shape: ``(n,)``; accounts without a link are components of their own."""
    community: npt.NDArray[np.int64]
    """shape: ``(n,)``; -1 for accounts in no community of two or more."""


def renumbered(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number groups from 0 in the order of their first member; -1 stays."""
    inside = groups >= 0
    values, first, inverse = np.unique(groups[inside], return_index=True, return_inverse=True)
    rank = np.empty(len(values), np.int64)
    rank[np.argsort(first)] = np.arange(len(values))
    numbered = groups.copy()
    numbered[inside] = rank[inverse]
    return numbered
