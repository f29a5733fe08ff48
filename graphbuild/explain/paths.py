"""How two accounts hang together that are not linked: over links, and over what they share with others.

Of all paths the one whose weakest link is heaviest is told, and of these a shortest. A weight is the
log-odds of two neighbours having one operator, so a chain is worth no more than its weakest link. Sums of
weights, or of costs made from them, would let many strong steps make up for one that proves nothing.
"""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.communities.loops.adjacency import components
from ringfence.graphbuild.explain.shared import Sightings
from ringfence.schema import ENTITY_TYPES


def widest_path(
    pairs: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], start: int, end: int
) -> list[int] | None:
    """Return the accounts on the path whose lightest link is heaviest; None where there is no path.

    Args:
        pairs: shape: ``(e, 2)``; links between account numbers.
        weights: shape: ``(e,)``; in nats.
        start: An account number.
        end: Another one.
    """
    accounts = int(max(pairs.max(initial=-1), start, end)) + 1
    if not _joined(accounts, pairs, start, end):
        return None
    levels = np.unique(weights)
    low, high = 0, len(levels) - 1
    # At the lowest level they are joined; find the highest at which they still are.
    while low < high:
        middle = (low + high + 1) // 2
        if _joined(accounts, pairs[weights >= levels[middle]], start, end):
            low = middle
        else:
            high = middle - 1
    return _shortest(accounts, pairs[weights >= levels[low]], start, end)


def _joined(accounts: int, pairs: npt.NDArray[np.int64], start: int, end: int) -> bool:
    left, right = (np.ascontiguousarray(pairs[:, side]) for side in (0, 1))
    component = components(accounts, left, right)
    return bool(component[start] == component[end])


def _shortest(accounts: int, pairs: npt.NDArray[np.int64], start: int, end: int) -> list[int]:
    """Return the shortest path; each step comes from the lowest number that leads to it."""
    source, target = np.concatenate([pairs, pairs[:, ::-1]]).T
    parent = np.full(accounts, -1, np.int64)
    parent[start] = start
    near = np.zeros(accounts, np.bool_)
    near[start] = True
    while parent[end] < 0:
        reach = near[source] & (parent[target] < 0)
        found = np.full(accounts, accounts, np.int64)
        np.minimum.at(found, target[reach], source[reach])
        near = found < accounts
        parent[near] = found[near]
    path = [end]
    while path[-1] != start:
        path.append(int(parent[path[-1]]))
    return path[::-1]


def between(sightings: Sightings, one: str, other: str) -> pd.DataFrame:
    """Return the third account through which two hang together, a row or none, and what it shares with each.

    Columns are account_id, and view, value, accounts with the endings ``_a`` for the one and ``_b`` for the
    other. Of several, the one whose values the fewest accounts have is told. Values of
    more accounts than the cap of their type are left out: half a country has them.

    Args:
        sightings: What the run saw.
        one: An account.
        other: Another one.
    """
    parts = [
        _neighbours(sightings, name, account, end)
        for account, end in ((one, "a"), (other, "b"))
        for name in ENTITY_TYPES
    ]
    ends = len(ENTITY_TYPES)
    a, b = ibis.union(*parts[:ends]), ibis.union(*parts[ends:])
    rows = a.inner_join(b, "account_id").filter(lambda t: ~t["account_id"].isin([one, other]))
    rows = rows.mutate(widest=ibis.greatest(rows["accounts_a"], rows["accounts_b"]))
    order = [
        "widest",
        rows["accounts_a"] + rows["accounts_b"],
        "account_id",
        "view_a",
        "value_a",
        "view_b",
        "value_b",
    ]
    found: pd.DataFrame = sightings.engine.to_pyarrow(
        rows.order_by(order).limit(1).drop("widest")
    ).to_pandas()
    return found


def _neighbours(sightings: Sightings, name: str, account: str, end: str) -> Any:
    """Return whoever shares a value with an account, and how many have it, in columns of that end."""
    cap = sightings.settings.degree_cap[name]
    seen = sightings.seen(name).select("account_id", "entity_id")
    own = seen.filter(seen["account_id"] == account).select(mine="entity_id")
    near = seen.semi_join(own, seen["entity_id"] == own["mine"])
    degrees = near.group_by("entity_id").agg(accounts=near.count())
    rows = near.inner_join(degrees.filter(degrees["accounts"] <= cap), "entity_id")
    return rows.select(
        "account_id",
        **{
            f"view_{end}": ibis.literal(name),
            f"value_{end}": rows["entity_id"],
            f"accounts_{end}": rows["accounts"],
        },
    )
