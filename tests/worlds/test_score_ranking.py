"""Ranking figures against scikit-learn and against a resampling written out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from ringfence.worlds.score.ranking import PREVALENCES, RECALLS, rank


def frame(scores: list[float], guilty: list[bool], groups: list[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "score": scores,
            "ring": ["r" if g else None for g in guilty],
            "population": "p",
            "group": groups or [None] * len(scores),
        }
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_figures_are_those_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    scores, guilty = [s / 6 for s, _ in rows], [g for _, g in rows]
    ranking = rank(frame(scores, guilty), replicates=0)
    if all(guilty) or not any(guilty):
        assert math.isnan(ranking.average_precision.value)
        return
    assert ranking.average_precision.value == pytest.approx(average_precision_score(guilty, scores))
    assert ranking.roc_auc.value == pytest.approx(roc_auc_score(guilty, scores))
    for p, estimate in ranking.at_prevalence:
        innocents = len(guilty) - sum(guilty)
        weight = [1.0 if g else sum(guilty) * (1 - p) / (p * innocents) for g in guilty]
        expected = average_precision_score(guilty, scores, sample_weight=weight)
        assert estimate.value == pytest.approx(expected)


def test_precision_at_a_recall_is_that_of_the_first_threshold_that_reaches_it() -> None:
    rng = np.random.default_rng(3)
    guilty = rng.random(400) < 0.2
    scores = np.round(rng.normal(guilty * 1.0, 1.0), 1)
    curve = rank(frame(scores.tolist(), guilty.tolist()), replicates=0).curve
    precision, recall, _ = precision_recall_curve(guilty, scores)
    for wanted, got in zip(RECALLS, curve, strict=True):
        assert got == pytest.approx(precision[np.flatnonzero(recall >= wanted - 1e-12)[-1]])


def test_whole_groups_are_drawn() -> None:
    """One ring and one group: every resample is the sample itself, so there is no spread."""
    scores = [0.9, 0.2, 0.5, 0.1]
    ranking = rank(frame(scores, [True, True, False, False], [None, None, "g", "g"]), replicates=20)
    assert set(ranking.average_precision.replicates) == {ranking.average_precision.value}
    apart = rank(frame(scores, [True, True, False, False]), replicates=200)
    assert len(set(apart.average_precision.replicates)) > 1


def test_groups_of_one_name_in_two_populations_are_two() -> None:
    table = frame([0.9, 0.2, 0.5, 0.1], [True, True, False, False], [None, None, "g", "g"])
    table["population"] = ["p", "p", "p", "q"]
    assert len(set(rank(table, replicates=200).average_precision.replicates)) > 1


def test_the_interval_is_that_of_drawing_rings_by_hand() -> None:
    rng = np.random.default_rng(5)
    ring = np.repeat([f"r{n}" for n in range(8)], 12)
    guilty_scores = rng.normal(np.repeat(rng.normal(1.5, 1, 8), 12), 0.3)
    innocent_scores = rng.normal(0, 1, 400)
    table = pd.DataFrame(
        {
            "score": np.append(guilty_scores, innocent_scores),
            "ring": [*ring, *[None] * 400],
            "population": "p",
            "group": None,
        }
    )
    got = rank(table, replicates=800).average_precision
    by_hand = []
    for _ in range(800):
        chosen = np.concatenate([guilty_scores[ring == f"r{n}"] for n in rng.integers(0, 8, 8)])
        drawn = np.append(chosen, rng.choice(innocent_scores, 400))
        by_hand.append(average_precision_score(np.arange(len(drawn)) < len(chosen), drawn))
    assert (got.low, got.high) == pytest.approx(tuple(np.percentile(by_hand, [2.5, 97.5])), abs=0.03)


def test_rarer_rings_are_harder() -> None:
    rng = np.random.default_rng(1)
    guilty = rng.random(500) < 0.3
    ranking = rank(frame(rng.normal(guilty * 1.5, 1).tolist(), guilty.tolist()), replicates=5)
    values = [estimate.value for _, estimate in ranking.at_prevalence]
    assert [p for p, _ in ranking.at_prevalence] == list(PREVALENCES)
    assert values == sorted(values)
    assert values[-1] < ranking.average_precision.value
    assert rank(frame([0.1, 0.2], [True, False]), seed=4) == rank(frame([0.1, 0.2], [True, False]), seed=4)
