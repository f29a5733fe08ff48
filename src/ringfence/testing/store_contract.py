"""What every graph store must do: subclass :class:`StoreContract`, give it a store and a look behind it.

::

    class TestMyStore(StoreContract):
        @pytest.fixture
        def backend(self) -> MyBackend: ...          # empty

        def open(self, backend) -> GraphStore: ...
        def look(self, backend) -> Held: ...
        def cut_off(self, backend) -> None: ...
        def add_foreign(self, backend) -> None: ...

The hooks read and change the backend without the store's own methods, so that a store cannot agree with
itself.
"""

# ruff: noqa: D102 - a test's name says what it tests

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ringfence.errors import StoreConflictError
from ringfence.schema import NODE_KEYS
from ringfence.stores.graph import GraphTables, write_graph
from ringfence.stores.protocol import GraphStore, StoreState

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)

ODD_IDS = (
    "plain",
    "it's",
    'say "hi"',
    "back`tick",
    "back\\slash",
    "line\nfeed",
    "{row: $rows}",
    "'}) DETACH DELETE n //",
    "naïve 東京 🦊 مرحبا",
    " blank ",
    "",
)
"""Ids that a store must take as they are."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a backend holds, read without the store."""

    nodes: dict[str, dict[str, dict[str, Any]]]
    """Label → key → properties; the store's own marks left out, labels without nodes too."""
    relationships: dict[str, dict[tuple[str, str], dict[str, Any]]]
    """Type → (start key, end key) → properties; types without relationships left out."""


def times(values: list[datetime | None]) -> pa.Array:
    """Return a column of UTC times."""
    return pa.array(values, pa.timestamp("us", "UTC"))


def small_graph(folder: Path, requests: int = 7) -> GraphTables:
    """Return a graph with the values that stores stumble over; ``requests`` tells one from another."""
    n = len(ODD_IDS)
    accounts = pa.table(
        {
            "account_id": list(ODD_IDS),
            "created_at": times([MOMENT + timedelta(days=i) for i in range(n)]),
            "banned_at": times([MOMENT] + [None] * (n - 1)),
            "requests": [requests, *range(1, n)],
            "score": [0.5, None, 1e-300] + [1 / 3] * (n - 3),
            "status": [None, *ODD_IDS[1:]],
        }
    )
    addresses = pa.table({"address": ["2001:db8::1", "192.0.2.7"], "accounts": [n, 1]})
    rings = pa.table(
        {
            "ring_id": ["ring-1"],
            "evidence_statements": [["They share `one` card.", 'It\'s "so".']],
            "evidence_weights": [[1.5, -0.25]],
            "evidence_families": pa.array([[]], pa.list_(pa.string())),
        }
    )
    used = pa.table(
        {
            "start": [*ODD_IDS, "plain"],
            "end": ["2001:db8::1"] * n + ["192.0.2.7"],
            "count": list(range(n + 1)),
            "first_seen": times([MOMENT] * n + [None]),
        }
    )
    return write_graph(
        folder,
        {"Account": accounts, "IP": addresses, "Ring": rings, "Device": _empty("device_id")},
        {"USED_IP": used, "USED_DEVICE": _empty("start", "end"), "MEMBER_OF": _members()},
    )


def _members() -> pa.Table:
    return pa.table({"start": ["it's"], "end": ["ring-1"], "score": [0.75], "role": ["core"]})


def _empty(*columns: str) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in columns})


def expected(graph: GraphTables) -> Held:
    """Return what a store must hold of a graph: every property that is not null."""
    return Held(
        nodes={
            label: {row[NODE_KEYS[label]]: row for row in _present(table)}
            for label, table in graph.nodes.items()
            if table.num_rows
        },
        relationships={
            name: {(row.pop("start"), row.pop("end")): row for row in _present(table)}
            for name, table in graph.relationships.items()
            if table.num_rows
        },
    )


def _present(table: pa.Table) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


