"""Which end users of an account its ring rests on, for those who judge and for those who read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd

from ringfence.config import LinkSettings
from ringfence.files import Workspace
from ringfence.graphbuild.build import sightings_path
from ringfence.graphbuild.people import SubaccountSources
from ringfence.graphbuild.sightings import Tables
from ringfence.graphbuild.subaccounts import sub_accounts
from ringfence.graphbuild.units import SubaccountSettings
from ringfence.records import Ring


def judge_end_users(
    engine: Any,
    tables: Tables,
    work: Workspace,
    links: LinkSettings,
    public: Collection[str],
    sightings: Mapping[str, int],
) -> None:
    """Write ``subaccounts.parquet``, and ``own_share`` into ``members.parquet``: 1 with few end users.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        tables: Canonical tables.
        work: Where sightings, addresses and members are.
        links: How links are weighed.
        public: Templates whose wording everybody can find.
        sightings: View → account–value pairs in all; only views in which accounts share a value.
    """
    path = work.links / "members.parquet"
    sources = SubaccountSources(
        cache(tables),
        cache(lambda name: engine.read_parquet(str(sightings_path(work, name)))),
        engine.read_parquet(str(work.links / "addresses.parquet")),
        public,
        engine.read_parquet(str(path)).select("account_id", "community"),
        sightings,
    )
    found = sub_accounts(engine, sources, work.spill / "end-users", links, SubaccountSettings())
    found.units.to_parquet(work.links / "subaccounts.parquet", index=False)
    members = pd.read_parquet(path)
    shares = found.shares.set_index("account_id")["own_share"]
    members["own_share"] = members["account_id"].map(shares).astype(float).fillna(1.0)
    members.to_parquet(path, index=False)


def with_end_users(rings: Sequence[Ring], work: Workspace) -> list[Ring]:
    """Return the rings with the end users who carry the evidence; nobody else's are named."""
    units = pd.read_parquet(work.links / "subaccounts.parquet")
    guilty = units[units["carries"].astype(bool) & units["end_user_id"].notna()]
    names = {str(account): tuple(rows) for account, rows in guilty.groupby("account_id")["end_user_id"]}
    return [_with_end_users(ring, names) for ring in rings]


def _with_end_users(ring: Ring, names: Mapping[str, tuple[str, ...]]) -> Ring:
    if not any(member.account_id in names for member in ring.members):
        return ring
    members = (replace(one, end_users=names.get(one.account_id, ())) for one in ring.members)
    return replace(ring, members=tuple(members))
