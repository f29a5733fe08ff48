"""How an account is linked, as numbers: the part of its features that links and communities give."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.linkage.links import PAIR
from ringfence.schema import LINK_FAMILIES


def link_structure(members: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return features of an account's links, an account a row, in the order of ``members``.

    Args:
        members: inside_share and inside_families; row ``i`` is account ``i``.
        links: account_a and account_b, by number, and the weight of each family.

    Returns:
        links, the number of neighbours; ``<family>_links``, the share of them that the family links;
        ``<family>_link_weight``, its mean weight over all of them in nats; inside_share and
        inside_families. Shares and means are 0 where there are no links.
    """
    ends = [links[end].to_numpy() for end in PAIR]

    def total(amount: pd.Series | None = None) -> npt.NDArray[Any]:
        return np.asarray(sum(np.bincount(end, amount, minlength=len(members)) for end in ends))

    count = total()
    neighbours = np.maximum(count, 1)
    families = [str(family) for family in LINK_FAMILIES]
    return pd.DataFrame(
        {
            "links": count,
            **{f"{family}_links": total(links[family] > 0) / neighbours for family in families},
            **{f"{family}_link_weight": total(links[family]) / neighbours for family in families},
            "inside_share": members["inside_share"].to_numpy(),
            "inside_families": members["inside_families"].to_numpy(),
        }
    )
