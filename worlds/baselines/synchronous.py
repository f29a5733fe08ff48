"""Synchronous action: accounts that are at the same addresses in the same hours, and hardly elsewhere.

After Cao and others (2014), *Uncovering Large Groups of Active Malicious Accounts in Online Social Networks*
(SynchroTrap), with its address constraint. Windows are whole hours rather than sliding ones, and clusters
are connected components, which is single linkage cut at the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np

from ringfence.worlds.baselines.clusters import LEAST_SIZE, numbered
from ringfence.worlds.baselines.co_action import linked
from ringfence.worlds.baselines.tables import Tables, account_ids, fetched
from ringfence.worlds.score.findings import Findings

NAME = "synchronous"


@dataclass(frozen=True, slots=True)
class Synchrony:
    """SynchroTrap's settings, and the cap that keeps a carrier's address from pairing everybody."""

    window_seconds: int = 3600
    """Being at one address within one window is an action of its own."""
    similarity: float = 0.5
    """Least Jaccard similarity of two accounts' actions."""
    least_actions: int = 3
    """Accounts with fewer actions are left out."""
    actor_cap: int = 100
    """Actions that more accounts take are skipped."""
    least_size: int = LEAST_SIZE
    """Accounts of the smallest component that is reported."""


def synchronous(tables: Tables, engine: Any, settings: Synchrony | None = None) -> Findings:
    """Report the connected components of accounts whose actions are similar.

    An account's score is the sum of its similarities to others that reach the threshold.
    """
    settings = settings or Synchrony()
    accounts = account_ids(tables, engine)
    rows = fetched(engine, similarities(_actions(tables, settings), settings).order_by("left", "right"))
    left, right = (numbered(accounts, rows[end]) for end in ("left", "right"))
    return linked(NAME, accounts, left, right, rows["similarity"].to_numpy(np.float64), settings.least_size)


def _actions(tables: Tables, settings: Synchrony) -> Any:
    """Return account_id, ip, slot: each address and window that an account was seen in, once."""
    rows = ibis.union(*[tables(name).select("account_id", "ip", "ts") for name in ("requests", "logins")])
    slot = (rows["ts"].epoch_seconds() // settings.window_seconds).cast("int64")
    return rows.filter(rows["ip"].notnull()).select("account_id", "ip", slot=slot).distinct()


def similarities(actions: Any, settings: Synchrony) -> Any:
    """Return left, right, similarity: pairs of accounts that reach the least Jaccard similarity.

    Args:
        actions: account_id, ip, slot, without doubles. All of them count in an account's total, also those
            that too many take to pair anyone.
        settings: The thresholds and the cap.
    """
    totals = actions.group_by("account_id").agg(total=actions.count())
    totals = totals.filter(totals["total"] >= settings.least_actions)
    actors = actions.group_by("ip", "slot").agg(actors=actions.count())
    kept = actors.filter((actors["actors"] > 1) & (actors["actors"] <= settings.actor_cap))
    actions = actions.semi_join(kept, ["ip", "slot"]).inner_join(totals, "account_id")
    other = actions.view()
    both = actions.inner_join(
        other,
        [
            actions["ip"] == other["ip"],
            actions["slot"] == other["slot"],
            actions["account_id"] < other["account_id"],
        ],
    ).select(
        left=actions["account_id"],
        right=other["account_id"],
        either=actions["total"] + other["total"],
    )
    pairs = both.group_by("left", "right", "either").agg(common=both.count())
    similarity = pairs["common"] / (pairs["either"] - pairs["common"])
    return pairs.filter(similarity >= settings.similarity).select("left", "right", similarity=similarity)
