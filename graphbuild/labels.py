"""What people said about accounts, one word an account."""

from __future__ import annotations

import pandas as pd

RING, BENIGN, UNKNOWN = 1, 0, -1


def settled_labels(labels: pd.DataFrame) -> tuple[pd.Series, int]:
    """Return account_id → 1 or 0, and how many accounts are left out because their labels conflict.

    The latest label of an account holds, labels without a time being the oldest; where the latest ones
    disagree, the account is left unlabelled.

    Args:
        labels: account_id, label (ring, benign), ts.
    """
    when = labels["ts"].fillna(pd.Timestamp(0, tz="UTC"))
    latest = labels[when == when.groupby(labels["account_id"]).transform("max")]
    ring = (latest["label"] == "ring").groupby(latest["account_id"])
    every, some = ring.all(), ring.any()
    agreed = every == some
    return every[agreed].astype("int8"), int((~agreed).sum())