class StoreContract(ABC):
    """The tests that every store passes; see the module for how to subclass it."""

    @abstractmethod
    def open(self, backend: Any) -> GraphStore:
        """Return a new store on the backend."""

    @abstractmethod
    def look(self, backend: Any) -> Held:
        """Read everything the backend holds, without the store."""

    @abstractmethod
    def cut_off(self, backend: Any) -> None:
        """Leave the backend as a load that was killed would: marked incomplete, some rows missing."""

    @abstractmethod
    def add_foreign(self, backend: Any) -> None:
        """Put an account into the empty backend that no store of ours has written."""

    @pytest.fixture
    def store(self, backend: Any) -> Iterator[GraphStore]:
        """A store on an empty backend."""
        store = self.open(backend)
        yield store
        store.close()

    @pytest.fixture
    def graph(self, tmp_path: Path) -> GraphTables:
        """A graph."""
        return small_graph(tmp_path / "graph")

    @pytest.fixture
    def other(self, tmp_path: Path) -> GraphTables:
        """Another graph of the same ids."""
        return small_graph(tmp_path / "other", requests=8)

    def test_an_empty_store_holds_nothing(self, store: GraphStore) -> None:
        assert store.state() is None
        assert store.counts() == {}

    def test_a_load_is_counted_and_complete(self, store: GraphStore, graph: GraphTables) -> None:
        store.load(graph)
        assert store.counts() == graph.counts()
        assert store.state() == StoreState(graph.digest, complete=True, disposable=False)

    def test_every_value_comes_back_as_it_was(
        self, backend: Any, store: GraphStore, graph: GraphTables
    ) -> None:
        store.load(graph)
        assert self.look(backend) == expected(graph)

    def test_another_store_on_the_backend_sees_the_load(
        self, backend: Any, store: GraphStore, graph: GraphTables
    ) -> None:
        store.load(graph)
        other = self.open(backend)
        assert other.state() == store.state()
        other.close()

    def test_loading_what_is_held_writes_nothing(
        self, backend: Any, store: GraphStore, graph: GraphTables
    ) -> None:
        store.load(graph)
        before = self.look(backend)
        shares: list[float] = []
        store.load(graph, tick=shares.append)
        assert shares == []
        assert self.look(backend) == before

    def test_progress_grows_to_one(self, store: GraphStore, graph: GraphTables) -> None:
        shares: list[float] = []
        store.load(graph, tick=shares.append)
        assert shares == sorted(shares)
        assert shares[-1] == 1.0

    def test_another_graph_is_refused(
        self, backend: Any, store: GraphStore, graph: GraphTables, other: GraphTables
    ) -> None:
        store.load(graph)
        with pytest.raises(StoreConflictError, match="--force") as refused:
            store.load(other)
        assert graph.digest[:12] in str(refused.value)
        assert other.digest[:12] in str(refused.value)
        assert self.look(backend) == expected(graph)

    def test_another_graph_replaces_when_asked(
        self, backend: Any, store: GraphStore, graph: GraphTables, other: GraphTables
    ) -> None:
        store.load(graph)
        store.load(other, replace=True)
        assert self.look(backend) == expected(other)
        assert store.state() == StoreState(other.digest, complete=True, disposable=False)

    def test_a_disposable_graph_is_replaced_unasked(
        self, backend: Any, store: GraphStore, graph: GraphTables, other: GraphTables
    ) -> None:
        store.load(graph, disposable=True)
        assert store.state() == StoreState(graph.digest, complete=True, disposable=True)
        store.load(other)
        assert self.look(backend) == expected(other)

    def test_a_disposable_graph_that_is_loaded_in_earnest_is_kept(
        self, store: GraphStore, graph: GraphTables, other: GraphTables
    ) -> None:
        store.load(graph, disposable=True)
        store.load(graph)
        with pytest.raises(StoreConflictError):
            store.load(other)

    def test_a_demonstration_does_not_make_a_kept_graph_disposable(
        self, store: GraphStore, graph: GraphTables
    ) -> None:
        store.load(graph)
        store.load(graph, disposable=True)
        assert store.state() == StoreState(graph.digest, complete=True, disposable=False)

    def test_a_load_that_was_cut_off_is_seen(
        self, backend: Any, store: GraphStore, graph: GraphTables
    ) -> None:
        store.load(graph)
        self.cut_off(backend)
        assert store.state() == StoreState(graph.digest, complete=False, disposable=False)
        assert self.look(backend) != expected(graph)

    @pytest.mark.parametrize("which", ["graph", "other"])
    def test_a_load_that_was_cut_off_is_repaired_by_any_load(
        self, backend: Any, store: GraphStore, graph: GraphTables, other: GraphTables, which: str
    ) -> None:
        store.load(graph)
        self.cut_off(backend)
        wanted = {"graph": graph, "other": other}[which]
        store.load(wanted)
        assert self.look(backend) == expected(wanted)
        assert store.state() == StoreState(wanted.digest, complete=True, disposable=False)

    def test_foreign_data_is_refused(self, backend: Any, store: GraphStore, graph: GraphTables) -> None:
        self.add_foreign(backend)
        before = self.look(backend)
        with pytest.raises(StoreConflictError, match="did not write"):
            store.state()
        with pytest.raises(StoreConflictError, match="--force"):
            store.load(graph)
        assert self.look(backend) == before

    def test_foreign_data_is_replaced_when_asked(
        self, backend: Any, store: GraphStore, graph: GraphTables
    ) -> None:
        self.add_foreign(backend)
        store.load(graph, replace=True)
        assert self.look(backend) == expected(graph)

    def test_empty_tables_are_a_graph(self, store: GraphStore, tmp_path: Path) -> None:
        nothing = write_graph(tmp_path / "nothing", {"Account": _empty("account_id")}, {})
        store.load(nothing)
        assert store.counts() == {}
        assert store.state() == StoreState(nothing.digest, complete=True, disposable=False)
