"""Training: what a seed promises, what a model may not see, and what happens on small devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ringfence.errors import UsageError
from ringfence.gnn import trees
from ringfence.gnn.folds import grouped_folds
from ringfence.gnn.graph import message_graph
from ringfence.gnn.models import RingNet
from ringfence.gnn.neighbours import neighbour_features
from ringfence.gnn.train import Training, cross_fit, on_device
from ringfence.snapshot import Edges, Snapshot

BRIEF = Training(epochs=30)


def fit(snapshot: Snapshot, folds: np.ndarray, seed: int = 1, training: Training = BRIEF) -> np.ndarray:
    graph = message_graph(snapshot)
    return cross_fit(
        graph, snapshot.labels, snapshot.component, folds, seed=seed, device="cpu", training=training
    ).logits


def fit_trees(snapshot: Snapshot, folds: np.ndarray, seed: int = 1) -> np.ndarray:
    return trees.cross_fit(neighbour_features(snapshot), snapshot.labels, folds, seed=seed)


def dealt(snapshot: Snapshot, folds: int = 3) -> np.ndarray:
    return grouped_folds(snapshot.labels, snapshot.component, folds, 5)


@pytest.mark.parametrize("train", [fit, fit_trees])
class TestCrossFit:
    def test_finds_planted_rings_in_components_it_did_not_see(
        self, planted: Callable[..., Snapshot], train: Callable[..., np.ndarray]
    ) -> None:
        snapshot = planted()
        folds = dealt(snapshot)
        for fold, logits in enumerate(train(snapshot, folds)):
            assert roc_auc_score(snapshot.labels[folds == fold], logits[folds == fold]) > 0.95

    def test_a_seed_gives_the_same_bytes(
        self, planted: Callable[..., Snapshot], train: Callable[..., np.ndarray]
    ) -> None:
        snapshot = planted(rings=4, singles=40)
        folds = dealt(snapshot)

        assert train(snapshot, folds).tobytes() == train(snapshot, folds).tobytes()
        assert train(snapshot, folds, seed=2).tobytes() != train(snapshot, folds).tobytes()

    def test_labels_of_a_fold_do_not_reach_its_model(
        self, planted: Callable[..., Snapshot], train: Callable[..., np.ndarray]
    ) -> None:
        snapshot = planted(rings=4, singles=40)
        folds = dealt(snapshot)
        turned = replace(
            snapshot, labels=np.where(folds == 0, 1 - snapshot.labels, snapshot.labels).astype(np.int8)
        )

        before, after = train(snapshot, folds), train(turned, folds)
        assert (before[0] == after[0]).all()
        assert (before[1] != after[1]).any()


class TestTraining:
    def test_structure_tells_what_attributes_do_not(self, planted: Callable[..., Snapshot]) -> None:
        snapshot = planted()
        blank = replace(
            snapshot, features={node: np.zeros_like(values) for node, values in snapshot.features.items()}
        )
        folds = dealt(blank)
        (first, *_rest) = fit(blank, folds)

        assert roc_auc_score(blank.labels[folds == 0], first[folds == 0]) > 0.95

    def test_works_without_any_edge(self, planted: Callable[..., Snapshot]) -> None:
        snapshot = replace(planted(), edges={})
        folds = dealt(snapshot)
        logits = fit(snapshot, folds)

        assert np.isfinite(logits).all()
        assert roc_auc_score(snapshot.labels[folds == 0], logits[0][folds == 0]) > 0.7

    def test_works_with_too_few_labels_to_stop_on(self, planted: Callable[..., Snapshot]) -> None:
        snapshot = planted(rings=2, singles=8)

        assert np.isfinite(fit(snapshot, dealt(snapshot, 2))).all()

    def test_stops_early_when_held_out_components_get_no_better(
        self, planted: Callable[..., Snapshot]
    ) -> None:
        snapshot = planted(rings=4, singles=40)
        # Labels dealt at random cannot be learnt: what is held out gets worse as soon as training fits them.
        drawn = np.random.default_rng(2).permutation(snapshot.labels)
        snapshot = replace(snapshot, labels=drawn, component=np.arange(snapshot.accounts))
        folds = dealt(snapshot)
        short = Training(epochs=100, rate=0.05, look=1, patience=5)
        long = replace(short, epochs=1000)

        assert fit(snapshot, folds, training=short).tobytes() == fit(snapshot, folds, training=long).tobytes()

    def test_leaves_torch_as_it_was(self, planted: Callable[..., Snapshot]) -> None:
        snapshot = planted(rings=2, singles=8)
        torch.manual_seed(3)
        before = (
            torch.get_rng_state(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
        )
        fit(snapshot, dealt(snapshot, 2))
        after = (torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())

        assert (before[0] == after[0]).all()
        assert before[1:] == after[1:]

    def test_tells_how_far_it_is(self, planted: Callable[..., Snapshot]) -> None:
        snapshot = planted(rings=3, singles=12)
        told: list[float] = []
        cross_fit(
            message_graph(snapshot),
            snapshot.labels,
            snapshot.component,
            dealt(snapshot, 2),
            seed=1,
            device="cpu",
            training=BRIEF,
            tick=told.append,
        )

        assert told == [0.5, 1.0]


class TestModel:
    def test_isolated_accounts_hear_from_nobody(self) -> None:
        torch.manual_seed(1)
        relation = ("account", "LINKED_TO", "account")
        model = RingNet({"account": 2}, [relation], width=8, layers=2, dropout=0.5).eval()
        inputs = torch.randn(4, 2)
        edges = {relation: (torch.tensor([[0, 1], [1, 0]]), torch.ones(2))}
        before = model({"account": inputs}, edges)
        inputs[0] += 1
        after = model({"account": inputs}, edges)

        assert (before[2:] == after[2:]).all()
        assert (before[:2] != after[:2]).all()

    def test_an_account_hears_from_another_through_an_entity(self) -> None:
        torch.manual_seed(1)
        forward, back = ("account", "PAID_WITH", "instrument"), ("instrument", "rev_PAID_WITH", "account")
        model = RingNet(
            {"account": 2, "instrument": 1}, [forward, back], width=8, layers=2, dropout=0.5
        ).eval()
        accounts, cards = torch.randn(3, 2), torch.ones(1, 1)
        index = torch.tensor([[0, 1], [0, 0]])
        edges = {forward: (index, torch.full((2,), 0.5)), back: (index.flip(0), torch.ones(2))}
        before = model({"account": accounts, "instrument": cards}, edges)
        accounts[0] += 1
        after = model({"account": accounts, "instrument": cards}, edges)

        assert before[1] != after[1]
        assert before[2] == after[2]

    def test_the_numbering_of_accounts_does_not_matter(self, planted: Callable[..., Snapshot]) -> None:
        graph = message_graph(planted(rings=3, singles=20))
        accounts = len(graph.inputs["account"])
        order = np.random.default_rng(1).permutation(accounts)
        place = np.argsort(order)
        torch.manual_seed(1)
        widths = {node: values.shape[1] for node, values in graph.inputs.items()}
        model = RingNet(widths, sorted(graph.edges), width=8, layers=2, dropout=0.5).eval()
        turned_inputs = {**graph.inputs, "account": graph.inputs["account"][order]}
        turned_edges = {
            kind: Edges(
                np.stack(
                    [
                        place[row] if node == "account" else row
                        for row, node in zip(e.index, kind[::2], strict=True)
                    ]
                ),
                e.weight,
            )
            for kind, e in graph.edges.items()
        }

        def run(inputs: dict[str, np.ndarray], edges: dict[tuple[str, str, str], Edges]) -> np.ndarray:
            with torch.no_grad():
                logits = model(
                    {node: torch.tensor(values) for node, values in inputs.items()},
                    {kind: (torch.tensor(e.index), torch.tensor(e.weight)) for kind, e in edges.items()},
                )
            return logits.numpy()

        assert run(turned_inputs, turned_edges) == pytest.approx(
            run(graph.inputs, graph.edges)[order], abs=1e-5
        )


class TestDevice:
    def test_unknown_devices_are_refused(self) -> None:
        with pytest.raises(UsageError, match="auto, cpu or cuda"):
            on_device(lambda _where: np.zeros(1), "tpu")

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
    def test_a_gpu_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(UsageError, match="no CUDA device"):
            on_device(lambda _where: np.zeros(1), "cuda")

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
    def test_auto_takes_the_cpu_where_there_is_nothing_else(self) -> None:
        assert on_device(lambda _where: np.zeros(1), "auto").device == "cpu"

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
    def test_a_gpu_without_room_hands_over_to_the_cpu_and_says_so(self) -> None:
        def greedy(where: str) -> np.ndarray:
            if where == "cuda":
                torch.empty(2**50, dtype=torch.uint8, device=where)
            return np.zeros(1)

        found = on_device(greedy, "auto")

        assert found.device == "cpu"
        assert "memory" in found.note

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
    def test_a_gpu_ranks_as_the_cpu_does(self, planted: Callable[..., Snapshot]) -> None:
        snapshot = planted()
        folds = dealt(snapshot)
        graph = message_graph(snapshot)
        on_gpu = cross_fit(
            graph, snapshot.labels, snapshot.component, folds, seed=1, device="cuda", training=BRIEF
        ).logits

        assert roc_auc_score(snapshot.labels[folds == 0], on_gpu[0][folds == 0]) > 0.95
