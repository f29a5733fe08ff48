"""Which account took the place of a banned one.

A replacement is a fact, not an accusation: a family whose card was refused opens a second account, too.

Every account that is linked to a banned one and starts within days of the ban is a candidate. How sure one
can be is told by stochastic declustering (Zhuang, Ogata and Vere-Jones 2002), which tells aftershocks from
what would have come anyway: the banned account's linked neighbours start at some rate of their own, seen in
the days before the ban, and a replacement comes on top with a chance that decays from the ban on. Confidence
is the candidate's part of all that was to be expected at its time. In a ring that grows every day it is
low for good reason: any of the new accounts may be the one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import pandas as pd

from ringfence.graphbuild.linkage.lifecycle import DAY, LifecycleSettings, ban_spells, starts

REPLACEMENT_COLUMNS = ("banned", "replacement", "days", "weight", "confidence")


@dataclass(frozen=True, slots=True)
class ReplacementSettings:
    """When a linked account that starts after a ban is taken for the replacement."""

    within_days: int = 3
    """Later ones are no candidates."""
    mean_days: float = 1.0
    """Mean time from a ban to the replacement's start."""
    replaced: float = 0.4
    """Share of banned accounts that are replaced by one that is linked."""
    before_days: int = 7
    """The neighbours' own rate of starting is seen in so many days before the ban."""
    unseen: float = 0.5
    """Starts that are added to those seen, since none seen does not mean that none could come."""


def replacements(
    engine: Any,
    links: Any,
    accounts: Any,
    events: Any,
    settings: ReplacementSettings,
    lifecycle: LifecycleSettings,
) -> pd.DataFrame:
    """Return :data:`REPLACEMENT_COLUMNS`, at most a row a banned account, in the order of banned.

    No account replaces two. Where several want one, the surest pair comes first, then the heavier link.

    Args:
        engine: Ibis backend.
        links: account_a, account_b, weight.
        accounts: As :func:`ringfence.graphbuild.linkage.lifecycle.beginnings` makes them.
        events: account_id, ts, event.
        settings: Times and shares.
        lifecycle: When an account starts.
    """
    found = engine.to_pyarrow(_candidates(links, accounts, events, settings, lifecycle)).to_pandas()
    found = found.sort_values(
        ["confidence", "weight", "days", "banned", "replacement"], ascending=[False, False, True, True, True]
    )
    banned, fresh, kept = set(), set(), []
    for a, b in zip(found["banned"], found["replacement"], strict=True):
        free = a not in banned and b not in fresh
        kept.append(free)
        if free:
            banned.add(a)
            fresh.add(b)
    chosen: pd.DataFrame = found[pd.Series(kept, index=found.index, dtype=bool)]
    chosen = chosen.sort_values("banned")
    return chosen.reset_index(drop=True)


def _candidates(
    links: Any, accounts: Any, events: Any, settings: ReplacementSettings, lifecycle: LifecycleSettings
) -> Any:
    """Return :data:`REPLACEMENT_COLUMNS` of every linked account that starts soon after a ban."""
    rows = _neighbours(links, accounts, events, settings, lifecycle)
    before = rows["apart"] < 0
    # A ban that was lifted needed no replacement from then on.
    stands = rows["ended_at"].isnull() | (rows["banned_at"] + rows["apart"] < rows["ended_at"])
    likely = (-(rows["apart"] / DAY) / settings.mean_days).exp() * (settings.replaced / settings.mean_days)
    rows = rows.mutate(
        earlier=before.cast("int64"), likely=ibis.ifelse(~before & stands, likely, 0.0).round(9)
    )
    of_ban = ibis.window(group_by=["banned", "banned_at"])
    rate = (rows["earlier"].sum().over(of_ban) + settings.unseen) / settings.before_days
    sure = rows["likely"] / (rate + rows["likely"].sum().over(of_ban))
    found = rows.mutate(confidence=sure.round(6), days=(rows["apart"] / DAY).round(6))
    return found.filter(found["likely"] > 0).select(*REPLACEMENT_COLUMNS)


def _neighbours(
    links: Any, accounts: Any, events: Any, settings: ReplacementSettings, lifecycle: LifecycleSettings
) -> Any:
    """Return banned accounts with each linked one that started around the ban, and the time between."""
    spells, begun = ban_spells(events), starts(accounts, lifecycle)
    either_way = ibis.union(
        links.select("weight", banned="account_a", replacement="account_b"),
        links.select("weight", banned="account_b", replacement="account_a"),
    )
    rows = either_way.inner_join(spells, either_way["banned"] == spells["account_id"]).drop("account_id")
    rows = rows.inner_join(begun, rows["replacement"] == begun["account_id"]).drop("account_id")
    apart = rows["start"] - rows["banned_at"]
    rows = rows.mutate(apart=apart)
    return rows.filter(
        rows["apart"] >= -settings.before_days * DAY, rows["apart"] <= settings.within_days * DAY
    )
