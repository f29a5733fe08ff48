"""Folds that cut no ring and no group, and scores of models that saw nothing of an account's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int64]

Learner = Callable[[pd.DataFrame, Flags], Callable[[pd.DataFrame], Floats]]
"""Columns and targets → a model: columns → log-odds."""

FOLDS = 5
ROUNDS = 200
PARAMETERS: dict[str, object] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 5,
    "eta": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "min_child_weight": 2.0,
    "nthread": 1,  # sums over threads round differently for another number of them
}


def truth_groups(truth: pd.DataFrame) -> pd.Series[str]:
    """Return what must not be cut: an account's ring, else its group, else the account, by account_id.

    Args:
        truth: account_id, ring and, where the world has them, population and group.
    """
    group = truth["group"] if "group" in truth else pd.Series(None, truth.index, dtype=object)
    population = truth["population"].astype(str) if "population" in truth else ""
    whole = ("ring:" + truth["ring"].astype(str)).where(truth["ring"].notna())
    whole = whole.fillna(("group:" + population + ":" + group.astype(str)).where(group.notna()))
    whole = whole.fillna("account:" + truth["account_id"].astype(str))
    return pd.Series(whole.to_numpy(object), pd.Index(truth["account_id"]), dtype=object)


def deal(groups: pd.Series[str], target: Flags, seed: int, folds: int = FOLDS) -> Folds:
    """Deal whole groups to folds, so that positives and groups are spread as evenly as they allow.

    Args:
        groups: shape: ``(n,)``; what must not be cut.
        target: shape: ``(n,)``; true for ring accounts.
        seed: Of the order of groups of one size.
        folds: The most folds; no more are made than groups have positives, but at least 2.

    Returns:
        shape: ``(n,)``.
    """
    code, names = pd.factorize(groups, sort=True)
    positives = np.bincount(code, weights=target, minlength=len(names))
    size = np.bincount(code, minlength=len(names))
    count = int(np.clip((positives > 0).sum(), 2, folds))
    rng = np.random.default_rng(seed)
    drawn = rng.random(len(names))
    # Innocents on their own are most of a world: each fold gets as many, whatever large groups it has.
    alone = np.flatnonzero((size == 1) & (positives == 0))
    fold_of = np.zeros(len(names), np.int64)
    fold_of[rng.permutation(alone)] = np.arange(len(alone)) % count
    load = np.zeros((2, count))
    for group in np.lexsort((drawn, -size, -positives))[: len(names) - len(alone)]:
        scarce, other = (0, 1) if positives[group] else (1, 0)
        fold = np.lexsort((load[other], load[scarce]))[0]
        fold_of[group] = fold
        load[:, fold] += positives[group], size[group]
    return fold_of[code]


def cross_fit(columns: pd.DataFrame, target: Flags, known: Flags, folds: Folds, learner: Learner) -> Floats:
    """Return each account's log-odds from the model that learnt from the other folds.

    The share of positives that a model learnt from is taken off its log-odds: folds differ in it, and what
    is pooled must be comparable. A model of one class only says 0 of everyone.

    Args:
        columns: shape: ``(n, f)``.
        target: shape: ``(n,)``; read where known.
        known: shape: ``(n,)``; accounts with a target to learn from.
        folds: shape: ``(n,)``.
        learner: Makes the model.
    """
    scores = np.zeros(len(columns))
    for fold in np.unique(folds):
        learnt, held = known & (folds != fold), folds == fold
        share = target[learnt].mean() if learnt.any() else 0.0
        if 0 < share < 1:
            model = learner(columns[learnt], target[learnt])
            scores[held] = model(columns[held]) - np.log(share / (1 - share))
    return scores


def boosted_trees(seed: int) -> Learner:
    """Return a learner of gradient-boosted trees (XGBoost)."""

    def learn(columns: pd.DataFrame, target: Flags) -> Callable[[pd.DataFrame], Floats]:
        data = xgboost.DMatrix(columns.to_numpy(np.float32), target)
        booster = xgboost.train({**PARAMETERS, "seed": seed}, data, num_boost_round=ROUNDS)

        def predict(others: pd.DataFrame) -> Floats:
            rows = xgboost.DMatrix(others.to_numpy(np.float32))
            return np.asarray(booster.predict(rows, output_margin=True), np.float64)

        return predict

    return learn
