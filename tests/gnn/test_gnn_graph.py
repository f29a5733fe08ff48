"""What messages pass through, and what neighbours are: compared with brute force."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ringfence.gnn.features import log_scale
from ringfence.gnn.graph import message_graph
from ringfence.gnn.neighbours import neighbour_features
from ringfence.snapshot import Edges, EdgeType, Snapshot

PAID: EdgeType = ("account", "PAID_WITH", "instrument")
LINKED: EdgeType = ("account", "LINKED_TO", "account")
SENT: EdgeType = ("account", "TRANSFERRED_TO", "account")


def snapshot_of(
    accounts: int, entities: int, edges: dict[EdgeType, list[tuple[int, int, float]]], seed: int = 1
) -> Snapshot:
    """Return a snapshot with two random attributes an account and the edges (source, target, weight)."""
    values = np.random.default_rng(seed).lognormal(2, 1, (accounts, 2)).astype(np.float32)
    made = {
        edge_type: Edges(
            np.array([e[:2] for e in listed], np.int64).reshape(-1, 2).T,
            np.array([e[2] for e in listed], np.float32),
        )
        for edge_type, listed in edges.items()
    }
    return Snapshot(
        {"account": values, "instrument": np.zeros((entities, 0), np.float32)},
        {"account": ("requests", "output_tokens"), "instrument": ()},
        made,
        np.full(accounts, -1, np.int8),
        np.arange(accounts),
        np.full(accounts, -1),
    )


class TestMessageGraph:
    def test_entities_of_one_account_are_left_out(self) -> None:
        graph = message_graph(snapshot_of(3, 3, {PAID: [(0, 0, 1), (1, 1, 1), (2, 1, 1), (2, 2, 1)]}))

        assert len(graph.inputs["account"]) == 3
        assert len(graph.inputs["instrument"]) == 1
        assert sorted(graph.edges[PAID].index[0]) == [1, 2]
        assert graph.edges[PAID].index[1].tolist() == [0, 0]

    def test_chains_that_lead_nowhere_are_left_out_to_their_end(self) -> None:
        # Address 0 of account 0 lies alone in subnet 0; addresses 1 and 2 of accounts 1 and 2 share subnet 1.
        snapshot = snapshot_of(3, 0, {})
        snapshot.features.update(ip=np.zeros((3, 0), np.float32), subnet=np.zeros((2, 0), np.float32))
        one = np.ones(3, np.float32)
        snapshot.edges[("account", "USED_IP", "ip")] = Edges(np.array([[0, 1, 2], [0, 1, 2]]), one)
        snapshot.edges[("ip", "IN_SUBNET", "subnet")] = Edges(np.array([[0, 1, 2], [0, 1, 1]]), one)
        graph = message_graph(snapshot)

        assert {node: len(values) for node, values in graph.inputs.items()} == {
            "account": 3,
            "ip": 2,
            "subnet": 1,
        }

    def test_degrees_are_counted_before_anything_is_left_out(self) -> None:
        few = message_graph(snapshot_of(3, 4, {PAID: [(0, 0, 1), (1, 0, 1)]}))
        more = message_graph(
            snapshot_of(3, 4, {PAID: [(0, 0, 1), (1, 0, 1), (2, 1, 1), (2, 2, 1), (2, 3, 1)]})
        )

        assert few.inputs["account"][2, -1] < few.inputs["account"][0, -1]
        assert more.inputs["account"][2, -1] > more.inputs["account"][0, -1]

    def test_every_relation_runs_both_ways_and_links_in_one(self) -> None:
        graph = message_graph(
            snapshot_of(3, 1, {PAID: [(0, 0, 1), (1, 0, 1)], LINKED: [(0, 1, 5)], SENT: [(2, 0, 1)]})
        )

        assert set(graph.edges) == {
            PAID,
            ("instrument", "rev_PAID_WITH", "account"),
            LINKED,
            SENT,
            ("account", "rev_TRANSFERRED_TO", "account"),
        }
        assert sorted(graph.edges[LINKED].index.T.tolist()) == [[0, 1], [1, 0]]

    def test_weights_into_a_node_sum_to_1(self, planted: Callable[..., Snapshot]) -> None:
        for (_source, _relation, target), edges in message_graph(planted()).edges.items():
            total = np.bincount(edges.index[1], weights=edges.weight)
            assert total[total > 0] == pytest.approx(1), target

    def test_rare_entities_weigh_more_than_hubs(self) -> None:
        hub = [(account, 0, 1.0) for account in range(10)]
        graph = message_graph(snapshot_of(10, 2, {PAID: [*hub, (0, 1, 1), (1, 1, 1)]}))
        back = graph.edges[("instrument", "rev_PAID_WITH", "account")]
        into_first = back.weight[back.index[1] == 0]

        assert into_first[1] / into_first[0] == pytest.approx(np.sqrt(10 / 2))

    def test_entity_types_without_a_node_are_no_matter(self) -> None:
        graph = message_graph(snapshot_of(3, 0, {PAID: [], LINKED: [(0, 1, 5)]}))

        assert set(graph.inputs) == {"account"}
        assert set(graph.edges) == {LINKED}

    def test_no_edges_at_all(self) -> None:
        graph = message_graph(snapshot_of(3, 2, {PAID: []}))

        assert graph.edges == {}
        assert set(graph.inputs) == {"account"}


def brute_force(values: np.ndarray, pairs: dict[tuple[int, int], float]) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted mean and maximum over neighbours, straight from a dictionary of weights."""
    mean, largest = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    for account in range(len(values)):
        near = [(other, weight) for (one, other), weight in pairs.items() if one == account]
        if near:
            mean[account] = np.average(values[[o for o, _w in near]], axis=0, weights=[w for _o, w in near])
            largest[account] = values[[o for o, _w in near]].max(axis=0)
    return mean, largest


