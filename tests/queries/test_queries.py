"""Each query of the pack on a real server: it finds what is planted, and nothing once that is taken away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from planted import planted

from ringfence.queries.pack import get, queries
from ringfence.queries.runner import run
from ringfence.stores.local import LocalServer
from ringfence.stores.neo4j import Neo4jStore
from ringfence.testing.p2p import p2p_graph, p2p_tables

pytestmark = pytest.mark.neo4j

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def store(neo4j_server: LocalServer) -> Iterator[Neo4jStore]:
    with Neo4jStore(neo4j_server.address, neo4j_server.user, neo4j_server.password) as store:
        yield store


@pytest.fixture
def ask(store: Neo4jStore, tmp_path: Path) -> Ask:
    """Load the planted graph, but for what is taken away, and return a query's rows."""

    def rows(name: str, given: dict[str, str], **taken: Any) -> list[dict[str, Any]]:
        store.load(planted(tmp_path / "graph", **taken), replace=True)
        answer = run(store, name, given)
        assert answer.columns == get(name).columns
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    return rows


def only(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def test_ring_members(ask: Ask) -> None:
    rows = ask("ring-members", {"ring": "ring-1"})
    assert only(rows, "account_id", "role", "score") == [("core", "core", 0.9), ("member", "member", 0.8)]
    assert rows[0]["banned_at"] == "2026-01-11T00:00:00Z"
    fewer = ask("ring-members", {"ring": "ring-1"}, without=[("MEMBER_OF", "core", "ring-1")])
    assert only(fewer, "account_id") == [("member",)]


def test_why_linked(ask: Ask) -> None:
    pair = {"account_a": "member", "account_b": "core"}
    assert only(ask("why-linked", pair), "evidence", "what", "weight", "count_a", "count_b") == [
        ("link", "all families", 7.0, None, None),
        ("family", "payment", 5.0, None, None),
        ("family", "network", 2.0, None, None),
        ("shared", "ip:192.0.2.1", None, 4, 3),
        ("shared", "instrument:card", None, 1, 1),
        ("transfer", "b to a", None, None, 3),
    ]
    taken = [
        ("LINKED_TO", "core", "member"),
        ("PAID_WITH", "core", "card"),
        ("TRANSFERRED_TO", "core", "member"),
    ]
    assert only(ask("why-linked", pair, without=taken), "what") == [("ip:192.0.2.1",)]


def test_shortest_path(ask: Ask) -> None:
    pair = {"account_a": "elder", "account_b": "far"}
    assert only(ask("shortest-path", pair), "step", "from", "relation", "to") == [
        (1, "account:elder", "PAID_WITH", "instrument:card"),
        (2, "instrument:card", "PAID_WITH", "account:member"),
        (3, "account:member", "USED_DEVICE", "device:phone"),
        (4, "device:phone", "USED_DEVICE", "account:far"),
    ]
    assert ask("shortest-path", pair, without=[("USED_DEVICE", "far", "phone")]) == []
    assert ask("shortest-path", {**pair, "max_accounts": "3"}) == []
    assert ask("shortest-path", {"account_a": "far", "account_b": "far"}) == []


@pytest.mark.parametrize(
    ("kind", "name", "reached"),
    [
        ("ip", "192.0.2.1", ["core", "member"]),
        ("subnet", "192.0.2.0/24", ["core", "member"]),
        ("asn", "64500", ["core", "member"]),
        ("instrument", "card", ["core", "elder", "member", "successor"]),
        ("device", "phone", ["far", "member"]),
        ("template", "tpl", ["core"]),
        ("organization", "org", ["elder"]),
        ("device", "card", []),
    ],
)
def test_entity_reach(ask: Ask, kind: str, name: str, reached: list[str]) -> None:
    rows = ask("entity-reach", {"type": kind, "id": name})
    assert sorted(row["account_id"] for row in rows) == reached


def test_entity_reach_without_a_sighting(ask: Ask) -> None:
    address = {"type": "ip", "id": "192.0.2.1"}
    rows = ask("entity-reach", address)
    assert only(rows, "account_id", "count", "ring_id") == [("core", 3, "ring-1"), ("member", 4, "ring-1")]
    fewer = ask("entity-reach", address, without=[("USED_IP", "core", "192.0.2.1")])
    assert only(fewer, "account_id") == [("member",)]


def test_hubs(ask: Ask) -> None:
    columns = ("type", "id", "kind", "accounts", "accounts_in_rings", "rings")
    assert only(ask("hubs", {}), *columns) == [
        ("instrument", "card", None, 4, 2, 1),
        ("device", "phone", None, 2, 1, 1),
        ("ip", "192.0.2.1", "hosting", 2, 2, 1),
    ]
    assert only(ask("hubs", {"type": "ip"}), "id") == [("192.0.2.1",)]
    assert only(ask("hubs", {"top": "1"}), "id") == [("card",)]
    fewer = ask("hubs", {"at_least": "4"}, without=[("PAID_WITH", "elder", "card")])
    assert fewer == []


def test_card_transfers(ask: Ask) -> None:
    columns = ("sender", "receiver", "transfers", "amount_usd", "instruments")
    assert only(ask("card-transfers", {}), *columns) == [("core", "member", 3, 30.0, ["card"])]
    assert ask("card-transfers", {}, without=[("PAID_WITH", "member", "card")]) == []
    assert ask("card-transfers", {}, without=[("TRANSFERRED_TO", "core", "member")]) == []


def test_after_ban(ask: Ask) -> None:
    columns = ("account_id", "banned_account_id", "hours_after", "shared")
    found = [("successor", "core", 48.0, ["instrument:card"])]
    assert only(ask("after-ban", {}), *columns) == found
    assert only(ask("after-ban", {"account": "core", "within_days": "2"}), *columns) == found
    assert ask("after-ban", {"account": "member"}) == []
    assert ask("after-ban", {"within_days": "1"}) == []
    assert ask("after-ban", {"max_accounts": "3"}) == []
    assert ask("after-ban", {}, without=[("PAID_WITH", "successor", "card")]) == []
    assert ask("after-ban", {}, changed={("Account", "core"): {"banned_at": None}}) == []


def test_ring_evidence(ask: Ask) -> None:
    rows = ask("ring-evidence", {"ring": "ring-1"})
    assert only(rows, "family", "weight", "statement", "decision") == [
        ("payment", 5.0, "They share a card.", "ring"),
        ("network", 2.0, "They share an address.", "ring"),
    ]
    nothing = {"evidence_families": ["network"], "evidence_statements": ["-"], "evidence_weights": [1.0]}
    fewer = ask("ring-evidence", {"ring": "ring-1"}, changed={("Ring", "ring-1"): nothing})
    assert only(fewer, "family") == [("network",)]


def test_every_query_answers_with_its_columns_on_a_graph_of_accounts_only(
    store: Neo4jStore, tmp_path: Path
) -> None:
    everything = [(name, row["start"], row["end"]) for name, rows in _all_relationships() for row in rows]
    store.load(planted(tmp_path / "graph", without=everything), replace=True)
    for query in queries().values():
        required = {p.name: "ip" if p.name == "type" else "none" for p in query.parameters if p.required}
        answer = run(store, query.name, required)
        assert answer.columns == query.columns
        assert answer.rows == ()


def _all_relationships() -> list[tuple[str, list[dict[str, Any]]]]:
    from planted import RELATIONSHIPS

    return list(RELATIONSHIPS.items())


@pytest.mark.shared_data
def test_card_transfers_finds_the_published_number_of_pairs(store: Neo4jStore) -> None:
    folder = p2p_tables()
    if folder is None:
        pytest.skip("no p2p data: name its parent folder with RINGFENCE_SHARED_DATA")
    store.load(p2p_graph(folder), replace=True)
    begun = time.perf_counter()
    answer = run(store, "card-transfers", {}, limit=10_000)
    seconds = time.perf_counter() - begun
    assert len(answer.rows) == len({(row[0], row[1]) for row in answer.rows}) == 6240
    assert seconds < 20
