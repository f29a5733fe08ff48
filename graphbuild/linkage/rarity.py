"""How much sharing a value says, and who was seen with it.

A pair that shares a value gains ``ln(m / u)`` nats, as Fellegi and Sunter (1969) weigh an agreement, with
Winkler's (1989) frequency-based u. Here u keeps both degrees: of S sightings of a view, d are of the value,
and an account with n values is seen with it by chance with probability about ``n·d / S``, so that an account
which is seen with everything says nothing about anybody. What a value says is scaled by its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.lifecycle import seconds
from ringfence.graphbuild.linkage.views import View


@dataclass(frozen=True, slots=True)
class Crowd:
    """How the values of a view spread over accounts."""

    sightings: int
    """S, account–value pairs in all."""
    cap: int
    """Values of more accounts than this are hubs: no pairs are made of all who share them."""
    hubs: bool
    """Whether there are any."""
    shared: bool
    """Whether any value is seen with two accounts."""


def measure_crowd(engine: Any, sightings: Any, view: View, settings: LinkSettings) -> Crowd:
    """Count sightings, and find the degree from which on a value is a hub.

    That is the cap of the settings, or less where pairs get too many: values of most accounts say least, so
    they are left out first, a degree at a time. Every value of a weak view is a hub.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        sightings: Ibis table with account_id and entity_id, a row a pair.
        view: What they are of.
        settings: Caps, and the most pairs that one view may make.
    """
    degrees = sightings.group_by("entity_id").agg(degree=sightings.count())
    counted = engine.to_pyarrow(degrees.group_by("degree").agg(values=degrees.count())).to_pandas()
    counted = counted.sort_values("degree")
    total = int((counted["degree"] * counted["values"]).sum())
    shared = bool((counted["degree"] > 1).any())
    if view.weak:
        return Crowd(total, 0, hubs=True, shared=shared)
    pairs = (counted["values"] * (counted["degree"] * (counted["degree"] - 1) // 2)).cumsum()
    dear = counted.loc[pairs > settings.most_pairs, "degree"]
    cap = settings.degree_cap[view.name]
    cap = cap if dear.empty else min(cap, int(dear.iloc[0]) - 1)
    return Crowd(total, cap, hubs=bool((counted["degree"] > cap).any()), shared=shared)


def rarity(sightings: Any, view: View, crowd: Crowd, settings: LinkSettings, kinds: Any | None = None) -> Any:
    """Return entity_id, entity, degree, says, factor, hub of the values that can link accounts.

    ``entity`` numbers them; ``says`` is ``ln(m·S / d)`` in nats, from which a pair takes ``ln n``; ``factor``
    is what the kind of the value leaves of it.

    Args:
        sightings: Ibis table with account_id and entity_id, a row a pair.
        view: What they are of.
        crowd: As :func:`measure_crowd` tells it.
        settings: Agreement probabilities and discounts.
        kinds: Ibis table with entity_id and kind; None where all values are of one kind.
    """
    degrees = sightings.group_by("entity_id").agg(degree=sightings.count())
    says = (settings.agreement[view.name] * crowd.sightings / degrees["degree"]).ln().round(9)
    known = degrees.mutate(says=says, hub=degrees["degree"] > crowd.cap, factor=ibis.literal(1.0))
    if kinds is not None:
        known = known.left_join(kinds, "entity_id").drop("entity_id_right")
        known = known.mutate(factor=known["kind"].cases(*settings.kind_discount.items(), else_=1.0))
    known = known.filter(known["degree"] > 1, known["says"] > 0)
    number = ibis.row_number().over(order_by="entity_id").cast("int64")
    return known.select("entity_id", "degree", "says", "factor", "hub", entity=number)


def uses(sightings: Any, numbers: Any, rare: Any) -> Any:
    """Return account, entity, first, values, crowd, says, factor, hub: who was seen with what can link.

    ``account`` and ``entity`` are numbers, ``first`` the second of the first sighting, ``values`` how many
    values of the view the account was seen with in all, ``crowd`` the logarithm of that.

    Args:
        sightings: Ibis table with account_id, entity_id and first_seen, a row a pair.
        numbers: Ibis table with account_id and account.
        rare: As :func:`rarity` makes it.
    """
    values = sightings.group_by("account_id").agg(values=sightings.count())
    rows = sightings.select("account_id", "entity_id", first=seconds(sightings["first_seen"]))
    rows = rows.inner_join(rare.drop("degree"), "entity_id").drop("entity_id")
    rows = rows.inner_join(values, "account_id")
    rows = rows.inner_join(numbers, "account_id")
    return rows.select(
        "account",
        "entity",
        "first",
        "values",
        "says",
        "factor",
        "hub",
        crowd=rows["values"].cast("float64").ln().round(9),
    )
