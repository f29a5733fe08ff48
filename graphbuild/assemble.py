"""Sightings and links → members of communities, evidence, metrics, memberships, and a graph snapshot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.config import Settings
from ringfence.files import Workspace
from ringfence.graphbuild.attributes import account_attributes, entity_counts
from ringfence.graphbuild.build import sightings_path
from ringfence.graphbuild.communities.metrics import community_metrics
from ringfence.graphbuild.communities.partition import Partition
from ringfence.graphbuild.evidence import community_evidence, community_links, describe_members
from ringfence.graphbuild.labels import UNKNOWN, settled_labels
from ringfence.graphbuild.linkage.links import PAIR, without_bans
from ringfence.graphbuild.memberships import memberships
from ringfence.graphbuild.numbered import Seen, by_number, numbered, read_seen
from ringfence.graphbuild.placement import place_accounts
from ringfence.graphbuild.sightings import Tables
from ringfence.graphbuild.snapshot import build_snapshot
from ringfence.graphbuild.structure import link_structure
from ringfence.progress import Tick, silent
from ringfence.schema import ACTIVITY_TABLES, ENTITY_TYPES
from ringfence.snapshot import write_snapshot


@dataclass(frozen=True, slots=True)
class Built:
    """What linkage found, in numbers."""

    accounts: int
    sightings: dict[str, int]
    links: int
    communities: int
    conflicting_labels: int


def build_graph(
    engine: Any,
    tables: Tables,
    present: frozenset[str],
    work: Workspace,
    settings: Settings,
    tick: Tick = silent,
    previous: pd.Series | None = None,
) -> Built:
    """Write members, evidence and the snapshot of a run whose sightings and links are there.

    Args:
        engine: Ibis backend.
        tables: Canonical tables.
        present: Canonical tables that something fed.
        work: Where sightings and links are, and where the rest goes.
        settings: Resolution and seed.
        tick: Told the share of accounts placed in communities.
        previous: account_id → number of its community in an earlier run, where communities start from.
    """
    days = engine.read_parquet(str(sightings_path(work, "activity")))
    accounts, attributes = account_attributes(engine, tables, present, days)
    partition = _partition(engine, accounts, work, settings, tick, previous)
    members = _members(engine, tables, accounts, partition)
    linked = _by_number(pq.read_table(work.links / "links.parquet"), accounts)
    _write_described(linked, partition, accounts, work, settings)
    seen = {name: read_seen(sightings_path(work, name), accounts) for name in ENTITY_TYPES}
    _write_members(members, accounts, seen, linked, work, settings)
    links = len(linked)
    # Bans are labels: nothing that rests on one may become a feature.
    scored = without_bans(linked, settings.links)
    del linked
    unbanned = describe_members(members, _inside(members, scored, settings))
    structure = link_structure(unbanned, scored)
    labels, conflicting = settled_labels(engine.to_pyarrow(tables("labels")).to_pandas())
    transfers = pq.read_table(sightings_path(work, "transfers"), columns=["start", "end", "count"])
    snapshot = build_snapshot(
        pd.concat([entity_counts(seen, len(accounts)), attributes, structure], axis=1),
        seen,
        pq.read_table(work.links / "addresses.parquet", columns=["address", "subnet"]),
        _by_number(transfers, accounts),
        scored,
        by_number(labels, accounts, UNKNOWN).astype(np.int8),
        partition,
    )
    write_snapshot(work.links / "snapshot.safetensors", snapshot)
    communities = int(partition.community.max(initial=-1)) + 1
    sightings = {name: len(sighted.account) for name, sighted in seen.items()}
    return Built(len(accounts), sightings, links, communities, conflicting)


def _by_number(pairs: pa.Table, accounts: pa.Array) -> pd.DataFrame:
    """Return a table whose first two columns are accounts, with their numbers in place of their ids."""
    for place, name in enumerate(pairs.column_names[:2]):
        pairs = pairs.set_column(place, name, pa.array(numbered(pairs[name], accounts)))
    return pd.DataFrame(pairs.to_pandas())


def _write_described(
    linked: pd.DataFrame, partition: Partition, accounts: pa.Array, work: Workspace, settings: Settings
) -> None:
    """Write the metrics of communities, and which of them are several networks or have members in common."""
    ends, weights = linked[list(PAIR)].to_numpy(np.int64), linked["weight"].to_numpy()
    metrics = community_metrics(ends, weights, partition.community)
    metrics.to_parquet(work.links / "communities.parquet", index=False)
    found = memberships(
        ends,
        weights,
        partition.community,
        least_size=settings.links.least_size,
        seed=settings.seed,
        workers=os.cpu_count() or 1,
    )
    found.insert(0, "account_id", accounts.take(pa.array(found.pop("account"))).to_pandas())
    found.to_parquet(work.links / "memberships.parquet", index=False)


def _inside(members: pd.DataFrame, linked: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    return community_links(linked, members["community"].to_numpy(), settings.links.least_family_weight)


def _write_members(
    members: pd.DataFrame,
    accounts: pa.Array,
    seen: Mapping[str, Seen],
    linked: pd.DataFrame,
    work: Workspace,
    settings: Settings,
) -> None:
    """Write members, with how they are linked, and the evidence of their communities."""
    inside = _inside(members, linked, settings)
    evidence = community_evidence(members["community"].to_numpy(), inside, seen)
    evidence.to_parquet(work.links / "evidence.parquet", index=False)
    described = describe_members(members, inside)
    described.insert(0, "account_id", accounts.to_pandas())
    described.to_parquet(work.links / "members.parquet", index=False)


def _partition(
    engine: Any,
    accounts: pa.Array,
    work: Workspace,
    settings: Settings,
    tick: Tick,
    previous: pd.Series | None,
) -> Partition:
    return place_accounts(
        engine,
        engine.read_parquet(str(work.links / "links.parquet")),
        accounts,
        work.spill / "placing",
        resolution=settings.links.resolution,
        seed=settings.seed,
        previous=None if previous is None else by_number(previous, accounts, -1),
        workers=os.cpu_count() or 1,
        tick=tick,
    )


def _members(engine: Any, tables: Tables, accounts: pa.Array, partition: Partition) -> pd.DataFrame:
    """Return first_seen, last_seen, component and community, an account a row."""
    times = [tables(name).select("account_id", "ts") for name in ACTIVITY_TABLES]
    rows = ibis.union(*times)
    spans = engine.to_pyarrow(
        rows.group_by("account_id").agg(first_seen=rows["ts"].min(), last_seen=rows["ts"].max())
    )
    spans = spans.take(pc.index_in(accounts, spans["account_id"]))
    return pd.DataFrame(
        {
            "first_seen": spans["first_seen"].to_pandas(),
            "last_seen": spans["last_seen"].to_pandas(),
            "component": partition.component,
            "community": partition.community,
        }
    )
