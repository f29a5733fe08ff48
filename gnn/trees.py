"""Gradient-boosted trees: the opponent of every graph neural network, and its stand-in without torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xgboost

from ringfence.gnn.features import Floats
from ringfence.gnn.folds import UNLABELLED, Folds, Labels
from ringfence.progress import Tick, silent

PARAMETERS: dict[str, object] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 4,
    "eta": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "min_child_weight": 2.0,
    "lambda": 2.0,
    "nthread": 1,  # sums over threads round differently for another number of them
}
ROUNDS = 200


def cross_fit(
    features: Floats, labels: Labels, folds: Folds, *, seed: int, tick: Tick = silent
) -> npt.NDArray[np.float64]:
    """Train one model per fold on the other folds' labels and let each score every account.

    Args:
        features: shape ``(n, f)``, finite or NaN.
        labels: shape ``(n,)``: 1 ring, 0 benign, -1 unknown.
        folds: shape ``(n,)``: fold of a labelled account, -1 of another.
        seed: of the sampling of rows and columns.
        tick: told the share of folds that are done.

    Returns:
        logits; shape: ``(folds, n)``: row k is the model that saw no label of fold k.
    """
    count = int(folds.max()) + 1
    everyone = xgboost.DMatrix(features)
    rows = []
    for fold in range(count):
        learnt = np.flatnonzero((labels != UNLABELLED) & (folds != fold))
        rows.append(
            _fit(features[learnt], labels[learnt], seed * 100 + fold).predict(everyone, output_margin=True)
        )
        tick((fold + 1) / count)
    return np.stack(rows).astype(np.float64)


def _fit(features: Floats, labels: Labels, seed: int) -> xgboost.Booster:
    parameters = {**PARAMETERS, "seed": seed % 2**31}
    return xgboost.train(parameters, xgboost.DMatrix(features, labels), num_boost_round=ROUNDS)
