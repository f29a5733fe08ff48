"""End users weighed as if they were accounts of their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.links import PAIR, brought_pairs
from ringfence.graphbuild.linkage.pairs import shared_by, summed, view_weights
from ringfence.graphbuild.linkage.rarity import measure_crowd, rarity, uses
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.views import VIEWS, Seen, View, view_kinds, view_sightings
from ringfence.graphbuild.sightings import Tables, sightings
from ringfence.records import Family
from ringfence.schema import ENTITY_TYPES, LINK_FAMILIES

WEIGHED = ("account_id", "end_user_id", "requests", "nats", "beside_network")
"""What is told of a unit: its account, its end user (null for the account itself), its requests, and what it
has in common with another member of the community, at most, with addresses and without."""

_MARK = "\x1f"
"""Stands before the name of a unit, which tells how long the account's id is: no end user can have a name by
which it is taken for another account's."""


@dataclass(frozen=True, slots=True)
class SubaccountSettings:
    """Which accounts are looked into, and how far."""

    least_end_users: int = 5
    """An account with fewer is one person, with a handful of test names."""
    partners: int = 64
    """Of the members that have a value in common, so many are compared with each end user who has it."""
    partner_units: int = 2
    """So many end users of each of these members."""


@dataclass(frozen=True, slots=True)
class SubaccountSources:
    """What end users are judged by."""

    tables: Tables
    seen: Seen
    """Sightings of the entity types, by account."""
    addresses: Any
    """Ibis table with address, subnet, asn, kind."""
    public: Collection[str]
    """Templates whose wording everybody can find."""
    members: Any
    """Ibis table with account_id and community, -1 for none."""


class UnitWeighing:
    """The end users of some accounts, and how heavily each is linked.

    A *unit* is an end user of an account, or what the account did itself: requests without an end user,
    logins and payments. Links between units of one account count for nothing: what all its end users have in
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
        self._people = steps.keep(self._everybody(), "people")
        units = {name: sightings(self._rows, entity) for name, entity in ENTITY_TYPES.items()}
        self._units = {name: steps.keep(rows, f"units-{name}") for name, rows in units.items()}

    def weighed(self) -> Any:
        """Return :data:`WEIGHED` as an Ibis table, in any order."""
        views = [view for view in VIEWS if view.family not in self._links.without]
        used = {view: self._used(view) for view in views}
        strong = ibis.union(*(self._met(rows) for view, rows in used.items() if not view.weak))
        pairs = self._steps.keep(strong.distinct(), "pairs")
        weighed = [
            self._steps.keep(
                view_weights(summed(shared_by(rows, pairs)), view, self._links), f"weights-{view.name}"
            )
            for view, rows in used.items()
        ]
        brought = brought_pairs(ibis.union(*weighed), self._links)
        nats = sum((brought[str(family)] for family in LINK_FAMILIES), ibis.literal(0.0)).round(6)
        beside = (nats - brought[Family.NETWORK]).round(6)
        ends = ibis.union(*(brought.select(account=end, nats=nats, beside_network=beside) for end in PAIR))
        heaviest = ends.group_by("account").agg(
            nats=ends["nats"].max(), beside_network=ends["beside_network"].max()
        )
        people = self._people.filter(self._people["unit"])
        told = people.left_join(heaviest, "account")
        most = {name: told[name].fill_null(0.0) for name in ("nats", "beside_network")}
        return told.select(account_id="owner", end_user_id="end_user_id", requests="requests", **most)

    def _everybody(self) -> Any:
        """Return account_id (of a unit, its name), account, owner, end_user_id, requests, community, unit."""
        requests = self._sources.tables("requests").select("account_id", "end_user_id")
        requests = requests.inner_join(self._judged, "account_id")
        seen = requests.select("account_id", "end_user_id", "community", requests=ibis.literal(1, "int64"))
        # Logins and payments are the account's own, whoever its end users are.
        own = self._judged.select(
            "account_id",
            "community",
            end_user_id=ibis.null("string"),
            requests=ibis.literal(0, "int64"),
        ).select(*seen.columns)
        rows = ibis.union(seen, own)
        units = rows.group_by("account_id", "end_user_id", "community").agg(requests=rows["requests"].sum())
        units = units.select(
            account_id=_name(units["account_id"], units["end_user_id"]),
            owner="account_id",
            end_user_id="end_user_id",
            requests=units["requests"].cast("int64"),
            community="community",
            unit=ibis.literal(True),
        )
        others = self._sources.members.semi_join(self._judged, "community")
        others = others.anti_join(self._judged, "account_id")
        others = others.select(
            account_id="account_id",
            owner="account_id",
            end_user_id=ibis.null("string"),
            requests=ibis.literal(0, "int64"),
            community=others["community"],
            unit=ibis.literal(False),
        )
        people = ibis.union(units, others)
        return people.mutate(account=ibis.row_number().over(order_by="account_id").cast("int64"))

    def _rows(self, table: str) -> Any:
        """Return a canonical table's rows of the accounts looked into, under the names of their units."""
        rows = self._sources.tables(table)
        rows = rows.semi_join(self._judged, "account_id")
        end_user = rows["end_user_id"] if table == "requests" else ibis.null("string")
        return rows.mutate(account_id=_name(rows["account_id"], end_user))

    def _all_rows(self, table: str) -> Any:
        rows = self._sources.tables(table).anti_join(self._judged, "account_id")
        return ibis.union(rows, self._rows(table).select(*rows.columns))

    def _seen(self, name: str) -> Any:
        """Return the sightings of an entity type, those of accounts that are looked into by unit."""
        units = self._units[name]
        others = self._sources.seen(name).anti_join(self._judged, "account_id")
        return ibis.union(others.select(*units.columns), units)

    def _used(self, view: View) -> Any:
        """Return who of those compared was seen with what, weighed by all; as rarity's ``uses`` makes it."""
        keep, links, addresses = self._steps.keep, self._links, self._sources.addresses
        everyone = keep(view_sightings(view, self._seen, addresses, self._all_rows), f"seen-{view.name}")
        mine = keep(everyone.semi_join(self._people, "account_id"), f"mine-{view.name}")
        crowd = measure_crowd(self._steps.engine, everyone, view, links)
        public = ibis.memtable(pa.table({"entity_id": pa.array(sorted(self._sources.public), pa.string())}))
        known = everyone.semi_join(mine, "entity_id")
        rare = keep(
            rarity(known, view, crowd, links, view_kinds(view, addresses, public)), f"rarity-{view.name}"
        )
        return keep(uses(mine, self._people.select("account_id", "account"), rare), f"uses-{view.name}")

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


def _name(account: Any, end_user: Any) -> Any:
    return _MARK + account.length().cast("string") + ":" + account + end_user.fill_null("")
