"""Small snapshots with planted rings, made of arrays alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ringfence.snapshot import Edges, EdgeType, Snapshot

RING_SIZE = 6


@pytest.fixture(scope="session")
def planted() -> Callable[..., Snapshot]:
    """Return the builder of small snapshots."""
    return _planted


def _planted(rings: int = 8, singles: int = 120, *, seed: int = 7, labelled: float = 0.8) -> Snapshot:
    """Return rings of six that share a card and a device, benign pairs that share a card, and singles.

    Ring accounts make more requests, by enough to be told apart mostly but not always.
    """
    rng = np.random.default_rng(seed)
    pairs = singles // 4
    of_ring = np.repeat(np.arange(rings), RING_SIZE)
    of_pair = rings + np.repeat(np.arange(pairs), 2)
    alone = rings + pairs + np.arange(singles)
    component = np.concatenate([of_ring, of_pair, alone]).astype(np.int64)
    accounts = len(component)
    ring = np.arange(accounts) < len(of_ring)
    requests = np.exp(rng.normal(np.where(ring, 4.5, 3.0), 1.0))
    hours = rng.random(accounts)
    hours[rng.random(accounts) < 0.2] = np.nan
    labels = np.where(rng.random(accounts) < labelled, ring.astype(np.int8), np.int8(-1)).astype(np.int8)
    account = np.arange(accounts)
    ends = [(a, b) for a in account for b in range(a + 1, accounts) if component[a] == component[b]]
    edges: dict[EdgeType, Edges] = {
        ("account", "PAID_WITH", "instrument"): _edges(account, component),
        ("account", "USED_DEVICE", "device"): _edges(account, np.where(ring, component, rings + account)),
        ("account", "LINKED_TO", "account"): _edges(*np.array(ends).T, weight=6.0),
        ("account", "TRANSFERRED_TO", "account"): _edges(account, rng.permutation(accounts)),
    }
    features = {"account": np.column_stack([requests, hours]).astype(np.float32)}
    features |= {node: np.zeros((2 * accounts, 0), np.float32) for node in ("instrument", "device")}
    names = {"account": ("requests", "hour_entropy"), "instrument": (), "device": ()}
    community = np.where(ring, component, -1)
    return Snapshot(features, names, edges, labels, component, community)


def _edges(source: np.ndarray, target: np.ndarray, weight: float = 1.0) -> Edges:
    return Edges(np.stack([source, target]).astype(np.int64), np.full(len(source), weight, np.float32))
