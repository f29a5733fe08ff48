"""The output of a run opens as pandas frames and networkx graphs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import ringfence
from ringfence.errors import OutputError, RingfenceError
from ringfence.files import write_json
from ringfence.records import Action, Decision, Evidence, Family, Member, Ring, Role
from ringfence.schema import LINK_FAMILIES
from ringfence.stores.graph import write_graph

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
RING = Ring(
    ring_id="ring-7f3a",
    probability=0.97,
    decision=Decision.RING,
    size=2,
    first_seen=NOON,
    last_seen=NOON,
    evidence_score=14.5,
    members=(Member("a", 0.9, Role.CORE), Member("b", 0.8, Role.MEMBER)),
    evidence=(Evidence(Family.PAYMENT, "2 accounts paid with one card.", 7.0, 1.0, ("instrument:card1",)),),
    tactics=("reasoning",),
    recommended_action=Action.SUSPEND,
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "rings.jsonl").write_text(json.dumps(RING.as_json()) + "\n")
    pd.DataFrame(
        {
            "account_id": ["a", "b", "c"],
            "score": [0.9, 0.8, 0.1],
            "ring_id": ["ring-7f3a", "ring-7f3a", None],
            "ring_probability": [0.97, 0.97, None],
            "role": ["core", "member", None],
        }
    ).to_parquet(folder / "accounts.parquet")
    families = {family.value: [0.0, 0.0] for family in LINK_FAMILIES}
    links = {"account_a": ["a", "b"], "account_b": ["b", "c"], "weight": [7.0, 3.5], **families}
    pd.DataFrame(links).to_parquet(folder / "links.parquet")
    write_json(folder / "manifest.json", {"seed": 5})
    sightings = pa.table({"start": ["a", "b", "c"], "end": ["card1", "card1", "card2"], "count": [2, 1, 1]})
    nodes = {"Account": pa.table({"account_id": ["a", "b", "c"]})}
    write_graph(folder / "graph", nodes, {"PAID_WITH": sightings})
    return folder


def test_rings(out: Path) -> None:
    rings = ringfence.open_run(out).rings()
    assert rings["ring_id"].tolist() == ["ring-7f3a"]
    assert rings.loc[0, "members"][0] == {"account_id": "a", "score": 0.9, "role": "core"}
    assert rings.loc[0, "evidence"][0]["family"] == "payment"
    assert rings.loc[0, "first_seen"] == pd.Timestamp(NOON)


def test_a_run_without_rings_has_the_columns_of_one(out: Path) -> None:
    columns = ringfence.open_run(out).rings().columns
    assert list(columns) == list(RING.as_json())
    (out / "rings.jsonl").write_text("")
    empty = ringfence.open_run(out).rings()
    assert list(empty.columns) == list(columns)
    assert empty.query("decision == 'ring' and probability > 0.9").empty


def test_no_calibration_is_not_a_number(out: Path) -> None:
    line = RING.as_json() | {"probability": None, "first_seen": None}
    (out / "rings.jsonl").write_text(json.dumps(line) + "\n")
    rings = ringfence.open_run(out).rings()
    assert rings["probability"].isna().all()
    assert rings["first_seen"].isna().all()


def test_accounts_links_and_manifest(out: Path) -> None:
    run = ringfence.open_run(str(out))
    assert run.accounts()["account_id"].tolist() == ["a", "b", "c"]
    assert run.links().columns.tolist() == ["account_a", "account_b", "weight", *LINK_FAMILIES]
    assert run.manifest == {"seed": 5}


def test_graph_holds_the_ring_and_what_it_shares(out: Path) -> None:
    graph = ringfence.open_run(out).graph("ring-7f3a")
    assert set(graph) == {"account:a", "account:b", "instrument:card1"}
    assert graph.nodes["account:a"] == {"type": "account", "id": "a", "score": 0.9, "role": "core"}
    assert graph.nodes["instrument:card1"] == {"type": "instrument", "id": "card1"}
    assert graph.edges["account:a", "instrument:card1"] == {"kind": "sighting", "count": 2}
    assert graph.edges["account:a", "account:b"]["weight"] == 7.0
    assert graph.number_of_edges() == 3


def test_unknown_ring_names_the_nearest(out: Path) -> None:
    with pytest.raises(RingfenceError, match=r"no ring 'ring-7f3b'. Did you mean 'ring-7f3a'\?"):
        ringfence.open_run(out).graph("ring-7f3b")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no folder .*Make one with"):
        ringfence.open_run(tmp_path / "nowhere")


def test_another_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"not the output of a run: it has no rings\.jsonl"):
        ringfence.open_run(tmp_path)


@pytest.mark.parametrize("name", ["rings.jsonl", "accounts.parquet", "links.parquet", "manifest.json"])
def test_damaged_file_is_named(out: Path, name: str) -> None:
    (out / name).write_text("{half")
    with pytest.raises(OutputError, match=f"{name} is damaged"):
        _read_all(out)


def _read_all(out: Path) -> None:
    run = ringfence.open_run(out)
    run.rings()
    run.accounts()
    run.links()
