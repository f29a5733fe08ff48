"""The graph of a run as tables: what a store is loaded from, and what ``OUT/graph`` holds.

``graph/nodes/<Label>.parquet`` has the label's key property and any others, a row a node.
``graph/relationships/<TYPE>.parquet`` has ``start`` and ``end`` (key values) and properties,
a row a relationship.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.errors import OutputError
from ringfence.files import digest_files
from ringfence.schema import NODE_KEYS, RELATIONSHIPS


@dataclass(frozen=True, slots=True)
class GraphTables:
    """The graph of a run: nodes per label, relationships per type."""

    nodes: dict[str, pa.Table]
    """Label → table with the label's key column (unique, never null) and property columns."""
    relationships: dict[str, pa.Table]
    """Type → table with ``start``, ``end`` (unique pairs) and property columns."""
    digest: str
    """SHA-256 over the files; two runs with one digest have one graph."""

    def counts(self) -> dict[str, int]:
        """Return the number of nodes per label and of relationships per type; none that are zero."""
        tables = {**self.nodes, **self.relationships}
        return {name: table.num_rows for name, table in tables.items() if table.num_rows}


def write_graph(
    folder: Path, nodes: Mapping[str, pa.Table], relationships: Mapping[str, pa.Table]
) -> GraphTables:
    """Write the tables below ``folder`` and return them with their digest."""
    digest = write_tables(folder, nodes.items(), relationships.items())
    return GraphTables(dict(nodes), dict(relationships), digest)


def write_tables(
    folder: Path, nodes: Iterable[tuple[str, pa.Table]], relationships: Iterable[tuple[str, pa.Table]]
) -> str:
    """Write the tables below ``folder``, each before the next is made, and return their digest."""
    for kind, tables in (("nodes", nodes), ("relationships", relationships)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, table in tables:
            pq.write_table(table, folder / kind / f"{name}.parquet", compression="zstd")
    return _digest(folder)


def read_graph(folder: Path) -> GraphTables:
    """Read the graph of a run from its ``graph`` folder.

    Raises:
        OutputError: there is none, or a table in it is damaged or unknown.
    """
    if not (folder / "nodes" / "Account.parquet").is_file():
        raise OutputError(f"{folder} holds no graph. It is made by `ringfence run INPUT --out OUT`.")
    try:
        nodes = _read(folder / "nodes", NODE_KEYS)
        relationships = _read(folder / "relationships", RELATIONSHIPS)
    except pa.ArrowException as error:
        raise OutputError(f"{folder} is damaged: {error}. Run again to make it anew.") from error
    return GraphTables(nodes, relationships, _digest(folder))


def _read(folder: Path, known: dict[str, str] | dict[str, tuple[str, str]]) -> dict[str, pa.Table]:
    return {name: pq.read_table(path) for name in known if (path := folder / f"{name}.parquet").is_file()}


def _digest(folder: Path) -> str:
    return digest_files(list(folder.glob("*/*.parquet")), folder)
