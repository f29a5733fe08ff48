"""End users weighed as if they were accounts of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.links import PAIR, brought_pairs
from ringfence.graphbuild.linkage.pairs import shared_by, summed, view_weights
from ringfence.graphbuild.linkage.rarity import Crowd, rarity, uses
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.views import VIEWS, View, view_kinds, view_sightings
from ringfence.graphbuild.people import SubaccountSources, people_compared, people_sightings, seen_in
from ringfence.records import Family
from ringfence.schema import LINK_FAMILIES

WEIGHED = ("account_id", "end_user_id", "requests", "nats", "beside_network")
"""What is told of a unit: its account, its end user (null for the account itself), its requests, and what it
has in common with another member of the community, at most, with addresses and without."""


@dataclass(frozen=True, slots=True)
class SubaccountSettings:
    """Which accounts are looked into, and how far."""

    least_end_users: int = 5
    """An account with fewer is one person, with a handful of test names."""
    partners: int = 64
    """Of the members that have a value in common, so many are compared with each end user who has it."""
    partner_units: int = 2
    """So many end users of each of these members."""


class UnitWeighing:
    """The end users of some accounts, and how heavily each is linked.

    Links between units of one account count for nothing: what all its end users have in
    common is the account's own servers and product.
    """

    def __init__(
        self,
        steps: Steps,
        sources: SubaccountSources,
        judged: Any,
        links: LinkSettings,
        settings: SubaccountSettings,
    ) -> None:
        """Cut the accounts into units.

        Args:
            steps: Where tables go.
            sources: What units are judged by.
            judged: Ibis table with account_id and community of the accounts that are looked into.
            links: How links are weighed.
            settings: How far is looked.
        """
        self._steps, self._sources, self._judged = steps, sources, judged
        self._links, self._settings = links, settings
        self._views = [
            view for view in VIEWS if view.name in sources.sightings and view.family not in links.without
        ]
        self._people = steps.keep(people_compared(sources, judged), "people")

    def weighed(self) -> Any:
        """Return :data:`WEIGHED` as an Ibis table, in any order."""
        used = self._used()
        met = ibis.union(*(self._met(rows) for view, rows in used.items() if not view.weak))
        pairs = self._steps.keep(met.distinct(), "pairs")
        brought = brought_pairs(self._said(used, pairs), self._links)
        nats = sum((brought[str(family)] for family in LINK_FAMILIES), ibis.literal(0.0)).round(6)
        beside = (nats - brought[Family.NETWORK]).round(6)
        linked = self._steps.keep(brought.select(*PAIR, nats=nats, beside_network=beside), "linked")
        ends = ibis.union(*(linked.select("nats", "beside_network", account=end) for end in PAIR))
        heaviest = ends.group_by("account").agg(
            nats=ends["nats"].max(), beside_network=ends["beside_network"].max()
        )
        people = self._people.filter(self._people["unit"])
        told = people.left_join(heaviest, "account")
        most = {name: told[name].fill_null(0.0) for name in ("nats", "beside_network")}
        return told.select(account_id="owner", end_user_id="end_user_id", requests="requests", **most)

    def _used(self) -> dict[View, Any]:
        """Return who of those compared was seen with what, weighed by all; as rarity's ``uses`` makes it.

        Of values that members of one community have in common; nobody else's can link them.
        """
        steps, sources = self._steps, self._sources
        seen = people_sightings(steps, sources, self._people, [view for view in self._views if view.weak])
        people = self._people.select("owner", "community", "unit", account_id="account")
        rows = seen.inner_join(people, "account_id")
        spread = self._spread(rows.filter(rows["unit"]))
        have = rows.group_by("view", "community", "entity_id").agg(
            first=rows["owner"].min(), last=rows["owner"].max()
        )
        common = have.filter(have["first"] < have["last"]).select("view", "entity_id").distinct()
        common = steps.keep(common, "common")
        return {
            view: steps.keep(
                self._weighed_uses(
                    view, spread[view.name], *(seen_in(each, view.name) for each in (seen, common))
                ),
                f"uses-{view.name}",
            )
            for view in self._views
        }

    def _spread(self, units: Any) -> dict[str, int]:
        """Return view → account–value pairs in all, with units for the accounts that are looked into."""
        more = units.group_by("view", "owner", "entity_id").agg(more=units.count() - 1)
        found = self._steps.engine.to_pyarrow(more.group_by("view").agg(more=more["more"].sum()))
        added = {row["view"]: row["more"] for row in found.to_pylist()}
        return {name: rows + added.get(name, 0) for name, rows in self._sources.sightings.items()}

    def _weighed_uses(self, view: View, spread: int, seen: Any, common: Any) -> Any:
        """Return ``uses`` of the values in ``common``, among all who were seen with them."""
        sources, people = self._sources, self._people
        units = people.filter(people["unit"]).select(account_id="account")
        others = view_sightings(view, sources.seen, sources.addresses, sources.tables)
        others = others.anti_join(self._judged, "account_id")
        known = ibis.union(
            *(rows.select("entity_id") for rows in (others, seen.semi_join(units, "account_id")))
        )
        public = ibis.memtable(pa.table({"entity_id": pa.array(sorted(sources.public), pa.string())}))
        kinds = view_kinds(view, sources.addresses, public)
        # All pairs that are asked for are known, so it matters to none whether a value is a hub.
        crowd = Crowd(spread, 0, hubs=True, shared=True)
        rare = rarity(known.semi_join(common, "entity_id"), view, crowd, self._links, kinds)
        return uses(seen, people.select("account", account_id="account"), rare)

    def _met(self, used: Any) -> Any:
        """Return account_a < account_b: end users, and members with whom they have a value in common."""
        people = self._people.select("account", "owner", "community", "unit")
        rows = used.select("account", "entity").inner_join(people, "account")
        of_owner = ibis.window(group_by=["entity", "community", "owner"], order_by="account")
        of_value = ibis.window(group_by=["entity", "community"], order_by="owner")
        near = rows.mutate(place=ibis.row_number().over(of_owner), rank=ibis.dense_rank().over(of_value))
        # One more than are asked for: the end user's own account may be among them.
        near = near.filter(
            near["place"] < self._settings.partner_units, near["rank"] <= self._settings.partners
        )
        near = near.select("entity", "community", partner="account", of="owner")
        units = rows.filter(rows["unit"])
        met = units.inner_join(near, ["entity", "community"])
        met = met.filter(met["owner"] != met["of"])
        return met.select(
            account_a=ibis.least(met["account"], met["partner"]),
            account_b=ibis.greatest(met["account"], met["partner"]),
        )

    def _said(self, used: Mapping[View, Any], pairs: Any) -> Any:
        """Return what all views say of the pairs, as :func:`view_weights` makes it."""
        links = self._links

        def said(view: View, pairs: Any) -> Any:
            return view_weights(summed(shared_by(used[view], pairs)), view, links)

        strong = [said(view, pairs) for view in used if not view.weak]
        told = self._steps.keep(ibis.union(*strong), "strong")
        # Of a family's views the strongest counts: where another says as much, a weak one need not be asked.
        enough = told.filter(told["weight"] >= links.weak_cap)
        weak = [
            said(view, pairs.anti_join(enough.filter(enough["family"] == str(view.family)), PAIR))
            for view in used
            if view.weak
        ]
        return ibis.union(told, self._steps.keep(ibis.union(*weak), "weak")) if weak else told
