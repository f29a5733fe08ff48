"""What accounts are linked by: sightings of entities, and coarser views of the same sightings.

Views of one family see the same fact, so they do not add up: of sharing an address, its subnet and its
autonomous system only the strongest counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis

from ringfence.graphbuild.sightings import Tables
from ringfence.records import Family
from ringfence.schema import ENTITY_TYPES

PREPAID = "prepaid"
"""Instrument type whose BIN names a product that anybody can buy in a shop."""


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at what an account was seen with."""

    name: str
    family: Family
    weak: bool = False
    """Whether half a country shares its values. It corroborates a pair that something else brought, up to
    :attr:`~ringfence.config.LinkSettings.weak_cap`, and brings none."""


VIEWS: tuple[View, ...] = (
    *(View(entity.name, entity.family) for entity in ENTITY_TYPES.values()),
    View("subnet", Family.NETWORK, weak=True),
    View("asn", Family.NETWORK, weak=True),
    View("bin", Family.PAYMENT, weak=True),
)
"""Every view; entity types first."""

Seen = Callable[[str], Any]
"""Entity type → Ibis table of its sightings: account_id, entity_id, count, first_seen, last_seen."""


def view_sightings(view: View, seen: Seen, addresses: Any, tables: Tables) -> Any:
    """Return account_id, entity_id, first_seen of a view, a row a pair.

    Args:
        view: One of :data:`VIEWS`.
        seen: Sightings of the entity types.
        addresses: Ibis table with address, subnet, asn.
        tables: Canonical tables; only ``payments`` is read, which tells BINs.
    """
    if view.name in ("subnet", "asn"):
        rows = seen("ip")
        found = addresses.filter(addresses[view.name].notnull()).select("address", value=view.name)
        rows = rows.inner_join(found, rows["entity_id"] == found["address"])
    elif view.name == "bin":
        rows = tables("payments")
        kept = rows["bin"].notnull() & (rows["instrument_type"].fill_null("") != PREPAID)
        rows = rows.filter(kept).select("account_id", value="bin", first_seen="ts")
    else:
        rows = seen(view.name).select("account_id", "first_seen", value="entity_id")
        return rows.select("account_id", "first_seen", entity_id="value")
    return rows.group_by("account_id", entity_id=rows["value"]).agg(first_seen=rows["first_seen"].min())


def view_kinds(view: View, addresses: Any, public: Any) -> Any | None:
    """Return entity_id and kind where values of a view say less than others of it; None where all are alike.

    Args:
        view: One of :data:`VIEWS`.
        addresses: Ibis table with address, subnet, asn and kind of the range.
        public: Ibis table with entity_id: templates whose wording everybody can find.
    """
    if view.name == "ip":
        return addresses.select("kind", entity_id="address")
    if view.name in ("subnet", "asn"):
        known = addresses.filter(addresses[view.name].notnull())
        return known.group_by(entity_id=known[view.name]).agg(kind=known["kind"].max())
    if view.name == "template":
        return public.mutate(kind=ibis.literal("public"))
    return None
