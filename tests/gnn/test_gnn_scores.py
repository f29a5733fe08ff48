"""What decides an account's score, and that people are told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ringfence.config import DecisionSettings, Settings
from ringfence.errors import ModelError
from ringfence.gnn.scores import AccountScores, evidence_scores, held_out, score_accounts
from ringfence.snapshot import Edges, Snapshot, write_snapshot

SETTINGS = Settings(device="cpu")


@pytest.fixture(scope="module")
def scored(planted: Callable[..., Snapshot]) -> tuple[Snapshot, AccountScores]:
    snapshot = planted()
    return snapshot, score_accounts(snapshot, SETTINGS)


class TestWithLabels:
    def test_the_graph_neural_network_decides_and_is_calibrated(
        self, scored: tuple[Snapshot, AccountScores]
    ) -> None:
        _snapshot, scores = scored

        assert (scores.method, scores.calibrated) == ("gnn", True)
        assert "graph neural network decided" in scores.reason

    def test_scores_are_probabilities_that_find_the_rings(
        self, scored: tuple[Snapshot, AccountScores]
    ) -> None:
        snapshot, scores = scored
        in_ring = snapshot.community >= 0

        assert scores.score.dtype == np.float64
        assert ((scores.score >= 0) & (scores.score <= 1)).all()
        assert roc_auc_score(in_ring, scores.score) > 0.95
        assert scores.score[in_ring].mean() > 0.7
        assert scores.score[~in_ring].mean() < 0.2

    def test_both_models_are_measured_on_the_same_held_out_components(
        self, scored: tuple[Snapshot, AccountScores]
    ) -> None:
        snapshot, scores = scored
        gnn, trees = scores.comparison

        assert [gnn["model"], trees["model"]] == ["gnn", "trees"]
        for figures in (gnn, trees):
            assert figures["folds"] == 5
            assert figures["positives"] == (snapshot.labels == 1).sum()
            assert figures["accounts"] == (snapshot.labels >= 0).sum()
            assert figures["roc_auc"] > 0.95
            assert figures["average_precision"] > 0.8
        assert 0 <= gnn["brier"] <= 0.1
        assert 0 <= gnn["ece"] <= 0.2

    def test_the_same_seed_gives_the_same_bytes(self, scored: tuple[Snapshot, AccountScores]) -> None:
        snapshot, scores = scored

        assert score_accounts(snapshot, SETTINGS).score.tobytes() == scores.score.tobytes()

    def test_progress_ends_at_1_and_never_falls(self, planted: Callable[..., Snapshot]) -> None:
        told: list[float] = []
        score_accounts(planted(rings=5, singles=40), SETTINGS, told.append)

        assert told == sorted(told)
        assert told[-1] == pytest.approx(1)

    def test_labels_that_say_nothing_leave_it_to_the_evidence(self) -> None:
        # Each component holds one ring and one benign account, alike in all, so held-out scores cannot rank.
        snapshot = _twins()
        scores = score_accounts(snapshot, SETTINGS)

        assert (scores.method, scores.calibrated) == ("evidence", False)
        assert "no better than chance" in scores.reason
        assert len(scores.comparison) == 2

    def test_held_out_scores_come_from_the_model_that_did_not_see_the_label(self) -> None:
        logits = np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]])

        assert held_out(logits, np.array([0, 1, -1])).tolist() == [1.0, 6.0, 5.0]


def _twins(pairs: int = 40) -> Snapshot:
    accounts = np.arange(2 * pairs)
    return Snapshot(
        {"account": np.ones((2 * pairs, 1), np.float32)},
        {"account": ("requests",)},
        {},
        (accounts % 2).astype(np.int8),
        accounts // 2,
        np.full(2 * pairs, -1),
    )


class TestWithoutTorch:
    def test_trees_decide_and_it_is_said(self, planted: Callable[..., Snapshot], tmp_path: Path) -> None:
        write_snapshot(tmp_path / "snapshot.safetensors", planted())
        script = (
            "import sys\n"
            "from importlib.machinery import PathFinder\n"
            "class WithoutTorch(PathFinder):\n"
            "    @classmethod\n"
            "    def find_spec(cls, name, path=None, target=None):\n"
            "        hidden = name.partition('.')[0] in ('torch', 'torch_geometric')\n"
            "        return None if hidden else super().find_spec(name, path, target)\n"
            "sys.meta_path = [WithoutTorch if f is PathFinder else f for f in sys.meta_path]\n"
            "from pathlib import Path\n"
            "from ringfence.config import Settings\n"
            "from ringfence.gnn.scores import score_accounts\n"
            "from ringfence.snapshot import read_snapshot\n"
            "scores = score_accounts(read_snapshot(Path(sys.argv[1])), Settings())\n"
            "print(scores.method, scores.calibrated, len(scores.comparison), scores.reason)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "snapshot.safetensors")],
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout.startswith("trees True 1 ")
        assert "torch is not installed" in done.stdout

    def test_rings_are_decided_without_loading_torch(self) -> None:
        script = "import sys, ringfence.gnn.rings, ringfence.gnn.scores; print('torch' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

        assert done.stdout.strip() == "False"


class TestWithoutUsableLabels:
    @pytest.mark.parametrize(
        ("label", "said"), [(-1, "No account is labelled"), (0, "have one label"), (1, "have one label")]
    )
    def test_evidence_ranks_uncalibrated(
        self, planted: Callable[..., Snapshot], label: int, said: str
    ) -> None:
        snapshot = planted()
        snapshot.labels[:] = label
        scores = score_accounts(snapshot, SETTINGS)

        assert (scores.method, scores.calibrated) == ("evidence", False)
        assert scores.comparison == []
        assert said in scores.reason
        assert roc_auc_score(snapshot.community >= 0, scores.score) > 0.95

    def test_too_few_labelled_rings(self, planted: Callable[..., Snapshot]) -> None:
        decisions = DecisionSettings(least_labelled_rings=9)
        scores = score_accounts(planted(rings=8), Settings(device="cpu", decisions=decisions))

        assert not scores.calibrated
        assert "Too few labelled rings" in scores.reason

    def test_infinite_features_are_refused(self, planted: Callable[..., Snapshot]) -> None:
        snapshot = planted()
        snapshot.features["account"][0, 0] = np.inf

        with pytest.raises(ModelError, match="'requests' of node type 'account' is infinite"):
            score_accounts(snapshot, SETTINGS)


class TestEvidence:
    def linked(self, *links: tuple[int, int, float], accounts: int = 8) -> np.ndarray:
        edges = Edges(
            np.array([link[:2] for link in links], np.int64).reshape(-1, 2).T,
            np.array([link[2] for link in links], np.float32),
        )
        none = np.full(accounts, -1)
        snapshot = Snapshot(
            {"account": np.ones((accounts, 1), np.float32)},
            {"account": ("requests",)},
            {("account", "LINKED_TO", "account"): edges},
            none.astype(np.int8),
            none,
            none,
        )
        return evidence_scores(snapshot, SETTINGS)

    def test_as_many_links_as_a_ring_needs_at_the_scale(self) -> None:
        scores = self.linked(*[(0, other, 6.0) for other in range(1, 5)])

        assert scores[0] == pytest.approx(1 - np.exp(-1))
        assert scores[1] == pytest.approx(1 - np.exp(-1 / 4))
        assert scores[5] == 0

    def test_further_weaker_links_add_nothing(self) -> None:
        strong = [(0, other, 6.0) for other in range(1, 5)]

        assert self.linked(*strong, (0, 5, 3.0))[0] == self.linked(*strong)[0]

    def test_no_links(self) -> None:
        assert (self.linked() == 0).all()
