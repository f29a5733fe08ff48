"""What a graph store is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ringfence.progress import Tick, silent
from ringfence.stores.graph import GraphTables


@dataclass(frozen=True, slots=True)
class StoreState:
    """What a store holds."""

    digest: str
    """Digest of the graph that was loaded, or was being loaded."""
    complete: bool
    """False while a load is under way, or was cut off."""
    disposable: bool
    """Whether the next load may replace it unasked; so with demonstrations."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A table that a query answered."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    """Plain JSON values."""
    truncated: bool
    """Whether rows past the limit were left out."""


class GraphStore(Protocol):
    """A place that holds the graph of one run."""

    def state(self) -> StoreState | None:
        """Return what the store holds; None where it is empty.

        Raises:
            StoreUnavailableError: the store does not answer, or does not let us in.
            StoreConflictError: it holds data that Ringfence did not write.
        """
        ...

    def load(
        self, graph: GraphTables, *, replace: bool = False, disposable: bool = False, tick: Tick = silent
    ) -> None:
        """Make the store hold ``graph`` and nothing else.

        Loading what it holds already does nothing. A load that was cut off is repaired by loading again.

        Raises:
            StoreConflictError: it holds another state, complete and not disposable, and ``replace`` is off.
            StoreUnavailableError: the store does not answer.
            StoreError: the store failed while it was being loaded.
        """
        ...

    def counts(self) -> dict[str, int]:
        """Return the number of nodes per label and of relationships per type; none that are zero."""
        ...

    def close(self) -> None:
        """Let go of connections; the data stays."""
        ...


@runtime_checkable
class SupportsCypher(Protocol):
    """A store that answers Cypher."""

    def read(
        self, cypher: str, parameters: dict[str, Any], *, timeout: float = 30.0, limit: int = 1000
    ) -> QueryResult:
        """Answer a query that only reads; ``timeout`` in seconds, at most ``limit`` rows.

        Raises:
            QueryError: the query is not allowed, is wrong, or took too long.
        """
        ...
