"""Sub-accounts: which end users of an account carry what links it to its community.

An account that many end users are behind, as a reseller's or an aggregator's, is not one person. Its end
users are taken for accounts of their own, and weighed against the other members of the community as accounts
are, so that of a reseller's customers only those are named who do what the ring does.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pandas as pd

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.people import SubaccountSources
from ringfence.graphbuild.units import WEIGHED, SubaccountSettings, UnitWeighing

UNIT_COLUMNS = ("account_id", "end_user_id", "share", "nats", "beside_network", "carries")
"""Columns of ``subaccounts.parquet``: ``end_user_id`` is null for what the account did itself; ``share`` is
of its requests, 0..1; ``nats`` what the end user has in common with another member of the community, at most,
and ``beside_network`` the same without addresses; ``carries`` whether it is enough for a link."""

_STEPS = 16


@dataclass(frozen=True, slots=True)
class Subaccounts:
    """What was found, in the order of the accounts."""

    units: pd.DataFrame
    """:data:`UNIT_COLUMNS`: the end users of every account looked into."""
    shares: pd.DataFrame
    """account_id, end_users, own_share: see :func:`own_shares`."""


def sub_accounts(
    engine: Any, sources: SubaccountSources, folder: Path, links: LinkSettings, settings: SubaccountSettings
) -> Subaccounts:
    """Judge the end users of accounts in communities.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        sources: What they are judged by.
        folder: A folder that is not there yet, for what lies between the steps; gone afterwards.
        links: How links are weighed.
        settings: Which accounts are looked into.
    """
    judged = engine.to_pyarrow(_judged(sources, settings))
    found = pd.DataFrame(columns=list(WEIGHED))
    if judged.num_rows:
        steps = Steps(engine, folder, _STEPS)
        weighed = UnitWeighing(steps, sources, ibis.memtable(judged), links, settings).weighed()
        found = engine.to_pyarrow(weighed).to_pandas()
        shutil.rmtree(folder)
    units = _with_shares(found, links)
    return Subaccounts(units, own_shares(units, links))


def own_shares(units: pd.DataFrame, links: LinkSettings) -> pd.DataFrame:
    """Return account_id, end_users, own_share: the part of an account's requests that its community's are.

    It is 1 where the account itself is linked: by requests without an end user, its logins or its payments.
    Else it is the share of requests of end users who carry a link, or have at least ``least_candidate`` nats
    beside addresses in common with another member. That is less than it takes to be named, so that an
    operator who cuts an account into many made-up end users is no bystander for that; one who makes up an end
    user for every single request may pass for one.

    Args:
        units: :data:`UNIT_COLUMNS`.
        links: Which nats are enough.
    """
    own = units["end_user_id"].isna()
    near = units["carries"].astype(bool) | (units["beside_network"] >= links.least_candidate)
    close = units["share"].where(near, 0.0)
    itself = own & units["carries"].astype(bool)
    rows = pd.DataFrame(
        {
            "account_id": units["account_id"],
            "end_users": (~own).astype("int64"),
            "close": close,
            "all": itself,
        }
    )
    grouped = rows.groupby("account_id", sort=True)
    shares = grouped.agg({"end_users": "sum", "close": "sum", "all": "any"}).reset_index()
    shares["own_share"] = shares["close"].where(~shares["all"].astype(bool), 1.0).astype(float).round(6)
    return shares[["account_id", "end_users", "own_share"]]


def _with_shares(found: pd.DataFrame, links: LinkSettings) -> pd.DataFrame:
    requests = found["requests"].astype(float)
    total = requests.groupby(found["account_id"]).transform("sum")
    units = found.assign(
        share=(requests / total.clip(lower=1)).round(6),
        **{name: found[name].astype(float) for name in ("nats", "beside_network")},
    )
    units["carries"] = units["nats"] >= links.least_weight
    # What an account did itself comes before its end users.
    units = units.sort_values(["account_id", "end_user_id"], na_position="first", ignore_index=True)
    return units[list(UNIT_COLUMNS)]


def _judged(sources: SubaccountSources, settings: SubaccountSettings) -> Any:
    """Return account_id, community of the accounts in communities that are looked into."""
    members = sources.members.filter(sources.members["community"] >= 0)
    rows = sources.tables("requests")
    rows = rows.filter(rows["end_user_id"].notnull()).semi_join(members, "account_id")
    counted = rows.group_by("account_id").agg(end_users=rows["end_user_id"].nunique())
    many = counted.filter(counted["end_users"] >= settings.least_end_users)
    return members.select("account_id", "community").semi_join(many, "account_id")
