"""The run's graph as arrays: accounts, the entities they were seen with, and how they are linked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.graphbuild.communities.folds import fold_groups
from ringfence.graphbuild.communities.partition import Partition
from ringfence.schema import ENTITY_TYPES
from ringfence.snapshot import Edges, EdgeType, Snapshot


def build_snapshot(
    attributes: pd.DataFrame,
    seen: Mapping[str, pd.DataFrame],
    addresses: pd.DataFrame,
    transfers: pd.DataFrame,
    links: pd.DataFrame,
    labels: npt.NDArray[np.int8],
    partition: Partition,
) -> Snapshot:
    """Return the snapshot of a run.

    Args:
        attributes: account_id and account features, in the order of account_id: it numbers the accounts.
        seen: Entity type → account_id, entity_id, count.
        addresses: address, subnet.
        transfers: start, end, count.
        links: account_a, account_b, weight.
        labels: shape: ``(n,)``; 1, 0 or -1.
        partition: Components and communities of the accounts.
    """
    accounts = pd.Index(attributes["account_id"])
    numbers = attributes.drop(columns="account_id").astype("float32")
    features = {"account": numbers.to_numpy(np.float32)}
    names: dict[str, tuple[str, ...]] = {"account": tuple(numbers.columns)}
    edges: dict[EdgeType, Edges] = {}
    nodes: dict[str, pd.Index] = {"subnet": pd.Index(sorted(addresses["subnet"].unique()))}
    for entity in ENTITY_TYPES.values():
        rows = seen[entity.name]
        nodes[entity.name] = pd.Index(sorted(rows["entity_id"].unique()))
        edges["account", entity.relationship, entity.name] = _edges(
            accounts.get_indexer(pd.Index(rows["account_id"])),
            nodes[entity.name].get_indexer(pd.Index(rows["entity_id"])),
            np.log1p(rows["count"].to_numpy()),
        )
    edges["ip", "IN_SUBNET", "subnet"] = _edges(
        nodes["ip"].get_indexer(pd.Index(addresses["address"])),
        nodes["subnet"].get_indexer(pd.Index(addresses["subnet"])),
        np.ones(len(addresses)),
    )
    edges["account", "TRANSFERRED_TO", "account"] = _edges(
        accounts.get_indexer(pd.Index(transfers["start"])),
        accounts.get_indexer(pd.Index(transfers["end"])),
        np.log1p(transfers["count"].to_numpy()),
    )
    edges["account", "LINKED_TO", "account"] = _edges(
        accounts.get_indexer(pd.Index(links["account_a"])),
        accounts.get_indexer(pd.Index(links["account_b"])),
        links["weight"].to_numpy(),
    )
    for name, index in nodes.items():
        features[name] = np.empty((len(index), 0), np.float32)
        names[name] = ()
    linked = edges["account", "LINKED_TO", "account"]
    groups = fold_groups(partition, linked.index.T, linked.weight.astype(np.float64))
    return Snapshot(features, names, edges, labels, groups, partition.community)


def _edges(
    source: npt.NDArray[np.intp], target: npt.NDArray[np.intp], weight: npt.NDArray[np.floating]
) -> Edges:
    """Return edges in the order of their ends: a snapshot does not depend on the order of its rows."""
    order = np.lexsort((target, source))
    index = np.stack((source[order], target[order])).astype(np.int64)
    return Edges(index, np.asarray(weight, np.float32)[order])
