"""The snapshot of linkage: what is an edge, how nodes are numbered, and one file for any order of rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ringfence.graphbuild.communities.partition import Partition
from ringfence.graphbuild.numbered import seen_of
from ringfence.graphbuild.snapshot import build_snapshot
from ringfence.schema import ENTITY_TYPES
from ringfence.snapshot import Snapshot, read_snapshot, write_snapshot

ATTRIBUTES = pd.DataFrame({"requests": [3, 0, 1, 2], "tool_share": [0.5, np.nan, 1.0, 0.0]})
SEEN = {
    "ip": pd.DataFrame(
        {"account_id": ["b", "a", "a"], "entity_id": ["192.0.2.9"] * 2 + ["10.0.0.1"], "count": [1, 2, 3]}
    ),
    "instrument": pd.DataFrame({"account_id": ["d", "c"], "entity_id": ["card", "card"], "count": [1, 1]}),
    "device": pd.DataFrame({"account_id": [], "entity_id": [], "count": []}).astype(
        {"account_id": "str", "entity_id": "str", "count": "int64"}
    ),
    "template": pd.DataFrame({"account_id": ["a"], "entity_id": ["t-1"], "count": [7]}),
}
ADDRESSES = pd.DataFrame(
    {"address": ["192.0.2.9", "10.0.0.1"], "subnet": ["192.0.2.0/24", "10.0.0.0/24"]}, dtype="str"
)
TRANSFERS = pd.DataFrame({"start": [3, 0], "end": [0, 1], "count": [2, 1]})
LINKS = pd.DataFrame({"account_a": [0, 2], "account_b": [1, 3], "weight": [6.5, 12.0]})
LABELS = np.array([1, -1, 0, -1], np.int8)
PARTITION = Partition(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))


def _table(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, preserve_index=False)


def _snapshot(seed: int | None = None) -> Snapshot:
    """Return the snapshot, made of rows in another order where a seed is given."""

    def mixed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame if seed is None else frame.sample(frac=1, random_state=seed)

    return build_snapshot(
        ATTRIBUTES,
        {name: seen_of(_table(mixed(rows)).column, pa.array(list("abcd"))) for name, rows in SEEN.items()},
        _table(mixed(ADDRESSES)),
        mixed(TRANSFERS),
        mixed(LINKS),
        LABELS,
        PARTITION,
    )


def test_nodes_are_numbered_in_the_order_of_their_names() -> None:
    found = _snapshot()
    used = found.edges["account", "USED_IP", "ip"]
    assert used.index.tolist() == [[0, 0, 1], [0, 1, 1]]
    assert used.weight.tolist() == pytest.approx(np.log1p([3, 2, 1]).tolist())
    assert found.edges["ip", "IN_SUBNET", "subnet"].index.tolist() == [[0, 1], [0, 1]]
    assert found.edges["account", "TRANSFERRED_TO", "account"].index.tolist() == [[0, 3], [1, 0]]
    assert found.edges["account", "LINKED_TO", "account"].weight.tolist() == [6.5, 12.0]


def test_edges_end_at_nodes() -> None:
    found = _snapshot()
    nodes = {name: len(features) for name, features in found.features.items()}
    assert set(nodes) == {"account", "subnet", *ENTITY_TYPES}
    for (source, _relation, target), edges in found.edges.items():
        assert edges.index.shape == (2, len(edges.weight))
        assert ((edges.index >= 0) & (edges.index < [[nodes[source]], [nodes[target]]])).all()


def test_features_have_names_and_keep_what_is_unknown() -> None:
    found = _snapshot()
    assert found.feature_names["account"] == ("requests", "tool_share")
    np.testing.assert_array_equal(found.features["account"][1], np.array([0, np.nan], np.float32))
    assert all(found.features[name].shape[1] == 0 for name in (*ENTITY_TYPES, "subnet"))


def test_a_file_gives_the_snapshot_back(tmp_path: Path) -> None:
    made = _snapshot()
    write_snapshot(tmp_path / "s.safetensors", made)
    back = read_snapshot(tmp_path / "s.safetensors")
    assert back.feature_names == made.feature_names
    assert set(back.edges) == set(made.edges)
    for kind, edges in made.edges.items():
        np.testing.assert_array_equal(back.edges[kind].index, edges.index)
        np.testing.assert_array_equal(back.edges[kind].weight, edges.weight)
    for node, features in made.features.items():
        np.testing.assert_array_equal(back.features[node], features)
    for name in ("labels", "component", "community"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name))


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_show(tmp_path: Path, seed: int) -> None:
    write_snapshot(tmp_path / "one", _snapshot())
    write_snapshot(tmp_path / "two", _snapshot(seed))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
