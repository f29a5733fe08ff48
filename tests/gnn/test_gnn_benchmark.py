"""The benchmark's own arithmetic, against scikit-learn, and its data, against what is known of them."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

ROOT = Path(__file__).parents[2]
P2P = Path(os.environ.get("RINGFENCE_SHARED_DATA", ROOT.parent / "shared" / "data")) / "p2p"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("p2p_scores", ROOT / "benchmarks" / "p2p_scores.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(10))
def test_figures_agree_with_scikit_learn(benchmark: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 20, 200).astype(float)
    labels = (rng.random(200) < 0.2).astype(np.int8)
    weight = rng.integers(0, 4, 200).astype(float)
    auc, precision = benchmark.Ranking.of(np.arange(200), score, labels).figures(weight)

    assert auc == pytest.approx(roc_auc_score(labels, score, sample_weight=weight))
    assert precision == pytest.approx(average_precision_score(labels, score, sample_weight=weight))


@pytest.mark.shared_data
@pytest.mark.skipif(not P2P.is_dir(), reason="RINGFENCE_SHARED_DATA has no folder p2p")
def test_the_snapshot_has_what_the_data_are_known_to_have(benchmark: ModuleType) -> None:
    snapshot = benchmark.build_snapshot(P2P)
    known = snapshot.labels >= 0
    cards = snapshot.features["account"][known, snapshot.feature_names["account"].index("instruments")]

    assert snapshot.accounts == 33_732
    assert (known.sum(), (snapshot.labels == 1).sum()) == (17_014, 127)
    assert roc_auc_score(snapshot.labels[known], cards) == pytest.approx(0.72, abs=0.01)
