"""How much faster the store's batched load is than one query a row, on one server in one run.

::

    python benchmarks/neo4j_load.py [--rows 4000]

The p2p graph (``RINGFENCE_SHARED_DATA``, default ``../shared/data``) goes into an empty local Neo4j of its
own, first by :meth:`Neo4jStore.load`, then a random sample of its rows by one query a row, in the shares that
the tables have in the graph. The nodes that sampled relationships need are there before the clock starts.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator

import neo4j
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from machine import machine

from ringfence.schema import NODE_KEYS, RELATIONSHIPS
from ringfence.stores import cypher, local
from ringfence.stores.graph import GraphTables
from ringfence.stores.neo4j import Neo4jStore
from ringfence.stores.rows import rows_of
from ringfence.testing.p2p import p2p_graph, p2p_tables

GOAL = 20.0
SEED = 20260201


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4000, help="rows written by one query each")
    rows = parser.parse_args().rows
    folder = p2p_tables()
    if folder is None:
        raise SystemExit("No p2p data: name its parent folder with RINGFENCE_SHARED_DATA.")
    graph = p2p_graph(folder)
    with tempfile.TemporaryDirectory() as home:
        os.environ["RINGFENCE_HOME"] = home
        server = local.up()
        try:
            batched = load_rate(server, graph)
            single = single_rate(server, graph, rows)
        finally:
            local.down()
    print(f"machine            {machine()}")
    print(f"load               {batched:,.0f} rows/s over {sum(graph.counts().values()):,} rows")
    print(f"one query a row    {single:,.0f} rows/s over {rows:,} rows")
    print(f"ratio              {batched / single:.1f} (goal {GOAL:.0f})")


def load_rate(server: local.LocalServer, graph: GraphTables) -> float:
    """Return the rows a second of a whole load, constraints and final count included."""
    with Neo4jStore(server.address, server.user, server.password) as store:
        begun = time.perf_counter()
        store.load(graph)
        seconds = time.perf_counter() - begun
    return sum(graph.counts().values()) / seconds


def single_rate(server: local.LocalServer, graph: GraphTables, rows: int) -> float:
    """Return the rows a second where each row is a query; the database is emptied first."""
    sampled = sample(graph, rows)
    auth = (server.user, server.password)
    with neo4j.GraphDatabase.driver(server.address, auth=auth) as driver, driver.session() as session:
        session.run(cypher.CLEAR_RELATIONSHIPS).consume()
        session.run(cypher.CLEAR_NODES).consume()
        for statement, needed in ends(graph, sampled):
            session.run(statement, rows=rows_of(needed)).consume()
        work = [(text, row) for text, table in cypher.writes(sampled) for row in rows_of(table)]
        begun = time.perf_counter()
        for text, row in work:
            session.run(text, rows=[row]).consume()
        seconds = time.perf_counter() - begun
    return len(work) / seconds


def sample(graph: GraphTables, rows: int) -> GraphTables:
    """Return ``rows`` rows of a graph at random, in the shares of its tables."""
    random = np.random.default_rng(SEED)
    share = rows / sum(graph.counts().values())

    def some(table: pa.Table) -> pa.Table:
        return table.take(random.choice(table.num_rows, round(table.num_rows * share), replace=False))

    nodes = {label: some(table) for label, table in graph.nodes.items()}
    relationships = {name: some(table) for name, table in graph.relationships.items()}
    return GraphTables(nodes, relationships, digest="sample")


def ends(graph: GraphTables, sampled: GraphTables) -> Iterator[tuple[str, pa.Table]]:
    """Yield what writes the nodes that sampled relationships need and the sample lacks."""
    for label, table in graph.nodes.items():
        key = NODE_KEYS[label]
        needed = [
            sampled.relationships[name][end].combine_chunks()
            for name, labels in RELATIONSHIPS.items()
            for end, at in zip(("start", "end"), labels, strict=True)
            if name in sampled.relationships and at == label
        ]
        there = sampled.nodes[label][key]
        wanted = pc.is_in(table[key], pa.concat_arrays(needed))
        missing = pc.and_not(wanted, pc.is_in(table[key], there.combine_chunks()))
        yield cypher.node_statement(label, table.schema), table.filter(missing)


if __name__ == "__main__":
    main()
