"""Indicators that others share: weak evidence, with confidence and expiry, and never a decision alone.

Two accounts that match indicators of one actor gain a little as a pair that other evidence brought; the cap
lies below what a family needs to count, so that no feed can make two families of one. What both share
outright, an address or a card, links them already and says nothing more by being listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from ringfence.graphbuild.linkage.covering import covering
from ringfence.graphbuild.linkage.feeds import INDICATOR_COLUMNS, usable_indicators
from ringfence.graphbuild.linkage.keys import as_one
from ringfence.records import Family
from ringfence.schema import ENTITY_TYPES

HIT_COLUMNS = ("account_id", *INDICATOR_COLUMNS)

KIND_FAMILIES: Mapping[str, Family] = {
    **{name: entity.family for name, entity in ENTITY_TYPES.items()},
    "cidr": Family.NETWORK,
    "asn": Family.NETWORK,
    # What was given at sign-up.
    "email_domain": Family.LIFECYCLE,
}
"""Kind of indicator → the family that its weight belongs to."""


@dataclass(frozen=True, slots=True)
class IndicatorSettings:
    """What indicators may say."""

    agreement: float = 0.3
    """m: probability that an account matches an actor's indicators if another of its operator does."""
    cap: float = 1.0
    """Nats: the most that indicators add to a pair in all; below what makes a family count."""
    unstated_confidence: float = 0.5
    """Confidence of an indicator that states none."""
    most_accounts: int = 64
    """An indicator may match so many accounts,"""
    most_share: float = 0.05
    """or this share of all, whichever is more; what matches more tells nobody apart."""

    def widest(self, accounts: int) -> float:
        """Return how many of so many accounts an indicator may match: never more than half, but for one."""
        return max(min(max(self.most_accounts, self.most_share * accounts), accounts / 2), 1)


@dataclass(frozen=True, slots=True)
class HitCounts:
    """What became of the indicators."""

    matched: int
    """Indicators with at least one hit that stands."""
    unmatched: int
    expired: int
    malformed: int
    """Values that their kind cannot have."""
    out_of_range: int
    """Confidence that cannot be read."""
    too_wide: int
    """Indicators that match too many accounts to tell any apart."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Which accounts match which indicators."""

    rows: pd.DataFrame
    """:data:`HIT_COLUMNS`, in their order, each row once."""
    counts: HitCounts


def indicator_hits(
    engine: Any,
    seen: Mapping[str, Any],
    addresses: Any,
    accounts: Any,
    indicators: Any,
    now: datetime | None,
    settings: IndicatorSettings,
) -> Hits:
    """Return which accounts match which indicators, and what became of the others.

    Args:
        engine: Ibis backend.
        seen: Entity type → its sightings.
        addresses: address, asn.
        accounts: account_id, email_domain: all accounts.
        indicators: The canonical table.
        now: The last time seen in the logs.
        settings: How wide an indicator may be.
    """
    usable = usable_indicators(engine.to_pyarrow(indicators).to_pandas(), now, settings.unstated_confidence)
    wanted = usable.rows
    keys = wanted[["kind", "value"]].drop_duplicates()
    if keys.empty:
        counts = HitCounts(0, 0, usable.expired, usable.malformed, usable.out_of_range, 0)
        return Hits(wanted.assign(account_id=pd.Series(dtype="str"))[list(HIT_COLUMNS)], counts)
    matches = ibis.union(*_matches(engine, seen, addresses, accounts, keys), distinct=True)
    widths = matches.group_by("kind", "value").agg(accounts=matches.count())
    widths = engine.to_pyarrow(widths).to_pandas()
    total = engine.to_pyarrow(accounts.aggregate(n=accounts.count()))["n"][0].as_py()
    # Counted by the engine before any row is fetched: one range can match everybody.
    wide = widths["accounts"] > settings.widest(total)
    narrow = _table(widths.loc[~wide, ["kind", "value"]])
    found = engine.to_pyarrow(matches.semi_join(narrow, ["kind", "value"])).to_pandas()
    rows = found.merge(wanted, on=["kind", "value"])[list(HIT_COLUMNS)]
    rows = rows.sort_values(list(HIT_COLUMNS)).reset_index(drop=True)
    matched = len(wanted.merge(widths[~wide], on=["kind", "value"]))
    too_wide = len(wanted.merge(widths[wide], on=["kind", "value"]))
    left_out = (usable.expired, usable.malformed, usable.out_of_range)
    return Hits(rows, HitCounts(matched, len(wanted) - matched - too_wide, *left_out, too_wide))


def _table(keys: pd.DataFrame) -> Any:
    return ibis.memtable(keys, schema=dict.fromkeys(keys.columns, "string"))


