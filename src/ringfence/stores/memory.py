"""The graph store in memory: the reference that real stores are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ringfence.progress import Tick, silent
from ringfence.schema import NODE_KEYS
from ringfence.stores.graph import GraphTables
from ringfence.stores.policy import foreign_data, needs_load
from ringfence.stores.protocol import StoreState
from ringfence.stores.rows import columns_of

Properties = dict[str, Any]


@dataclass(slots=True)
class MemoryBackend:
    """What a :class:`MemoryStore` keeps its graph in; several stores may share one."""

    nodes: dict[str, dict[str, Properties]] = field(default_factory=dict)
    """Label → key → properties without nulls, the key among them."""
    relationships: dict[str, dict[tuple[str, str], Properties]] = field(default_factory=dict)
    """Type → (start key, end key) → properties without nulls."""
    state: StoreState | None = None


class MemoryStore:
    """A :class:`~ringfence.stores.protocol.GraphStore` for tests and small graphs."""

    def __init__(self, backend: MemoryBackend | None = None) -> None:
        self._backend = backend or MemoryBackend()

    def state(self) -> StoreState | None:
        """Return what the store holds; None where it is empty.

        Raises:
            StoreConflictError: it holds data that Ringfence did not write.
        """
        if self._backend.state is None and (self._backend.nodes or self._backend.relationships):
            raise foreign_data()
        return self._backend.state

    def load(
        self, graph: GraphTables, *, replace: bool = False, disposable: bool = False, tick: Tick = silent
    ) -> None:
        """Make the store hold ``graph`` and nothing else; see the protocol.

        Raises:
            StoreConflictError: it holds another state, complete and not disposable, and ``replace`` is off.
        """
        held = self._backend.state if replace else self.state()
        if not needs_load(held, graph.digest, replace=replace):
            disposable = disposable and held is not None and held.disposable
            self._backend.state = StoreState(graph.digest, True, disposable)
            return
        self._backend.state = StoreState(graph.digest, False, disposable)
        self._backend.nodes = {
            label: {row[NODE_KEYS[label]]: row for row in _rows(table)}
            for label, table in graph.nodes.items()
            if table.num_rows
        }
        self._backend.relationships = {
            name: {(row.pop("start"), row.pop("end")): row for row in _rows(table)}
            for name, table in graph.relationships.items()
            if table.num_rows
        }
        self._backend.state = StoreState(graph.digest, True, disposable)
        tick(1.0)

    def counts(self) -> dict[str, int]:
        """Return the number of nodes per label and of relationships per type; none that are zero."""
        nodes = {label: len(rows) for label, rows in self._backend.nodes.items()}
        return nodes | {name: len(rows) for name, rows in self._backend.relationships.items()}

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def _rows(table: Any) -> list[Properties]:
    columns = columns_of(table)
    return [
        {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        for row in zip(*columns.values(), strict=True)
    ]
