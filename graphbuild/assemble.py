"""Sightings and links → members of communities, evidence, metrics, replacements, and a graph snapshot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ringfence.config import Settings
from ringfence.files import Workspace
from ringfence.graphbuild.attributes import account_attributes
from ringfence.graphbuild.build import sightings_path
from ringfence.graphbuild.communities.metrics import community_metrics
from ringfence.graphbuild.communities.partition import Partition
from ringfence.graphbuild.evidence import community_evidence, community_links, describe_members
from ringfence.graphbuild.labels import UNKNOWN, settled_labels
from ringfence.graphbuild.linkage.links import without_bans
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
    entities = {name: engine.read_parquet(str(sightings_path(work, name))) for name in ENTITY_TYPES}
    seen = {name: engine.to_pyarrow(table).to_pandas() for name, table in entities.items()}
    attributes = engine.to_pyarrow(account_attributes(tables, present, entities)).to_pandas()
    linked = pd.read_parquet(work.links / "links.parquet")
    index = pd.Index(attributes["account_id"])
    partition = _partition(engine, index, work, settings, tick, previous)
    members = _members(engine, tables, index, partition)
    _write_metrics(linked, index, partition, work)
    members = _write_members(members, seen, _inside(members, linked, settings), work)
    labels, conflicting = settled_labels(engine.to_pyarrow(tables("labels")).to_pandas())
    # Bans are labels: nothing that rests on one may become a feature.
    scored = without_bans(linked, settings.links)
    unbanned = describe_members(members, _inside(members, scored, settings))
    snapshot = build_snapshot(
        attributes.merge(link_structure(unbanned, scored), on="account_id"),
        seen,
        pd.read_parquet(work.links / "addresses.parquet"),
        pd.read_parquet(sightings_path(work, "transfers")),
        scored,
        labels.reindex(index).fillna(UNKNOWN).to_numpy(np.int8),
        partition,
    )
    write_snapshot(work.links / "snapshot.safetensors", snapshot)
    communities = int(partition.community.max(initial=-1)) + 1
    return Built(len(index), {n: len(s) for n, s in seen.items()}, len(linked), communities, conflicting)


def _write_metrics(linked: pd.DataFrame, index: pd.Index, partition: Partition, work: Workspace) -> None:
    ends = [index.get_indexer(pd.Index(linked[end])) for end in ("account_a", "account_b")]
    metrics = community_metrics(np.stack(ends, axis=1), linked["weight"].to_numpy(), partition.community)
    metrics.to_parquet(work.links / "communities.parquet", index=False)


def _inside(members: pd.DataFrame, linked: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    community = members.set_index("account_id")["community"]
    return community_links(linked, community, settings.links.least_family_weight)


def _write_members(
    members: pd.DataFrame, seen: Mapping[str, pd.DataFrame], inside: pd.DataFrame, work: Workspace
) -> pd.DataFrame:
    """Write members and the evidence of their communities; return the members with how they are linked."""
    members = describe_members(members, inside)
    evidence = community_evidence(members, inside, {n: _with_degree(s, members) for n, s in seen.items()})
    members.to_parquet(work.links / "members.parquet", index=False)
    evidence.to_parquet(work.links / "evidence.parquet", index=False)
    return members


def _partition(
    engine: Any,
    index: pd.Index,
    work: Workspace,
    settings: Settings,
    tick: Tick,
    previous: pd.Series | None,
) -> Partition:
    earlier = None if previous is None else previous.reindex(index).fillna(-1).to_numpy(np.int64)
    return place_accounts(
        engine,
        engine.read_parquet(str(work.links / "links.parquet")),
        index,
        work.spill / "placing",
        resolution=settings.links.resolution,
        seed=settings.seed,
        previous=earlier,
        workers=os.cpu_count() or 1,
        tick=tick,
    )


def _members(engine: Any, tables: Tables, index: pd.Index, partition: Partition) -> pd.DataFrame:
    """Return account_id, first_seen, last_seen, component and community in the order of ``index``."""
    times = [tables(name).select("account_id", "ts") for name in ACTIVITY_TABLES]
    rows = ibis.union(*times)
    spans = engine.to_pyarrow(
        rows.group_by("account_id").agg(first_seen=rows["ts"].min(), last_seen=rows["ts"].max())
    )
    spans = spans.to_pandas().set_index("account_id").reindex(index)
    return pd.DataFrame(
        {
            "account_id": index,
            "first_seen": spans["first_seen"].to_numpy(),
            "last_seen": spans["last_seen"].to_numpy(),
            "component": partition.component,
            "community": partition.community,
        }
    )


def _with_degree(seen: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Return the sightings of accounts in communities, with the degree of each entity among all accounts."""
    degree = seen.groupby("entity_id")["account_id"].transform("size")
    inside = members.loc[members["community"] >= 0, "account_id"]
    return seen.assign(degree=degree)[seen["account_id"].isin(inside)]