def _matches(
    engine: Any, seen: Mapping[str, Any], addresses: Any, accounts: Any, keys: pd.DataFrame
) -> Iterator[Any]:
    """Yield account_id, kind, value of what matches, a table a kind that is asked for."""
    for kind in sorted(keys["kind"].unique()):
        rows = keys[keys["kind"] == kind]
        if kind == "email_domain":
            given = accounts.filter(accounts["email_domain"].notnull())
            entities = given.select("account_id", entity_id=given["email_domain"].lower())
        else:
            entities = seen["ip" if kind in ("cidr", "asn") else kind].select("account_id", "entity_id")
        named = _named(engine, addresses, kind, rows)
        matched = entities.inner_join(named, "entity_id")
        yield matched.select("account_id", "value", kind=ibis.literal(kind)).distinct()


def _named(engine: Any, addresses: Any, kind: str, rows: pd.DataFrame) -> Any:
    """Return entity_id and the value of the indicator that names it."""
    values = _table(rows[["value"]])
    if kind == "asn":
        owned = addresses.filter(addresses["asn"].notnull())
        return owned.inner_join(values, owned["asn"] == values["value"]).select("value", entity_id="address")
    if kind == "cidr":
        listed = engine.to_pyarrow(addresses.select("address"))["address"].to_pylist()
        ranges = rows["value"].tolist()
        held, holder = covering(listed, ranges)
        inside = {"entity_id": np.array(listed, object)[held], "value": np.array(ranges, object)[holder]}
        return _table(pd.DataFrame(inside))
    return values.mutate(entity_id=values["value"])


def indicator_evidence(pairs: Any, hits: pd.DataFrame, accounts: int, settings: IndicatorSettings) -> Any:
    """Return account_a, account_b, family, signal, weight in nats: at most a row a pair.

    Both match indicators of one actor: ``ln(m / u)`` with u for the share of all accounts that match that
    actor's, times the confidence of the less sure of the two.

    Args:
        pairs: account_a < account_b: the pairs that other families brought. No others are looked at.
        hits: As :func:`indicator_hits` returns them.
        accounts: Number of accounts in all.
        settings: Agreement and cap.
    """
    named = hits.loc[hits["actor"].notna(), ["account_id", "actor", "kind", "value", "confidence"]]
    # Accounts may be numbers, as they are while they are linked.
    account = "int64" if is_integer_dtype(named["account_id"]) else "string"
    text = {"account_id": account, "actor": "string", "kind": "string", "value": "string"}
    rows = ibis.memtable(named, schema={**text, "confidence": "float64"})
    rows = rows.group_by(*text).agg(confidence=rows["confidence"].max())
    widths = rows.group_by("actor").agg(width=rows["account_id"].nunique())
    rows = rows.mutate(family=rows["kind"].cases(*((k, str(f)) for k, f in KIND_FAMILIES.items())))
    pairs = pairs.select("account_a", "account_b")
    for end in ("a", "b"):
        ends = rows.rename({f"{name}_{end}": name for name in rows.columns})
        keys = [pairs[f"account_{end}"] == ends[f"account_id_{end}"]]
        if end == "b":
            left = as_one(pairs["account_b"], pairs["actor_a"])
            keys.append(left == as_one(ends["account_id_b"], ends["actor_b"]))
        pairs = pairs.inner_join(ends, keys)
    same = (pairs["kind_a"] == pairs["kind_b"]) & (pairs["value_a"] == pairs["value_b"])
    pairs = pairs.filter(~(same & pairs["kind_a"].isin(tuple(ENTITY_TYPES))))
    pairs = pairs.inner_join(widths, pairs["actor_a"] == widths["actor"])
    gain = (settings.agreement * accounts / pairs["width"]).ln()
    weight = gain * ibis.least(pairs["confidence_a"], pairs["confidence_b"])
    weighed = pairs.select(
        "account_a",
        "account_b",
        family=ibis.least(pairs["family_a"], pairs["family_b"]),
        signal=ibis.literal("indicator"),
        weight=ibis.least(weight.round(6), ibis.literal(settings.cap)),
    )
    order = [weighed["weight"].desc(), weighed["family"]]
    place = ibis.row_number().over(group_by=["account_a", "account_b"], order_by=order)
    weighed = weighed.filter(weighed["weight"] > 0).mutate(place=place)
    return weighed.filter(weighed["place"] == 0).drop("place")


def community_indicators(hits: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Return community, actor, tactic, members, size, confidence: who matches whose indicators.

    For people to read; nothing decides by it. ``members`` counts those that match, ``size`` all, and
    ``confidence`` is the mean over those that match of the surest indicator of each.

    Args:
        hits: As :func:`indicator_hits` returns them.
        members: account_id, community; -1 where an account is in none.
    """
    inside = members.loc[members["community"] >= 0, ["account_id", "community"]]
    size = inside.groupby("community").size()
    keys = ["community", "actor", "tactic"]
    found = hits.merge(inside, on="account_id")
    surest = found.groupby([*keys, "account_id"], dropna=False)["confidence"].max().reset_index()
    told: pd.DataFrame = surest.groupby(keys, dropna=False).agg(
        members=("confidence", "size"), confidence=("confidence", "mean")
    )
    told = told.reset_index()
    told["confidence"] = told["confidence"].round(6)
    told["size"] = told["community"].map(size).astype("int64")
    return told[[*keys, "members", "size", "confidence"]]
