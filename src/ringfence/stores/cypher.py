"""The Cypher that writes the graph: texts only, values always travel as parameters."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ringfence.schema import NODE_KEYS, RELATIONSHIPS
from ringfence.stores.graph import GraphTables
from ringfence.stores.rows import is_time

_OURS = "(run:Run {name: 'ringfence'})"

STATE = f"MATCH {_OURS} RETURN run.digest, run.complete, run.disposable"
ANY_NODE = "MATCH (n) RETURN 1 LIMIT 1"
MARK = (
    f"MERGE {_OURS} SET run.digest = $digest, run.complete = false, run.disposable = $disposable, "
    "run.version = $version, run.started_at = datetime()"
)
COMPLETE = f"MATCH {_OURS} WHERE run.digest = $digest SET run.complete = true RETURN run.digest"
KEEP = f"MATCH {_OURS} SET run.disposable = false"
# Relationships first: an entity with a million of them must not go in one transaction.
CLEAR_RELATIONSHIPS = "MATCH ()-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 50000 ROWS"
CLEAR_NODES = (
    "MATCH (n) WHERE NOT (n:Run AND n.name = 'ringfence') "
    "CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 50000 ROWS"
)


def constraints() -> Iterator[str]:
    """Yield a statement a label that makes its key unique, and thereby quick to find."""
    for label, key in NODE_KEYS.items():
        name = f"ringfence_{label.lower()}"
        yield f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"


def counts() -> str:
    """Return a query for (name, count) per label and relationship type, answered from the count store."""
    nodes = [f"MATCH (:{label}) RETURN '{label}' AS name, count(*) AS count" for label in NODE_KEYS]
    links = [f"MATCH ()-[:{name}]->() RETURN '{name}' AS name, count(*) AS count" for name in RELATIONSHIPS]
    return " UNION ALL ".join(nodes + links)


def writes(graph: GraphTables) -> Iterator[tuple[str, pa.Table]]:
    """Yield statements with the tables whose rows they take as ``$rows``, as :func:`rows_of` makes them.

    Nodes come first. Relationships are sorted by both ends, so that a batch touches few nodes.
    """
    for label, table in graph.nodes.items():
        yield node_statement(label, table.schema), table
    for name, table in graph.relationships.items():
        by_ends = table.sort_by([("start", "ascending"), ("end", "ascending")])
        yield relationship_statement(name, table.schema), by_ends


def node_statement(label: str, schema: pa.Schema) -> str:
    """Return the statement that makes nodes of a label; nulls make no property."""
    return f"UNWIND $rows AS row CREATE (:{label} {{{_properties(schema)}}})"


def relationship_statement(name: str, schema: pa.Schema) -> str:
    """Return the statement that makes relationships between nodes that are there."""
    start, end = RELATIONSHIPS[name]
    return (
        "UNWIND $rows AS row "
        f"MATCH (a:{start} {{{NODE_KEYS[start]}: row[{schema.get_field_index('start')}]}}) "
        f"MATCH (b:{end} {{{NODE_KEYS[end]}: row[{schema.get_field_index('end')}]}}) "
        f"CREATE (a)-[:{name} {{{_properties(schema, without=('start', 'end'))}}}]->(b)"
    )


def _properties(schema: pa.Schema, without: tuple[str, ...] = ()) -> str:
    return ", ".join(
        f"{_quoted(field.name)}: {_time(i) if is_time(field.type) else f'row[{i}]'}"
        for i, field in enumerate(schema)
        if field.name not in without
    )


def _time(i: int) -> str:
    # A sum, since a count of microseconds before 1970 has no seconds and nanoseconds that datetime() takes.
    moment = f"datetime({{epochSeconds: 0}}) + duration({{microseconds: row[{i}]}})"
    return f"CASE WHEN row[{i}] IS NOT NULL THEN {moment} END"


def _quoted(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