@pytest.mark.parametrize("seed", range(5))
class TestNeighbours:
    def test_through_entities(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        seen = {
            (int(a), int(e)) for a, e in zip(rng.integers(0, 15, 30), rng.integers(0, 12, 30), strict=True)
        }
        snapshot = snapshot_of(16, 12, {PAID: [(a, e, 1 + a % 3) for a, e in seen]}, seed)
        sharing = {e: [a for a, other in seen if other == e] for _a, e in seen}
        pairs: dict[tuple[int, int], float] = {}
        for among in sharing.values():
            for one in among:
                for other in set(among) - {one}:
                    weight = (1 + one % 3) * (1 + other % 3) / (len(among) - 1)
                    pairs[one, other] = pairs.get((one, other), 0) + weight
        self.compare(snapshot, pairs, first=3)

    def test_links_count_both_ways(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        links = {(int(a), int(b)): float(a + b) for a, b in rng.integers(0, 15, (20, 2)) if a < b}
        snapshot = snapshot_of(16, 0, {LINKED: [(a, b, w) for (a, b), w in links.items()]}, seed)
        self.compare(snapshot, {**links, **{(b, a): w for (a, b), w in links.items()}}, first=4)

    def test_transfers_count_each_way_apart(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        sent = {(int(a), int(b)): 1.0 + a for a, b in rng.integers(0, 15, (20, 2)) if a != b}
        snapshot = snapshot_of(16, 0, {SENT: [(a, b, w) for (a, b), w in sent.items()]}, seed)
        self.compare(snapshot, sent, first=4)
        self.compare(snapshot, {(b, a): w for (a, b), w in sent.items()}, first=10)

    def compare(self, snapshot: Snapshot, pairs: dict[tuple[int, int], float], first: int) -> None:
        """Compare a view's columns, which begin at ``first``, with brute force."""
        values = log_scale(snapshot.features["account"]).astype(np.float64)
        mean, largest = brute_force(values, pairs)
        second, _largest = brute_force(np.nan_to_num(mean), pairs)
        found = neighbour_features(snapshot)[:, first : first + 6]

        assert found[:, :2] == pytest.approx(mean, abs=1e-4, nan_ok=True)
        assert found[:, 2:4] == pytest.approx(second, abs=1e-4, nan_ok=True)
        assert found[:, 4:] == pytest.approx(largest, abs=1e-4, nan_ok=True)


def test_a_hub_is_never_expanded_into_pairs() -> None:
    accounts = 50_000
    snapshot = snapshot_of(accounts, 1, {PAID: [(a, 0, 1) for a in range(accounts)]})
    values = log_scale(snapshot.features["account"]).astype(np.float64)
    found = neighbour_features(snapshot)[:, 3:5]

    assert found == pytest.approx((values.sum(axis=0) - values) / (accounts - 1), abs=1e-3)
