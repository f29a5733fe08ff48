"""Links of a real payment network, where the answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from ringfence.config import LinkSettings
from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.links import entity_weights, links, type_pairs
from ringfence.graphbuild.sightings import sightings, transfers
from ringfence.schema import ENTITY_TYPES
from ringfence.testing.p2p import p2p_tables

pytestmark = pytest.mark.shared_data
CARD = ENTITY_TYPES["instrument"]
# Agreement so near to 0 that no other card counts against a pair.
EVERY_SHARED_CARD = LinkSettings(
    degree_cap={"instrument": 10**9}, agreement={"instrument": 1e-6}, least_weight=0.0
)


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
    """Without caps, and with so many accounts that no card is common, every shared card is a link."""
    seen = ibis.memtable(
        cards[["account_id", "entity_id"]], schema={"account_id": "string", "entity_id": "string"}
    )
    asked = EVERY_SHARED_CARD
    weights = entity_weights(seen, CARD, 10**12, asked, asked.degree_cap[CARD.name])
    linked = engine.to_pyarrow(links(type_pairs(seen, weights, CARD, asked), asked)).to_pandas()
    index = pd.Index(sorted(cards["account_id"].unique()))
    pairs = np.stack([index.get_indexer(linked[end]) for end in ("account_a", "account_b")], axis=1)
    partition = find_communities(
        len(index), pairs.astype(np.int64), linked["weight"].to_numpy(float), resolution=1.0, seed=1
    )

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
