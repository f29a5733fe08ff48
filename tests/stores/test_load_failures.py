"""Loads that go wrong on a real server: told clearly, and repaired by loading again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from bolt import Bolt

from ringfence.errors import StoreError, StoreUnavailableError
from ringfence.stores import local
from ringfence.stores.graph import GraphTables, read_graph, write_graph
from ringfence.stores.local import LocalServer
from ringfence.stores.neo4j import BATCH, Neo4jStore
from ringfence.testing.store_contract import expected, small_graph

pytestmark = pytest.mark.neo4j


@pytest.fixture
def bolt(neo4j_server: LocalServer) -> Iterator[Bolt]:
    bolt = Bolt(neo4j_server)
    bolt.empty()
    yield bolt
    bolt.close()


@pytest.fixture
def graph(tmp_path: Path) -> GraphTables:
    """A graph of several batches."""
    ids = [f"acct-{i:06}" for i in range(3 * BATCH)]
    accounts = pa.table({"account_id": ids})
    transfers = pa.table({"start": ids, "end": ids[1:] + ids[:1], "count": list(range(len(ids)))})
    return write_graph(tmp_path / "graph", {"Account": accounts}, {"TRANSFERRED_TO": transfers})


def store_of(server: LocalServer) -> Neo4jStore:
    return Neo4jStore(server.address, server.user, server.password)


def test_nobody_at_the_address_is_told_at_once() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"bolt://127.0.0.1:{held.getsockname()[1]}"
        with (
            Neo4jStore(address, "neo4j", "secret-word") as store,
            pytest.raises(StoreUnavailableError, match=f"No Neo4j answers at {address}") as failed,
        ):
            store.state()
    assert "secret-word" not in str(failed.value)


def test_a_wrong_password_is_told(neo4j_server: LocalServer) -> None:
    with (
        Neo4jStore(neo4j_server.address, neo4j_server.user, "secret-word") as store,
        pytest.raises(StoreUnavailableError, match="refused the user or password") as failed,
    ):
        store.state()
    assert "secret-word" not in str(failed.value)


def test_a_server_killed_in_the_middle_of_a_load(
    graph: GraphTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    server = local.up()

    def kill(share: float) -> None:
        if share > 0.6 and psutil.pid_exists(server.pid):
            os.kill(server.pid, signal.SIGKILL)
            psutil.Process(server.pid).wait(10)

    try:
        with store_of(server) as store, pytest.raises(StoreUnavailableError, match="No Neo4j answers"):
            store.load(graph, tick=kill)
        with store_of(local.up()) as store:
            state = store.state()
            assert state is not None
            assert (state.digest, state.complete) == (graph.digest, False)
            store.load(graph)
            assert store.counts() == graph.counts()
    finally:
        local.down()


_DIES = """
import os, signal, sys
from pathlib import Path
from ringfence.stores.graph import read_graph
from ringfence.stores.neo4j import Neo4jStore

def die(share):
    if share > 0.6:
        os.kill(os.getpid(), signal.SIGKILL)

address, user, folder = sys.argv[1:]
Neo4jStore(address, user, os.environ["PASSWORD"]).load(read_graph(Path(folder)), tick=die)
"""


def test_a_loader_killed_in_the_middle(
    bolt: Bolt, neo4j_server: LocalServer, graph: GraphTables, tmp_path: Path
) -> None:
    words = [neo4j_server.address, neo4j_server.user, str(tmp_path / "graph")]
    environment = {**os.environ, "PASSWORD": neo4j_server.password}
    died = subprocess.run([sys.executable, "-c", _DIES, *words], env=environment, check=False)
    assert died.returncode == -signal.SIGKILL

    with store_of(neo4j_server) as store:
        state = store.state()
        assert state is not None
        assert not state.complete
        assert 0 < store.counts().get("TRANSFERRED_TO", 0) < graph.counts()["TRANSFERRED_TO"]
        store.load(read_graph(tmp_path / "graph"))
        assert store.counts() == graph.counts()


def test_a_relationship_to_a_node_that_is_not_there_is_no_complete_load(
    bolt: Bolt, neo4j_server: LocalServer, tmp_path: Path
) -> None:
    accounts = pa.table({"account_id": ["a"]})
    transfers = pa.table({"start": ["a", "a"], "end": ["a", "missing"]})
    graph = write_graph(tmp_path / "bad", {"Account": accounts}, {"TRANSFERRED_TO": transfers})
    with store_of(neo4j_server) as store:
        with pytest.raises(StoreError, match="TRANSFERRED_TO 1 of 2"):
            store.load(graph)
        state = store.state()
        assert state is not None
        assert not state.complete


def test_times_before_1970_and_without_a_zone_are_kept(
    bolt: Bolt, neo4j_server: LocalServer, tmp_path: Path
) -> None:
    times = pa.array([-1_500_001, 0, None, 1], pa.timestamp("us"))
    accounts = pa.table({"account_id": list("abcd"), "created_at": times})
    graph = write_graph(tmp_path / "old", {"Account": accounts}, {})
    with store_of(neo4j_server) as store:
        store.load(graph)
    rows = bolt.run("MATCH (a:Account) RETURN toString(a.created_at) ORDER BY a.account_id")
    assert [row[0] for row in rows] == [
        "1969-12-31T23:59:58.499999Z",
        "1970-01-01T00:00:00Z",
        None,
        "1970-01-01T00:00:00.000001Z",
    ]


def test_nothing_else_in_the_database_outlives_a_replacement(
    bolt: Bolt, neo4j_server: LocalServer, tmp_path: Path
) -> None:
    bolt.run("CREATE (:Run {name: 'theirs'})-[:OF]->(:Other)")
    graph = small_graph(tmp_path / "graph")
    with store_of(neo4j_server) as store:
        store.load(graph, replace=True)
    assert bolt.look() == expected(graph)
    assert [row[0] for row in bolt.run("MATCH (run:Run) RETURN run.name")] == ["ringfence"]
