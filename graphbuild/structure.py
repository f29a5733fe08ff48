"""How an account is linked, as numbers: the part of its features that links and communities give."""

from __future__ import annotations

import pandas as pd

from ringfence.schema import LINK_FAMILIES


def link_structure(members: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return account_id and features of an account's links, an account a row, in the order of ``members``.

    Args:
        members: account_id, inside_share and inside_families.
        links: account_a, account_b and the weight of each family.

    Returns:
        links, the number of neighbours; ``<family>_links``, the share of them that the family links;
        ``<family>_link_weight``, its mean weight over all of them in nats; inside_share and
        inside_families. Shares and means are 0 where there are no links.
    """
    families = [str(family) for family in LINK_FAMILIES]
    ends = pd.concat(
        [links[[end, *families]].rename(columns={end: "account_id"}) for end in ("account_a", "account_b")]
    )
    by_account = ends.groupby("account_id")[families]
    weight = by_account.mean().add_suffix("_link_weight")
    share = (ends[families] > 0).groupby(ends["account_id"]).mean().add_suffix("_links")
    count = ends.groupby("account_id").size().rename("links")
    structure = pd.concat([count, share, weight], axis=1).reindex(members["account_id"]).fillna(0.0)
    inside = members.set_index("account_id")[["inside_share", "inside_families"]]
    return structure.join(inside).reset_index()
