"""The run's graph as arrays: accounts, the entities they were seen with, and how they are linked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ringfence.graphbuild.communities.folds import fold_groups
from ringfence.graphbuild.communities.partition import Partition
from ringfence.graphbuild.numbered import Seen, in_order, numbered
from ringfence.schema import ENTITY_TYPES
from ringfence.snapshot import Edges, EdgeType, Snapshot


def build_snapshot(
    attributes: pd.DataFrame,
    seen: Mapping[str, Seen],
    addresses: pa.Table,
    transfers: pd.DataFrame,
    links: pd.DataFrame,
    labels: npt.NDArray[np.int8],
    partition: Partition,
) -> Snapshot:
    """Return the snapshot of a run; accounts go by their numbers.

    Args:
        attributes: Account features; row ``i`` is account ``i``.
        seen: Entity type → its sightings.
        addresses: address, subnet.
        transfers: start, end, count.
        links: account_a, account_b, weight.
        labels: shape: ``(n,)``; 1, 0 or -1.
        partition: Components and communities of the accounts.
    """
    subnets = in_order(addresses["subnet"])
    sizes = {"subnet": len(subnets), **{name: len(sighted.names) for name, sighted in seen.items()}}
    edges: dict[EdgeType, Edges] = {
        ("account", entity.relationship, entity.name): _edges(
            seen[entity.name].account, seen[entity.name].entity, np.log1p(seen[entity.name].count)
        )
        for entity in ENTITY_TYPES.values()
    }
    edges["ip", "IN_SUBNET", "subnet"] = _edges(
        numbered(addresses["address"], seen["ip"].names),
        numbered(addresses["subnet"], subnets),
        np.ones(len(addresses)),
    )
    edges["account", "TRANSFERRED_TO", "account"] = _edges(
        transfers["start"].to_numpy(), transfers["end"].to_numpy(), np.log1p(transfers["count"].to_numpy())
    )
    linked = edges["account", "LINKED_TO", "account"] = _edges(
        links["account_a"].to_numpy(), links["account_b"].to_numpy(), links["weight"].to_numpy()
    )
    features = {name: np.empty((size, 0), np.float32) for name, size in sizes.items()}
    names: dict[str, tuple[str, ...]] = dict.fromkeys(sizes, ())
    features["account"], names["account"] = _features(attributes), tuple(attributes.columns)
    groups = fold_groups(partition, linked.index.T, linked.weight.astype(np.float64))
    return Snapshot(features, names, edges, labels, groups, partition.community)


def _features(attributes: pd.DataFrame) -> npt.NDArray[np.float32]:
    # A column at a time: a frame of another type would be a second copy of all of them.
    features = np.empty(attributes.shape, np.float32)
    for place, name in enumerate(attributes):
        features[:, place] = attributes[name]
    return features


def _edges(
    source: npt.NDArray[np.integer], target: npt.NDArray[np.integer], weight: npt.NDArray[np.floating]
) -> Edges:
    """Return edges in the order of their ends: a snapshot does not depend on the order of its rows."""
    key = source.astype(np.int64) << 32 | target
    order = np.argsort(key)
    key = key[order]
    return Edges(np.stack((key >> 32, key & 0xFFFFFFFF)), np.asarray(weight, np.float32)[order])
