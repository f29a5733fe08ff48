"""Links of a real payment network, where the answers are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ringfence.config import LinkSettings
from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.linkage.pairs import shared_values, summed, view_weights
from ringfence.graphbuild.linkage.rarity import measure_crowd, rarity, uses
from ringfence.graphbuild.linkage.views import View
from ringfence.graphbuild.sightings import sightings, transfers
from ringfence.schema import ENTITY_TYPES
from ringfence.testing.p2p import p2p_tables

pytestmark = pytest.mark.shared_data
CARD = ENTITY_TYPES["instrument"]
VIEW = View(CARD.name, CARD.family)
# Agreement so near to 0 that no other card counts against a pair.
EVERY_SHARED_CARD = LinkSettings(degree_cap={"instrument": 10**9}, agreement={"instrument": 1e-6})


@pytest.fixture(scope="module")
def folder() -> Path:
    found = p2p_tables()
    if found is None:
        pytest.skip("the public payment network is not there; name its folder in RINGFENCE_SHARED_DATA")
    return found


@pytest.fixture(scope="module")
def cards(engine: Any, tables: Any, folder: Path) -> pd.DataFrame:
    had = pd.read_parquet(folder / "HAS_CC.parquet")
    payments = pd.DataFrame(
        {"account_id": had["from_user_id"].astype(str), "instrument_id": had["to_card_id"].astype(str)}
    )
    return engine.to_pyarrow(sightings(tables({"payments": payments}), CARD)).to_pandas()


def test_6240_transfers_run_between_users_who_share_a_card(
    engine: Any, tables: Any, folder: Path, cards: pd.DataFrame
) -> None:
    paid = pd.read_parquet(folder / "P2P.parquet")
    rows = pd.DataFrame(
        {"from_account_id": paid["from_user_id"].astype(str), "to_account_id": paid["to_user_id"].astype(str)}
    )
    pairs = engine.to_pyarrow(transfers(tables({"transfers": rows}))).to_pandas()
    sent = pairs.merge(cards, left_on="start", right_on="account_id")
    shared = sent.merge(cards, left_on=["end", "entity_id"], right_on=["account_id", "entity_id"])
    shared = shared[shared["start"] != shared["end"]]
    assert len(shared[["start", "end"]].drop_duplicates()) == 6240


def test_components_of_links_are_those_of_shared_cards(engine: Any, cards: pd.DataFrame) -> None:
    """Without caps, and where no card is common, every shared card is a link."""
    seen = ibis.memtable(
        pa.Table.from_pandas(cards[["account_id", "entity_id", "first_seen"]], preserve_index=False)
    )
    index = pd.Index(sorted(cards["account_id"].unique()))
    numbers = ibis.memtable(pa.table({"account_id": index.to_list(), "account": range(len(index))}))
    crowd = measure_crowd(engine, seen, VIEW, EVERY_SHARED_CARD)
    assert not crowd.hubs
    # A crowd in which no card is common.
    rare = rarity(seen, VIEW, replace(crowd, sightings=10**15), EVERY_SHARED_CARD)
    sums = summed(shared_values(uses(seen, numbers, rare)))
    linked = engine.to_pyarrow(view_weights(sums, VIEW, EVERY_SHARED_CARD)).to_pandas()
    pairs = linked[["account_a", "account_b"]].to_numpy(np.int64)
    partition = find_communities(len(index), pairs, linked["weight"].to_numpy(float), resolution=1.0, seed=1)

    bipartite = nx.Graph()
    bipartite.add_edges_from(("account " + a, "card " + e) for a, e in zip(*_columns(cards), strict=True))
    expected = {
        frozenset(node[8:] for node in component if node.startswith("account "))
        for component in nx.connected_components(bipartite)
    }
    found = pd.Series(index).groupby(partition.component).agg(frozenset)
    assert set(found) == expected
    assert len(found) == len(expected)


def _columns(cards: pd.DataFrame) -> tuple[list[str], list[str]]:
    return cards["account_id"].tolist(), cards["entity_id"].tolist()
