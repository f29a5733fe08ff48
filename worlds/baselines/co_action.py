"""Co-action: accounts that send the same content within a minute, again and again.

The method of CooRTweet (Righetti and Balluff; after Giglietto and others 2020, *It takes a village to
manipulate the media*), with requests for posts and a hash of the prompt for the shared object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ringfence.worlds.baselines.clusters import (
    LEAST_SIZE,
    Floats,
    Numbers,
    clustered,
    components,
    large,
    numbered,
)
from ringfence.worlds.baselines.tables import Tables, account_ids, contents, fetched
from ringfence.worlds.score.findings import Findings

NAME = "co_action"


@dataclass(frozen=True, slots=True)
class CoAction:
    """CooRTweet's settings, and the cap that keeps a popular content from pairing everybody."""

    window_seconds: int = 60
    """Two requests of one content within it are a co-action."""
    min_participation: int = 2
    """Co-acting requests that one account of a pair must have."""
    quantile: float = 0.5
    """Links count whose number of co-actions exceeds this quantile of all links'."""
    actor_cap: int = 1000
    """Contents that more accounts send are skipped."""
    least_size: int = LEAST_SIZE
    """Accounts of the smallest component that is reported."""


def co_action(tables: Tables, engine: Any, settings: CoAction | None = None) -> Findings:
    """Report the connected components of the heavier half of the co-action network.

    An account's score is the number of its co-actions over the links that count; 0 outside components.
    """
    settings = settings or CoAction()
    accounts = account_ids(tables, engine)
    rows = fetched(engine, co_actions(contents(tables), settings).order_by("left", "right"))
    weight = rows["weight"].to_numpy(np.float64)
    if len(rows):
        kept = weight > np.quantile(weight, settings.quantile)
        rows, weight = rows[kept], weight[kept]
    left, right = (numbered(accounts, rows[end]) for end in ("left", "right"))
    return linked(NAME, accounts, left, right, weight, settings.least_size)


def linked(
    detector: str, accounts: pd.Index[str], left: Numbers, right: Numbers, weight: Floats, least: int
) -> Findings:
    """Report the components of links between account numbers; an account's score is its links' weight."""
    groups = large(components(len(accounts), left, right), least)
    ends = np.concatenate([left, right])
    scores = np.bincount(ends, weights=np.tile(weight, 2), minlength=len(accounts))
    return clustered(detector, accounts, groups, np.where(groups >= 0, scores, 0.0))


def co_actions(sent: Any, settings: CoAction) -> Any:
    """Return left, right, weight: pairs of accounts with the number of their co-actions.

    Args:
        sent: request_id, account_id, ts, content.
        settings: The window, the caps and the least participation.
    """
    pairs = _pairs(_busy(sent, settings), settings.window_seconds)
    # An account takes part with each of its requests that is in some pair, however many pairs it is in.
    ends = ibis.union(
        pairs.select(account_id="left", request_id="request_left"),
        pairs.select(account_id="right", request_id="request_right"),
        distinct=True,
    )
    taking = ends.group_by("account_id").agg(times=ends.count())
    taking = taking.filter(taking["times"] >= settings.min_participation)["account_id"]
    pairs = pairs.filter(pairs["left"].isin(taking) | pairs["right"].isin(taking))
    return pairs.group_by("left", "right").agg(weight=pairs.count())


def _busy(sent: Any, settings: CoAction) -> Any:
    """Return requests of accounts that make enough, and of contents that neither one nor too many send."""
    times = sent.group_by("account_id").agg(times=sent.count())
    actors = sent.group_by("content").agg(actors=sent["account_id"].nunique())
    actors = actors.filter((actors["actors"] > 1) & (actors["actors"] <= settings.actor_cap))
    return sent.semi_join(times.filter(times["times"] >= settings.min_participation), "account_id").semi_join(
        actors, "content"
    )


def _pairs(sent: Any, window: int) -> Any:
    """Return left, right, request_left, request_right: requests of one content within the window.

    Times are cut into slots as long as the window, so that a request meets only those of its own slot and
    of its neighbours, by hash.
    """
    slot = (sent["ts"].epoch_seconds() // window).cast("int64")
    left = sent.mutate(slot=slot)
    right = ibis.union(*[sent.mutate(slot=slot + step) for step in (-1, 0, 1)])
    apart = left["ts"].delta(right["ts"], unit="microsecond").abs()
    return left.inner_join(
        right,
        [
            left["content"] == right["content"],
            left["slot"] == right["slot"],
            left["account_id"] < right["account_id"],
            apart <= window * 1_000_000,
        ],
    ).select(
        left=left["account_id"],
        right=right["account_id"],
        request_left=left["request_id"],
        request_right=right["request_id"],
    )
