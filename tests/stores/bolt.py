"""A look at a server that goes past our store: the driver alone."""

from __future__ import annotations

from typing import Any

import neo4j
from neo4j.time import DateTime

from ringfence.schema import NODE_KEYS
from ringfence.stores.local import LocalServer
from ringfence.testing.store_contract import Held


class Bolt:
    """A connection to a server."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self._driver = neo4j.GraphDatabase.driver(
            server.address, auth=(server.user, server.password), notifications_min_severity="OFF"
        )

    def close(self) -> None:
        self._driver.close()

    def run(self, cypher: str, **parameters: Any) -> list[neo4j.Record]:
        return self._driver.execute_query(cypher, parameters).records

    def read(self, cypher: str) -> list[neo4j.Record]:
        """Run in a session of the kind that the store reads with."""
        return self._driver.execute_query(cypher, routing_=neo4j.RoutingControl.READ).records

    def empty(self) -> None:
        # Other tests may have left a graph that is too large for one transaction.
        with self._driver.session() as session:
            for what in ("()-[x]->()", "(x)"):
                session.run(f"MATCH {what} CALL (x) {{ DELETE x }} IN TRANSACTIONS OF 20000 ROWS").consume()

    def look(self) -> Held:
        """Everything but the store's mark."""
        held = Held({}, {})
        for (node,) in self.run("MATCH (n) WHERE NOT n:Run RETURN n"):
            (label,) = node.labels
            held.nodes.setdefault(label, {})[node[NODE_KEYS[label]]] = native(node)
        for (link,) in self.run("MATCH p = ()-->() RETURN relationships(p)[0]"):
            ends = tuple(node[NODE_KEYS[next(iter(node.labels))]] for node in self._ends(link))
            links = held.relationships.setdefault(link.type, {})
            assert ends not in links, f"{link.type} {ends} is there twice"
            links[ends] = native(link)
        return held

    def _ends(self, link: neo4j.graph.Relationship) -> list[neo4j.graph.Node]:
        query = "MATCH (a)-[r]->(b) WHERE elementId(r) = $id RETURN a, b"
        return list(self.run(query, id=link.element_id)[0])


def native(properties: Any) -> dict[str, Any]:
    return {
        name: value.to_native() if isinstance(value, DateTime) else value
        for name, value in properties.items()
    }
