"""The demonstration, from nothing to a graph that answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from commands import Demo, files, ringfence

import ringfence as api
from ringfence.schema import LINK_FAMILIES
from ringfence.stores.graph import read_graph
from ringfence.stores.local import LocalServer
from ringfence.stores.neo4j import Neo4jStore

pytestmark = pytest.mark.neo4j

RING_KEYS = {
    "ring_id", "probability", "decision", "size", "first_seen", "last_seen", "evidence_score", "members",
    "evidence", "tactics", "recommended_action",
}  # fmt: skip


def lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "rings.jsonl").read_text().splitlines()]


def test_every_file_of_the_contract_is_there(demo: Demo) -> None:
    made = {path.name for path in demo.out.iterdir()}

    assert made == {
        "rings.jsonl", "accounts.parquet", "links.parquet", "report.html", "manifest.json", "rejected",
        "graph", "snapshot.safetensors", "subaccounts.parquet",
    }  # fmt: skip
    assert [p.name for p in demo.folder.iterdir() if p.name.startswith(".")] == []


def test_rings_have_the_fields_that_others_build_on(demo: Demo) -> None:
    for ring in lines(demo.out):
        assert set(ring) - {"history", "replacements", "parts", "also_in"} == RING_KEYS
        assert ring["size"] == len(ring["members"])
        told = {key for member in ring["members"] for key in member} - {"end_users"}
        assert told == {"account_id", "score", "role"}
        for evidence in ring["evidence"]:
            assert {"family", "statement", "weight", "entities"} <= set(evidence)


def test_accounts_and_links_have_the_columns_that_others_build_on(demo: Demo) -> None:
    accounts = pq.read_table(demo.out / "accounts.parquet")
    links = pq.read_table(demo.out / "links.parquet").to_pandas()

    assert accounts.column_names == ["account_id", "score", "ring_id", "ring_probability", "role", "decision"]
    assert accounts.num_rows == len(pd.read_parquet(demo.folder / "world" / "truth" / "accounts.parquet"))
    families = [str(family) for family in LINK_FAMILIES]
    more = ["replacement", "significant", "led", "followed"]
    assert list(links.columns) == ["account_a", "account_b", "weight", *families, *more]
    assert (links["account_a"] < links["account_b"]).all()
    assert links[families].sum(axis=1).to_numpy() == pytest.approx(links["weight"].to_numpy(), abs=1e-5)


def test_every_planted_ring_is_flagged_and_no_innocent_is_accused(demo: Demo) -> None:
    truth = pd.read_parquet(demo.folder / "world" / "truth" / "accounts.parquet").set_index("account_id")[
        "ring"
    ]
    accused, flagged = set(), set()
    for ring in lines(demo.out):
        flagged |= {m["account_id"] for m in ring["members"]} if ring["decision"] != "benign" else set()
        accused |= {m["account_id"] for m in ring["members"]} if ring["decision"] == "ring" else set()

    assert truth[list(accused)].notna().all()
    for _name, planted in truth.dropna().groupby(truth):
        assert len(flagged & set(planted.index)) >= 0.5 * len(planted)


def test_accounts_of_benign_communities_carry_no_ring_id(demo: Demo) -> None:
    benign = {
        m["account_id"] for ring in lines(demo.out) if ring["decision"] == "benign" for m in ring["members"]
    }
    accounts = pd.read_parquet(demo.out / "accounts.parquet").set_index("account_id")

    assert benign
    assert accounts.loc[list(benign), "ring_id"].isna().all()


def test_a_ring_always_has_two_families_and_a_probability(demo: Demo) -> None:
    rings = [ring for ring in lines(demo.out) if ring["decision"] == "ring"]

    assert rings
    for ring in rings:
        assert ring["probability"] >= 0.9
        assert len({evidence["family"] for evidence in ring["evidence"]}) >= 2


def test_the_manifest_balances_and_says_what_each_stage_cost(demo: Demo) -> None:
    manifest = json.loads((demo.out / "manifest.json").read_text())

    rows = manifest["rows"]
    assert rows["in"] == rows["loaded"] + rows["rejected"] + rows["duplicates"] > 100_000
    for stage in manifest["measured"].values():
        assert stage["seconds"] > 0
        assert stage["peak_memory_mib"] > 10
    assert manifest["measured"]["Load tables"]["rows_per_second"] > 100
    prompts = manifest["prompts"]
    assert prompts["texts"] > prompts["different"] > prompts["wordings"] > 0
    assert prompts["templates"] > 0
    assert len(manifest["input_digest"]) == 64
    assert {row["model"] for row in manifest["scoring"]["comparison"]} == {"gnn", "trees"}


def test_prompt_text_is_nowhere_in_the_output(demo: Demo) -> None:
    requests = pd.read_parquet(
        demo.folder / "world" / "input" / "requests", columns=["prompt", "system_prompt"]
    )
    # What is common to many is no secret; what one request alone says is.
    texts = pd.concat([requests["prompt"], requests["system_prompt"]]).dropna()
    rare = texts[~texts.duplicated(keep=False) & (texts.str.len() > 40)].sample(300, random_state=0)
    everything = b"".join(files(demo.out).values())

    assert [text for text in rare if text.encode() in everything] == []


def test_the_report_shows_what_rings_send_and_what_they_are_after(demo: Demo) -> None:
    rings = [ring for ring in lines(demo.out) if ring["decision"] == "ring"]
    page = (demo.out / "report.html").read_text()

    assert any(ring["tactics"] for ring in rings)
    assert page.count("What they send") >= len(rings)
    assert '<span class="slot"' in page
    for ring in rings:
        for tactic in ring["tactics"]:
            assert tactic.replace("_", " ") in page


def test_the_graph_is_in_neo4j_and_answers(demo: Demo, neo4j_server: LocalServer) -> None:
    ringfence("neo4j", "load", demo.out, "--neo4j", neo4j_server.address, "--force", server=neo4j_server)
    with Neo4jStore(neo4j_server.address, neo4j_server.user, neo4j_server.password) as store:
        assert store.counts() == read_graph(demo.out / "graph").counts()

    ring = lines(demo.out)[0]["ring_id"]
    words = (
        "query",
        "run",
        "ring-members",
        "--param",
        f"ring={ring}",
        "--neo4j",
        neo4j_server.address,
        "--json",
    )
    answer = json.loads(ringfence(*words, server=neo4j_server).stdout)
    assert len(answer["rows"]) == lines(demo.out)[0]["size"]


def test_it_says_what_was_found_and_what_to_ask_next(demo: Demo) -> None:
    assert "Planted rings and what was found" in demo.said
    assert "ringfence query run ring-evidence --param ring=R-" in demo.said


def test_it_leads_to_the_casebook(demo: Demo, tmp_path: Path) -> None:
    said = [line.split() for line in demo.said.splitlines() if line.endswith(" --state state")]

    assert [words[1] for words in said] == ["rings", "rings", "enforce"]
    for words in said:
        ringfence(*(str(tmp_path / "state") if word == "state" else word for word in words[1:]))


def test_a_notebook_reads_the_run(demo: Demo) -> None:
    run = api.open_run(demo.out)
    ring = run.rings().iloc[0]
    graph = run.graph(ring["ring_id"])

    assert ring["size"] == sum(kind == "account" for _node, kind in graph.nodes(data="type"))


@pytest.mark.parametrize(
    "words", [["--help"], ["run", "--help"], ["query", "--help"], ["templates", "mine", "--help"]]
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    heavy = [
        "torch",
        "pandas",
        "pyarrow",
        "duckdb",
        "ibis",
        "neo4j",
        "igraph",
        "networkx",
        "sklearn",
        "xgboost",
        "jgo",
        "numpy",
    ]
    code = f"import sys; from ringfence.cli import app\ntry: app({words!r})\nexcept SystemExit: pass\n"
    code += f"print([name for name in {heavy!r} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"
