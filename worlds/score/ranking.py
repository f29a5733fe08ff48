"""How well an account score ranks ring accounts above innocents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ringfence.worlds.score.intervals import Estimate, pool_estimates

PREVALENCES = (0.001, 0.01, 0.03)
"""Shares of ring accounts at which average precision is told, besides the world's own."""
REPLICATES = 500
RECALLS = tuple(n / 100 for n in range(1, 101))

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a score is worth as a ranking of accounts."""

    average_precision: Estimate
    roc_auc: Estimate
    at_prevalence: tuple[tuple[float, Estimate], ...]
    """Prevalence → average precision with innocents weighted so that ring accounts are that share."""
    curve: tuple[float, ...]
    """Precision at each of :data:`RECALLS`, at the world's own prevalence; empty without rings."""


@dataclass(frozen=True, slots=True)
class _Order:
    """Accounts from the highest score to the lowest."""

    guilty: NDArray[np.bool_]
    """shape: (n,)"""
    ends: _Ints
    """Where each run of equal scores ends; shape: (t,)."""
    rings: _Ints
    """Ring of each account, -1 for innocents; shape: (n,)."""
    groups: _Ints
    """Group of each innocent, those without one being alone in theirs, -1 for ring accounts; shape: (n,)."""


def rank(accounts: pd.DataFrame, seed: int = 0, replicates: int = REPLICATES) -> Ranking:
    """Judge the ranking that a score gives.

    Average precision is the sum over thresholds of precision times the gain in recall, equal scores sharing
    one threshold. For another prevalence p each innocent weighs R(1 - p) / (p I), where R ring accounts and I
    innocents are there: precision changes, the true- and false-positive rates do not. Intervals come from
    the cluster bootstrap: whole rings, and whole groups of innocents, are drawn with replacement.

    Args:
        accounts: score, ring (null for innocents), population, group; a row an account.
        seed: Of the resampling.
        replicates: How many resamples.
    """
    order = _ordered(accounts)
    if order.guilty.all() or not order.guilty.any():
        none = Estimate(math.nan, ())
        return Ranking(none, none, tuple((p, none) for p in PREVALENCES), ())
    weights = np.ones(len(order.guilty))
    value = _figures(order, weights)
    rng = np.random.default_rng(seed)
    drawn = np.array([_figures(order, _resampled(order, rng)) for _ in range(replicates)])
    drawn = drawn.reshape(replicates, len(value))
    estimates = [Estimate(value[n], tuple(drawn[:, n].tolist())) for n in range(len(value))]
    return Ranking(
        estimates[0], estimates[1], tuple(zip(PREVALENCES, estimates[2:], strict=True)), _at_recalls(order)
    )


def pool_rankings(rankings: Sequence[Ranking], seed: int = 0) -> Ranking:
    """Return the mean ranking over worlds (see :func:`pool_estimates`)."""
    curves = [r.curve for r in rankings if r.curve]
    return Ranking(
        pool_estimates([r.average_precision for r in rankings], seed),
        pool_estimates([r.roc_auc for r in rankings], seed),
        tuple(
            (p, pool_estimates([r.at_prevalence[n][1] for r in rankings], seed))
            for n, p in enumerate(PREVALENCES)
        ),
        tuple(float(mean) for mean in np.mean(curves, axis=0)) if curves else (),
    )


def _ordered(accounts: pd.DataFrame) -> _Order:
    rows = accounts.iloc[np.argsort(-accounts["score"].to_numpy(float), kind="stable")]
    score, guilty = rows["score"].to_numpy(float), rows["ring"].notna().to_numpy()
    ends = np.flatnonzero(np.append(score[1:] != score[:-1], True)).astype(np.int64)
    alone = pd.Series(np.arange(len(rows)).astype(str), index=rows.index)
    group = rows["group"].astype("str").where(rows["group"].notna(), alone)
    unit = (rows["population"].astype("str") + "\0" + group).where(~guilty)
    return _Order(guilty, ends, _codes(rows["ring"]), _codes(unit))


def _codes(names: pd.Series[str]) -> _Ints:
    return np.asarray(pd.factorize(names, use_na_sentinel=True)[0], dtype=np.int64)


def _resampled(order: _Order, rng: np.random.Generator) -> _Floats:
    """Return how often each account is drawn; shape: (n,)."""
    return np.where(order.guilty, _drawn(order.rings, rng), _drawn(order.groups, rng)).astype(float)


def _drawn(units: _Ints, rng: np.random.Generator) -> _Ints:
    count = int(units.max()) + 1
    times: _Ints = np.bincount(rng.integers(0, count, count), minlength=count)
    return times[units]


def _counts(order: _Order, weights: _Floats) -> tuple[_Floats, _Floats]:
    """Return true and false positives at each threshold; shapes: (t,), (t,)."""
    true = np.cumsum(weights * order.guilty)[order.ends]
    return true, np.cumsum(weights)[order.ends] - true


def _figures(order: _Order, weights: _Floats) -> list[float]:
    """Return average precision, ROC-AUC, and average precision at each prevalence."""
    true, false = _counts(order, weights)
    scales = [true[-1] * (1 - p) / (p * false[-1]) for p in PREVALENCES]
    return [
        _average_precision(true, false),
        _roc_auc(true, false),
        *(_average_precision(true, false * scale) for scale in scales),
    ]


def _average_precision(true: _Floats, false: _Floats) -> float:
    gain = np.diff(true, prepend=0.0)
    with np.errstate(invalid="ignore"):
        precision = np.where(true > 0, true / (true + false), 0.0)
    return float(np.sum(gain * precision) / true[-1])


def _roc_auc(true: _Floats, false: _Floats) -> float:
    before = np.append(0.0, true[:-1])
    return float(np.sum(np.diff(false, prepend=0.0) * (true + before) / 2) / (true[-1] * false[-1]))


def _at_recalls(order: _Order) -> tuple[float, ...]:
    true, false = _counts(order, np.ones(len(order.guilty)))
    first = np.searchsorted(true / true[-1], np.array(RECALLS) - 1e-12)
    return tuple(float(p) for p in (true / (true + false))[first])
