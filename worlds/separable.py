"""Do single columns, or trees on them, give a world's rings away?

A world in which one column tells rings from innocents proves nothing about a detector of rings. So each
own-account column is given the full truth of the other rings and groups, and is asked about the held-out
ones: the best case for who looks at accounts one at a time. What is volume or network may rank, as it does in
the real world; nothing else should.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from ringfence.errors import InputError
from ringfence.worlds.baselines.columns import kind, model_columns, source
from ringfence.worlds.baselines.folds import (
    Flags,
    Floats,
    Folds,
    Learner,
    boosted_trees,
    cross_fit,
    deal,
    truth_groups,
)

PREVALENCE = 0.01
DEPTH = 3
_SMOOTHING = 1.0


def single_columns(
    columns: pd.DataFrame, truth: pd.DataFrame, prevalence: float = PREVALENCE, seed: int = 7
) -> pd.DataFrame:
    """Return what a shallow tree makes of each column alone, the most telling first.

    Args:
        columns: Own columns of every account, indexed by account_id; ``name=value`` columns of one name are
            one categorical column, and go into one tree.
        truth: account_id, ring, and population, group, country and language where the world has them.
        prevalence: Share of accounts that innocents are weighted to make the ring accounts.
        seed: Of folds and trees.

    Returns:
        column, kind (``volume`` or ``network``, which may rank, or ``other``), average_precision, roc_auc.
    """
    known, target, folds = _split(columns, truth, seed)
    known = _with_told(known, truth).dropna(axis="columns", how="all")
    weights = innocents_weighted(target, prevalence)
    families: dict[str, list[str]] = {}
    for name in known.columns:
        families.setdefault(source(name), []).append(name)
    learner = shallow_tree(seed)
    rows = []
    for name, parts in families.items():
        scores = cross_fit(known[parts], target, np.ones(len(target), bool), folds, learner)
        rows.append((name, kind(name), *_metrics(target, scores, weights)))
    frame = pd.DataFrame(rows, columns=["column", "kind", "average_precision", "roc_auc"])
    return frame.sort_values(["average_precision", "column"], ascending=[False, True], ignore_index=True)


def boosted(
    columns: pd.DataFrame, truth: pd.DataFrame, prevalence: float = PREVALENCE, seed: int = 7
) -> float:
    """Return the average precision of boosted trees on all own columns but country and language.

    Arguments as in :func:`single_columns`.
    """
    known, target, folds = _split(columns, truth, seed)
    weights = innocents_weighted(target, prevalence)
    everyone = np.ones(len(target), bool)
    scores = cross_fit(model_columns(known), target, everyone, folds, boosted_trees(seed))
    return _metrics(target, scores, weights)[0]


def innocents_weighted(target: Flags, prevalence: float) -> Floats:
    """Return weights that leave ring accounts at 1 and make them ``prevalence`` of all; shape: ``(n,)``.

    Raises:
        InputError: everyone, or no one, is a ring account.
    """
    rings = int(target.sum())
    if not 0 < rings < len(target):
        raise InputError("A world needs ring accounts and innocents to ask what tells them apart.")
    return np.where(target, 1.0, rings * (1 - prevalence) / prevalence / (len(target) - rings))


def shallow_tree(seed: int) -> Learner:
    """Return a learner of one decision tree of depth 3, all accounts of one weight."""

    def learn(columns: pd.DataFrame, target: Flags) -> Callable[[pd.DataFrame], Floats]:
        tree = DecisionTreeClassifier(max_depth=DEPTH, random_state=seed)
        rows = _writable(columns)
        tree.fit(rows, target)
        leaves = tree.apply(rows)
        base = target.mean()
        size = np.bincount(leaves)
        # One account's worth of the base rate, so that a leaf of a single kind has finite odds.
        share = (np.bincount(leaves, weights=target) + _SMOOTHING * base) / (size + _SMOOTHING)
        odds = np.log(share / (1 - share))

        def predict(others: pd.DataFrame) -> Floats:
            return np.asarray(odds[tree.apply(_writable(others))], np.float64)

        return predict

    return learn


def _writable(columns: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return a copy: scikit-learn looks for missing values in memory that it could write to."""
    return columns.to_numpy(np.float32, copy=True)


def _split(
    columns: pd.DataFrame, truth: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], Folds]:
    known = columns.reindex(pd.Index(truth["account_id"]))
    target = truth["ring"].notna().to_numpy(bool)
    return known, target, deal(truth_groups(truth), target, seed)


def _with_told(columns: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with the prompt language that the truth tells, where it does."""
    if "language" not in truth:
        return columns
    told = pd.get_dummies(truth["language"], prefix="language", prefix_sep="=", dtype="float32")
    return pd.concat([columns, told.set_axis(columns.index, axis="index")], axis="columns")


def _metrics(target: Flags, scores: Floats, weights: Floats) -> tuple[float, float]:
    return (
        float(average_precision_score(target, scores, sample_weight=weights)),
        float(roc_auc_score(target, scores)),
    )
