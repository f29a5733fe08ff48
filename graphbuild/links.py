"""Sightings → links: account pairs weighed by the rarity of what they share.

A pair that shares a value of type t gains ``log(m_t / u)`` nats, as Fellegi and Sunter (1969) weigh an
agreement, with Winkler's (1989) frequency-based u: of a value that d of N accounts have, an unrelated
account has it with probability ``u = d / N``. Each value of the account with fewer values that does not
link it to the other costs ``-log(1 - m_t)``, so that two busy accounts do not become a pair by chance; so do
values that both share with a crowd. What an address says is scaled by the kind of its range. A type never
counts against a pair: an operator who keeps cards apart is no innocent for that. Weights of one family add
up to a cap; families add up.

Entities that more accounts share than their type's cap are hubs: they make no pairs.
"""

from __future__ import annotations

import math
from typing import Any

import ibis

from ringfence.config import LinkSettings
from ringfence.schema import LINK_FAMILIES, EntityType

LINK_COLUMNS = ("account_a", "account_b", "weight", *LINK_FAMILIES)
"""Columns of ``links.parquet``: ``account_a < account_b``, weights in nats, ``weight`` the families' sum."""


def affordable_cap(engine: Any, sightings: Any, entity: EntityType, settings: LinkSettings) -> int:
    """Return the most accounts that an entity of a type may have: its cap, or less where pairs get too many.

    Entities of most accounts say least, so they are left out first, a degree at a time.
    """
    degrees = sightings.group_by("entity_id").agg(degree=sightings.count())
    cap = settings.degree_cap[entity.name]
    shared = degrees.filter((degrees["degree"] > 1) & (degrees["degree"] <= cap))
    counted = engine.to_pyarrow(shared.group_by("degree").agg(entities=shared.count())).to_pandas()
    counted = counted.sort_values("degree")
    pairs = (counted["entities"] * counted["degree"] * (counted["degree"] - 1) // 2).cumsum()
    dear = counted.loc[pairs > settings.most_pairs, "degree"]
    return cap if dear.empty else int(dear.iloc[0]) - 1


def entity_weights(
    sightings: Any,
    entity: EntityType,
    accounts: int,
    settings: LinkSettings,
    cap: int,
    kinds: Any | None = None,
) -> Any:
    """Return entity_id, degree and weight of the entities of one type that can link accounts.

    Args:
        sightings: Ibis table with account_id and entity_id, a row a pair.
        entity: Their type.
        accounts: N, the number of accounts in all.
        settings: Agreement probabilities and discounts.
        cap: The most accounts that an entity may have; see :func:`affordable_cap`.
        kinds: Ibis table with entity_id and kind, where some values say less than others of their type.
    """
    degrees = sightings.group_by("entity_id").agg(degree=sightings.count())
    shared = degrees.filter((degrees["degree"] > 1) & (degrees["degree"] <= cap))
    weighed = shared.mutate(weight=(settings.agreement[entity.name] * accounts / shared["degree"]).ln())
    if kinds is not None:
        weighed = weighed.left_join(kinds, "entity_id")
        discount = weighed["kind"].cases(*settings.kind_discount.items(), else_=1.0)
        weighed = weighed.mutate(weight=weighed["weight"] * discount)
    weighed = weighed.select("entity_id", "degree", "weight")
    return weighed.filter(weighed["weight"] > 0)


def type_pairs(sightings: Any, weights: Any, entity: EntityType, settings: LinkSettings) -> Any:
    """Return account_a, account_b, family, weight: a row a pair that shares entities of one type.

    Args:
        sightings: Ibis table with account_id and entity_id, a row a pair.
        weights: As :func:`entity_weights` makes them.
        entity: Their type.
        settings: Agreement probabilities.
    """
    values = sightings.group_by("account_id").agg(values=sightings.count())
    seen = sightings.select("account_id", "entity_id").inner_join(weights, "entity_id")
    left, right = seen, seen.view()
    shared = left.inner_join(
        right, [left["entity_id"] == right["entity_id"], left["account_id"] < right["account_id"]]
    ).select(account_a=left["account_id"], account_b=right["account_id"], weight=left["weight"])
    pairs = shared.group_by("account_a", "account_b").agg(
        agreed=shared["weight"].sum(), shared=shared.count()
    )
    a, b = values, values.view()
    pairs = pairs.inner_join(a, pairs["account_a"] == a["account_id"]).select(
        "account_a", "account_b", "agreed", "shared", values_a="values"
    )
    pairs = pairs.inner_join(b, pairs["account_b"] == b["account_id"]).select(
        "account_a", "account_b", "agreed", "shared", "values_a", values_b="values"
    )
    apart = ibis.least(pairs["values_a"], pairs["values_b"]) - pairs["shared"]
    weight = pairs["agreed"] + apart * math.log(1 - settings.agreement[entity.name])
    weighed = pairs.select("account_a", "account_b", family=ibis.literal(str(entity.family)), weight=weight)
    return weighed.filter(weighed["weight"] > 0)


def links(pairs: Any, settings: LinkSettings) -> Any:
    """Return :data:`LINK_COLUMNS` of the pairs that are heavy enough, in the order of their accounts.

    Args:
        pairs: Ibis table as :func:`type_pairs` makes it, of all types.
        settings: The cap of a family and the least weight of a link.
    """
    summed = pairs.group_by("account_a", "account_b").agg(
        **{
            # Rounded, so that the order in which an engine adds does not show.
            family: pairs["weight"].sum(where=pairs["family"] == family).fill_null(0.0).round(6)
            for family in LINK_FAMILIES
        }
    )
    capped = summed.mutate(
        **{f: ibis.least(summed[f], ibis.literal(settings.family_cap)) for f in LINK_FAMILIES}
    )
    total = sum((capped[family] for family in LINK_FAMILIES), ibis.literal(0.0)).round(6)
    weighed = capped.mutate(weight=total)
    heavy = weighed.filter(weighed["weight"] >= settings.least_weight)
    return heavy.select(*LINK_COLUMNS).order_by("account_a", "account_b")
