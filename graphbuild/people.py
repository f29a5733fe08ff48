"""Who is compared, and what each was seen with: end users, and the other members of their communities.

A *unit* is an end user of an account, or what the account did itself: requests without an end user, logins
and payments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ibis

from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.views import Seen, View, view_sightings
from ringfence.graphbuild.sightings import Tables, sightings
from ringfence.schema import ENTITY_TYPES

_MARK = "\x1f"
"""Stands before the name of a unit, which tells how long the account's id is: units come before all accounts,
those of one account one after the other."""


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
    sightings: Mapping[str, int]
    """View → account–value pairs in all; only views in which accounts share a value."""


def people_compared(sources: SubaccountSources, judged: Any) -> Any:
    """Return account (the number of a person), owner, end_user_id, requests, community, unit.

    They are the units, and the members of their communities that are not looked into.

    Args:
        sources: What they are judged by.
        judged: Ibis table with account_id and community of the accounts that are looked into.
    """
    requests = sources.tables("requests").select("account_id", "end_user_id")
    requests = requests.inner_join(judged, "account_id")
    seen = requests.select("account_id", "end_user_id", "community", requests=ibis.literal(1, "int64"))
    # Logins and payments are the account's own, whoever its end users are.
    own = judged.select(
        "account_id",
        "community",
        end_user_id=ibis.null("string"),
        requests=ibis.literal(0, "int64"),
    ).select(*seen.columns)
    rows = ibis.union(seen, own)
    units = rows.group_by("account_id", "end_user_id", "community").agg(requests=rows["requests"].sum())
    owner = units["account_id"]
    units = units.select(
        name=_MARK + owner.length().cast("string") + ":" + owner + units["end_user_id"].fill_null(""),
        owner=owner,
        end_user_id="end_user_id",
        requests=units["requests"].cast("int64"),
        community="community",
        unit=ibis.literal(True),
    )
    others = sources.members.semi_join(judged, "community")
    others = others.anti_join(judged, "account_id")
    others = others.select(
        name="account_id",
        owner="account_id",
        end_user_id=ibis.null("string"),
        requests=ibis.literal(0, "int64"),
        community=others["community"],
        unit=ibis.literal(False),
    )
    everybody = ibis.union(units, others)
    number = ibis.row_number().over(order_by="name").cast("int64")
    return everybody.mutate(account=number).drop("name")


def people_sightings(
    steps: Steps, sources: SubaccountSources, compared: Any, coarser: Collection[View]
) -> Any:
    """Return view, account_id (the number of a person), entity_id, first_seen: who was seen with what.

    Args:
        steps: Where tables go.
        sources: What they are judged by.
        compared: As :func:`people_compared` tells them.
        coarser: What to look at, beside entity types.
    """
    columns = ("view", "account_id", "entity_id", "first_seen")
    requests = steps.keep(_requests(sources, compared), "requests")
    others, themselves = compared.filter(~compared["unit"]), compared.filter(compared["end_user_id"].isnull())
    own = themselves.filter(themselves["unit"])

    def of_units(table: str) -> Any:
        return requests if table == "requests" else _numbered(sources.tables(table), own)

    def of_all(table: str) -> Any:
        return _numbered(sources.tables(table), themselves)

    def of_view(name: str, rows: Any) -> Any:
        return rows.mutate(view=ibis.literal(name)).select(*columns)

    found = [
        of_view(name, rows)
        for name, entity in ENTITY_TYPES.items()
        for rows in (sightings(of_units, entity), _numbered(sources.seen(name), others))
    ]
    seen = steps.keep(ibis.union(*found), "seen")
    if not coarser:
        return seen
    rows = [view_sightings(view, partial(seen_in, seen), sources.addresses, of_all) for view in coarser]
    more = [of_view(view.name, each) for view, each in zip(coarser, rows, strict=True)]
    return ibis.union(seen, steps.keep(ibis.union(*more), "coarser"))


def seen_in(rows: Any, view: str) -> Any:
    """Return the rows of a view, of rows that name theirs."""
    return rows.filter(rows["view"] == view).drop("view")


def _requests(sources: SubaccountSources, compared: Any) -> Any:
    """Return what sightings are made of, for the requests of units, under their numbers."""
    rows, units = sources.tables("requests"), compared.filter(compared["unit"])
    units = units.select("account", account_id="owner", whose="end_user_id")
    same = [rows["account_id"] == units["account_id"], rows["end_user_id"].identical_to(units["whose"])]
    seen = {column for kind in ENTITY_TYPES.values() for table, column in kind.sources if table == "requests"}
    return rows.inner_join(units, same).select("ts", *sorted(seen), account_id="account")


def _numbered(rows: Any, compared: Any) -> Any:
    """Return what accounts did themselves, under the numbers of these people."""
    numbers = compared.select("account", account_id="owner")
    return rows.inner_join(numbers, "account_id").drop("account_id").rename(account_id="account")
