"""Co-action: accounts that share the same objects within seconds of each other, again and again.

The definition is that of CooRTweet (Righetti and Balluff; after Giglietto and others, 2020, *It takes a
village to manipulate the media*), for any object that accounts share: a template, an address, a link. It says
who acts together and how often, not whether that is more than chance; popular objects pair everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis

_MILLISECONDS = 1_000
_PAIR = ("account_a", "account_b")


@dataclass(frozen=True, slots=True)
class CoActionSettings:
    """What counts as acting together."""

    time_window: int = 60
    """Seconds; two shares of one object that are not further apart are a co-action."""
    min_participation: int = 2
    """Co-acting contents that one account of a pair must have shared, with whomever."""
    most_accounts: int | None = None
    """Objects that more accounts share pair nobody; None: all count. Without it a popular object makes as
    many pairs as accounts squared."""


def co_action(events: Any, settings: CoActionSettings | None = None) -> Any:
    """Return account_a, account_b, weight, contents_a, contents_b, seconds: a row a pair that acts together.

    Args:
        events: Ibis table with account_id, object_id, content_id and ts: who shared what, in which post or
            request. Rows with a null say nothing.
        settings: The window and the least participation.

    Returns:
        account_a < account_b; weight, the number of their co-actions; contents_a and contents_b, how many
        contents of each take part in them; seconds, their mean distance. In the order of accounts.
    """
    settings = settings or CoActionSettings()
    events = _shared(_whole(events), settings)
    pairs = _together(events, settings.time_window)
    pairs = _taking_part(events, pairs, settings.min_participation)
    counted = pairs.group_by(*_PAIR).agg(
        weight=pairs.count(),
        contents_a=pairs["content_a"].nunique(),
        contents_b=pairs["content_b"].nunique(),
        seconds=pairs["apart"].mean() / _MILLISECONDS,
    )
    return counted.mutate(seconds=counted["seconds"].round(6)).order_by(*_PAIR)


def heavier(network: Any, edge_weight: float) -> Any:
    """Return the rows of a co-action network whose weight is above a quantile of all weights.

    Args:
        network: As :func:`co_action` makes it.
        edge_weight: The quantile, 0..1; between two weights it is interpolated.
    """
    return network.filter(network["weight"] > network["weight"].quantile(edge_weight).as_scalar())


def _whole(events: Any) -> Any:
    columns = ("account_id", "object_id", "content_id", "ts")
    return events.select(*columns).filter([events[column].notnull() for column in columns])


def _shared(events: Any, settings: CoActionSettings) -> Any:
    """Return events of accounts that have enough of them, and of objects that several accounts share."""
    often = events.group_by("account_id").agg(times=events.count())
    often = often.filter(often["times"] >= settings.min_participation)
    events = events.semi_join(often, "account_id")
    spread = events.group_by("object_id").agg(accounts=events["account_id"].nunique())
    few = spread["accounts"] > 1
    if settings.most_accounts is not None:
        few &= spread["accounts"] <= settings.most_accounts
    # Whoever shares an object alone may still take part with its contents: see _taking_part.
    return events.left_join(spread.filter(few), "object_id").select(
        "account_id", "object_id", "content_id", "ts", shared=ibis._["accounts"].notnull()
    )


def _together(events: Any, window: int) -> Any:
    """Return account_a, account_b, content_a, content_b, apart: a row a co-action; apart in milliseconds.

    Times are cut into slots as long as the window, so that an event meets only those of its own slot and the
    two beside it, by hash.
    """
    # Whole seconds: some engines keep the fraction.
    events = events.filter(events["shared"]).mutate(time=events["ts"].epoch_seconds() // 1)
    events = events.mutate(
        slot=events["time"] // max(window, 1),
        time=events["time"] * _MILLISECONDS + events["ts"].millisecond(),
    )
    a = events.select("object_id", "slot", account_a="account_id", content_a="content_id", time_a="time")
    b = ibis.union(*(events.mutate(slot=events["slot"] + step) for step in (-1, 0, 1)))
    b = b.select("object_id", "slot", account_b="account_id", content_b="content_id", time_b="time")
    both = a.join(b, ["object_id", "slot"])
    both = both.mutate(apart=(both["time_a"] - both["time_b"]).abs())
    contents_differ = (
        (both["content_a"] != both["content_b"])
        # What is its own object is no share of it.
        & (both["content_a"] != both["object_id"])
        & (both["content_b"] != both["object_id"])
    )
    near = (both["account_a"] < both["account_b"]) & (both["apart"] <= window * _MILLISECONDS)
    return both.filter(near & contents_differ).select(*_PAIR, "content_a", "content_b", "apart")


def _taking_part(events: Any, pairs: Any, least: int) -> Any:
    """Return the pairs of which one content at least is by an account with enough co-acting contents.

    A content that shares several objects counts once for each, as in CooRTweet.
    """
    contents = ibis.union(
        pairs.select(content_id="content_a"), pairs.select(content_id="content_b"), distinct=True
    )
    acting = events.semi_join(contents, "content_id")
    often = acting.group_by("account_id").agg(times=acting.count())
    often = often.filter(often["times"] >= least)
    enough = acting.semi_join(often, "account_id").select("content_id").distinct()["content_id"]
    return pairs.filter(pairs["content_a"].isin(enough) | pairs["content_b"].isin(enough))
