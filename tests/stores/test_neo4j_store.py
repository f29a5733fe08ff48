"""The Neo4j store on a real server, against the contract of every store, and what only it can do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bolt import Bolt

from ringfence.stores.local import LocalServer
from ringfence.stores.neo4j import Neo4jStore
from ringfence.testing.store_contract import Held, StoreContract

pytestmark = pytest.mark.neo4j


class TestNeo4jStore(StoreContract):
    @pytest.fixture
    def backend(self, neo4j_server: LocalServer) -> Iterator[Bolt]:
        bolt = Bolt(neo4j_server)
        bolt.empty()
        yield bolt
        bolt.close()

    def open(self, backend: Bolt) -> Neo4jStore:
        return Neo4jStore(backend.server.address, backend.server.user, backend.server.password)

    def look(self, backend: Bolt) -> Held:
        return backend.look()

    def cut_off(self, backend: Bolt) -> None:
        backend.run("MATCH (run:Run) SET run.complete = false")
        backend.run("MATCH (:Account {account_id: 'plain'})-[r:USED_IP]->() DELETE r")

    def add_foreign(self, backend: Bolt) -> None:
        backend.run("CREATE (:Account {account_id: 'theirs'})")
