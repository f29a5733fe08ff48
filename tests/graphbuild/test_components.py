"""Components as table work, held against networkx."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis
import networkx as nx
import pyarrow as pa
import pytest

from ringfence.graphbuild.components import connected_components

GRAPHS = 200 if os.environ.get("RINGFENCE_SOAK") else 8

Pairs = Iterable[tuple[Any, Any]]


@pytest.fixture
def components(engine: Any, tmp_path: Path) -> Callable[[Pairs], dict[Any, Any]]:
    """Return what finds account → smallest account of its component."""
    places = (tmp_path / str(number) for number in range(GRAPHS))

    def find(pairs: Pairs) -> dict[Any, Any]:
        return components_of(engine, pairs, next(places))

    return find


def components_of(engine: Any, pairs: Pairs, folder: Path) -> dict[Any, Any]:
    ends = list(pairs)
    kind = pa.int64() if ends and isinstance(ends[0][0], int) else pa.string()
    columns = [pa.array([pair[end] for pair in ends], kind) for end in (0, 1)]
    links = ibis.memtable(pa.table(columns, ["account_a", "account_b"]))
    found = engine.to_pyarrow(connected_components(engine, links, folder))
    # Each account once, or the count below would be off.
    placed = dict(zip(*(column.to_pylist() for column in found.columns), strict=True))
    assert len(placed) == found.num_rows
    return placed


def expected(pairs: Pairs) -> dict[Any, Any]:
    graph = nx.Graph(pairs)
    return {account: min(part) for part in nx.connected_components(graph) for account in part}


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_components_of_random_graphs_are_those_of_networkx(seed: int, components: Any) -> None:
    # From many small components, over the edge where a giant one appears, to one that is nearly all.
    density = random.Random(seed).choice([0.3, 0.5, 0.8, 2.0])
    graph = nx.gnm_random_graph(300, int(300 * density), seed=seed)
    names = [f"account {number:03}" for number in range(300)]
    random.Random(seed).shuffle(names)
    pairs = [(names[a], names[b]) for a, b in graph.edges]
    assert components(pairs) == expected(pairs)


def test_a_long_chain_in_the_worst_of_orders(engine: Any, tmp_path: Path) -> None:
    numbers = list(range(3000))
    random.Random(7).shuffle(numbers)
    found = components_of(engine, pairwise(numbers), tmp_path / "rounds")
    assert found == dict.fromkeys(range(3000), 0)
    (last,) = (tmp_path / "rounds").iterdir()
    # The input and two tables a round: as many rounds as a logarithm, not as many as the chain is long.
    assert int(last.name) <= 1 + 2 * 12


def test_a_star_whose_centre_is_its_largest_account(components: Any) -> None:
    assert set(components((9999, leaf) for leaf in range(5000)).values()) == {0}


def test_doubles_both_directions_and_links_to_oneself(components: Any) -> None:
    pairs = [("b", "a"), ("a", "b"), ("a", "b"), ("c", "c"), ("d", None), ("e", "f")]
    assert components(pairs) == {"a": "a", "b": "a", "e": "e", "f": "e"}


def test_no_links_no_components(components: Any) -> None:
    assert components([]) == {}
