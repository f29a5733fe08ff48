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
class _Slots:
    """Accounts by where they stand among the t scores that ring accounts have, from the highest down.

    Only these scores are thresholds at which recall changes. Slot 2k + 1 holds who scores just as the k-th,
    slot 2k who stands above it and below the one before.
    """

    count: int
    """t"""
    rings: _Ints
    """Ring of each ring account; shape: (r,)."""
    places: _Ints
    """Which of the t scores it has; shape: (r,)."""
    alone: _Ints
    """Innocents without a group in each slot; shape: (2t + 1,)."""
    groups: _Ints
    """Group of each innocent that has one; shape: (g,)."""
    slots: _Ints
    """The slot of that innocent; shape: (g,)."""


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
    guilty = accounts["ring"].notna()
    if guilty.all() or not guilty.any():
        none = Estimate(math.nan, ())
        return Ranking(none, none, tuple((p, none) for p in PREVALENCES), ())
    slots = _slotted(accounts[guilty], accounts[~guilty])
    true, false = _counts(slots)
    value = _figures(true, false)
    rng = np.random.default_rng(seed)
    drawn = np.array([_figures(*_resampled(slots, rng)) for _ in range(replicates)])
    drawn = drawn.reshape(replicates, len(value))
    estimates = [Estimate(value[n], tuple(drawn[:, n].tolist())) for n in range(len(value))]
    return Ranking(
        estimates[0],
        estimates[1],
        tuple(zip(PREVALENCES, estimates[2:], strict=True)),
        _at_recalls(true, false),
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


def _slotted(rings: pd.DataFrame, innocent: pd.DataFrame) -> _Slots:
    scores, places = np.unique(rings["score"].to_numpy(float), return_inverse=True)
    last = len(scores) - 1
    stands = innocent["score"].to_numpy(float)
    ranks = np.searchsorted(scores, stands, "left") + np.searchsorted(scores, stands, "right")
    slots = 2 * len(scores) - ranks
    grouped = innocent["group"].notna().to_numpy()
    kept = innocent[grouped]
    # One name in two populations is two groups.
    unit = kept["population"].astype("str") + "\0" + kept["group"].astype("str")
    return _Slots(
        len(scores),
        _codes(rings["ring"]),
        last - places,
        np.bincount(slots[~grouped], minlength=2 * len(scores) + 1),
        _codes(unit),
        slots[grouped],
    )


def _codes(names: pd.Series[str]) -> _Ints:
    return np.asarray(pd.factorize(names)[0], dtype=np.int64)


def _counts(slots: _Slots) -> tuple[_Floats, _Floats]:
    """Return ring accounts with each score, and innocents in each slot; shapes: (t,), (2t + 1,)."""
    held = np.bincount(slots.places, minlength=slots.count).astype(float)
    return held, (slots.alone + np.bincount(slots.slots, minlength=len(slots.alone))).astype(float)


def _resampled(slots: _Slots, rng: np.random.Generator) -> tuple[_Floats, _Floats]:
    """Return the same of a resample in which whole rings and groups are drawn.

    Innocents of one slot and without a group are alike: how often any of them is drawn is one draw.
    """
    rings = _drawn(np.ones(int(slots.rings.max()) + 1, dtype=np.int64), rng)
    groups = np.ones(int(slots.groups.max(initial=-1)) + 1, dtype=np.int64)
    times = _drawn(np.append(slots.alone, groups), rng)
    alone, often = times[: len(slots.alone)], times[len(slots.alone) :]
    return (
        np.bincount(slots.places, rings[slots.rings], slots.count).astype(float),
        alone + np.bincount(slots.slots, often[slots.groups], len(slots.alone)),
    )


def _drawn(sizes: _Ints, rng: np.random.Generator) -> _Floats:
    """Draw as many units as there are, with replacement; return how many of each kind, shape (kinds,)."""
    total = int(sizes.sum())
    return rng.multinomial(total, sizes / total).astype(float)


def _figures(true: _Floats, false: _Floats) -> list[float]:
    """Return average precision, ROC-AUC, and average precision at each prevalence.

    Args:
        true: Ring accounts with each score; shape (t,).
        false: Innocents in each slot; shape (2t + 1,).
    """
    rings, innocents = true.sum(), false.sum()
    hits, above = np.cumsum(true), np.cumsum(false)
    # Innocents that score as high as each threshold, and those that score higher.
    level, higher = above[1::2], above[:-1:2]
    scales = (1.0, *(rings * (1 - p) / (p * innocents) for p in PREVALENCES))
    average = [float(np.sum(true * _precision(hits, level * scale)) / rings) for scale in scales]
    beaten = float(np.sum(true * (innocents - (level + higher) / 2)) / (rings * innocents))
    return [average[0], beaten, *average[1:]]


def _precision(hits: _Floats, misses: _Floats) -> _Floats:
    # Where the highest scores were not drawn, nothing is named yet.
    return hits / np.maximum(hits + misses, np.finfo(float).tiny)


def _at_recalls(true: _Floats, false: _Floats) -> tuple[float, ...]:
    hits, level = np.cumsum(true), np.cumsum(false)[1::2]
    first = np.searchsorted(hits / hits[-1], np.array(RECALLS) - 1e-12)
    return tuple(float(p) for p in _precision(hits, level)[first])
