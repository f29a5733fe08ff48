"""A real payment network, by its mapping file, against the published figure."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from commands import files, ringfence

from ringfence.stores.local import LocalServer

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RINGFENCE_SHARED_DATA", ROOT.parent / "shared" / "data")) / "p2p"

pytestmark = [
    pytest.mark.neo4j,
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not DATA.is_dir(), reason=f"the public p2p data is not at RINGFENCE_SHARED_DATA ({DATA})"
    ),
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, neo4j_server: LocalServer) -> Path:
    folder = tmp_path_factory.mktemp("p2p") / "out"
    mapping = ROOT / "examples" / "p2p" / "mapping.toml"
    words = ("run", DATA, "--mapping", mapping, "--out", folder, "--neo4j", neo4j_server.address, "--force")
    ringfence(*words, server=neo4j_server)
    return folder


def test_every_row_is_loaded(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())

    assert manifest["tables"] == {
        "accounts": 33_732, "payments": 128_066, "logins": 55_026, "transfers": 102_832, "labels": 17_014,
    }  # fmt: skip
    assert manifest["rows"]["rejected"] == manifest["rows"]["duplicates"] == 0
    assert manifest["graph"]["sightings"] == {"ip": 0, "instrument": 128_066, "device": 55_026, "template": 0}


def test_pairs_that_share_a_card_are_the_published_number(out: Path, neo4j_server: LocalServer) -> None:
    words = ("query", "run", "card-transfers", "--neo4j", neo4j_server.address, "--limit", "10000", "--json")
    answer = json.loads(ringfence(*words, server=neo4j_server).stdout)

    assert out.is_dir()
    assert not answer["truncated"]
    assert len(answer["rows"]) == 6_240


def test_scores_rank_reviewed_fraud_above_chance_and_accuse_nobody(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    gnn, trees = manifest["scoring"]["comparison"]

    assert (gnn["model"], trees["model"]) == ("gnn", "trees")
    assert gnn["positives"] == trees["positives"] == 127
    assert gnn["roc_auc"] > 0.8
    assert manifest["decisions"]["ring"] == 0
    assert pd.read_parquet(out / "accounts.parquet")["score"].between(0, 1).all()


@pytest.mark.skipif(
    not os.environ.get("RINGFENCE_SOAK"), reason="a small world shows the same in every run of the tests"
)
def test_the_graph_is_the_same_again(out: Path, tmp_path: Path) -> None:
    mapping = ROOT / "examples" / "p2p" / "mapping.toml"
    ringfence("run", DATA, "--mapping", mapping, "--out", tmp_path / "again", "--neo4j", "none")

    first, again = files(out), files(tmp_path / "again")
    assert [name for name in first if first[name] != again.get(name)] == []
