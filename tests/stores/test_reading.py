"""People's queries on a real server: what comes back, and what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bolt import Bolt

from ringfence.errors import QueryError
from ringfence.stores.local import LocalServer
from ringfence.stores.neo4j import Neo4jStore
from ringfence.stores.protocol import SupportsCypher
from ringfence.testing.store_contract import small_graph

pytestmark = pytest.mark.neo4j


@pytest.fixture(scope="module")
def store(neo4j_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jStore]:
    with Neo4jStore(neo4j_server.address, neo4j_server.user, neo4j_server.password) as store:
        store.load(small_graph(tmp_path_factory.mktemp("reading") / "graph"), replace=True)
        yield store


def test_the_store_answers_cypher(store: Neo4jStore) -> None:
    assert isinstance(store, SupportsCypher)


def test_answers_are_plain_json(store: Neo4jStore) -> None:
    cypher = """
        MATCH path = (a:Account {account_id: $id})-[used:USED_IP]->(ip:IP {accounts: 1})
        RETURN a, used, path, a.created_at AS at, date('2026-02-03') AS day, duration('P1DT2S') AS lasted,
            point({x: 1, y: 2}) AS place, 0.0 / 0 AS nan, [1, null, 'x'] AS list, {k: true} AS map"""
    answer = store.read(cypher, {"id": "plain"})
    (row,) = json.loads(json.dumps([dict(zip(answer.columns, answer.rows[0], strict=True))]))
    assert row["a"]["labels"] == ["Account"]
    assert row["a"]["properties"]["created_at"] == row["at"] == "2026-02-03T04:05:06.789012Z"
    assert row["used"]["type"] == "USED_IP"
    assert (row["used"]["start"], row["used"]["end"]) == tuple(node["id"] for node in row["path"]["nodes"])
    assert row["path"]["relationships"] == [row["used"]]
    assert (row["day"], row["lasted"]) == ("2026-02-03", "P1DT2S")
    assert row["place"] == {"srid": 7203, "coordinates": [1.0, 2.0]}
    assert (row["nan"], row["list"], row["map"]) == ("nan", [1, None, "x"], {"k": True})


def test_a_limit_cuts_and_says_so(store: Neo4jStore) -> None:
    cypher = "MATCH (a:Account) RETURN a.account_id AS id ORDER BY id"
    everything = store.read(cypher, {})
    assert not everything.truncated
    exact = store.read(cypher, {}, limit=len(everything.rows))
    assert exact == everything
    cut = store.read(cypher, {}, limit=3)
    assert cut.truncated
    assert cut.rows == everything.rows[:3]


def test_a_query_that_takes_too_long_is_ended(store: Neo4jStore) -> None:
    begun = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than 0.5 s.*--timeout"):
        store.read("UNWIND range(1, 1000000000) AS x WITH x WHERE x < 0 RETURN sum(x) AS s", {}, timeout=0.5)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("cypher", "says"),
    [
        ("MATCH (n RETURN n", r"line 1, column 10"),
        ("RETURN 1 AS x; RETURN 2 AS y", "exactly one statement"),
        ("RETURN $nothing AS x", "nothing"),
        ("RETURN 1 / 0 AS x", "by zero"),
        ("MATCH (n) DETACH DELETE n", "writes"),
        ("MATCH (n) SET n.x = 1 RETURN n", "writes"),
        ("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS", "writes"),
        ("UNWIND [1] AS x LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l", "LOAD CSV"),
        ("RETURN [x IN [1] | COLLECT { LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l }] AS x", "LOAD CSV"),
        ("CALL dbms.listConfig() YIELD name RETURN name", "dbms.listConfig"),
        ("CALL db.createLabel('x')", "db.createLabel"),
    ],
)
def test_what_is_refused_is_told_and_changes_nothing(store: Neo4jStore, cypher: str, says: str) -> None:
    before = store.counts()
    with pytest.raises(QueryError, match=says):
        store.read(cypher, {})
    assert store.counts() == before


@pytest.mark.parametrize("name", ["db.labels", "db.relationshipTypes", "db.propertyKeys", "dbms.components"])
def test_what_tells_of_the_schema_may_be_called(store: Neo4jStore, name: str) -> None:
    assert store.read(f"CALL {name}()", {}).rows


@pytest.mark.parametrize("options", [{"timeout": 0.0}, {"timeout": -1.0}, {"limit": 0}])
def test_no_query_runs_without_bounds(store: Neo4jStore, options: dict[str, float]) -> None:
    with pytest.raises(QueryError, match="timeout above 0 s"):
        store.read("RETURN 1 AS x", {}, **options)


def test_reading_writes_nothing_even_past_the_guard(neo4j_server: LocalServer, tmp_path: Path) -> None:
    """The session itself is read-only: the guard is the first line, not the only one."""
    bolt = Bolt(neo4j_server)
    with pytest.raises(Exception, match="read access mode"):
        bolt.read("CREATE (:Account {account_id: 'x'})")
    bolt.close()
