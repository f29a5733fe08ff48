"""A probability is told only where labels carry it, and measured on what it was not fitted on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from ringfence.config import DecisionSettings
from ringfence.gnn.calibrate import RIDGE, Platt, fit_platt, reliability, shortage, sigmoid


def told_by_nature(accounts: int, slope: float, intercept: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, accounts)
    return logits, (rng.random(accounts) < sigmoid(slope * logits + intercept)).astype(np.int8)


class TestFit:
    def test_recovers_the_truth(self) -> None:
        fitted = fit_platt(*told_by_nature(20_000, 0.7, -2.0, 5))

        assert fitted.slope == pytest.approx(0.7, abs=0.05)
        assert fitted.intercept == pytest.approx(-2.0, abs=0.1)

    def test_agrees_with_logistic_regression_on_smoothed_targets(self) -> None:
        logits, labels = told_by_nature(300, 1.5, -1.0, 6)
        rings, benign = (labels == 1).sum(), (labels == 0).sum()
        target = np.where(labels == 1, (rings + 1) / (rings + 2), 1 / (benign + 2))
        # A soft target t is a row of weight t labelled 1 and a row of weight 1 - t labelled 0.
        oracle = LogisticRegression(C=1 / RIDGE, tol=1e-10, max_iter=1000).fit(
            np.tile(logits, 2)[:, None],
            np.repeat([1, 0], len(logits)),
            sample_weight=np.concatenate([target, 1 - target]),
        )
        fitted = fit_platt(logits, labels)

        assert fitted.slope == pytest.approx(oracle.coef_[0, 0], rel=1e-4)
        assert fitted.intercept == pytest.approx(oracle.intercept_[0], rel=1e-4)

    def test_perfect_separation_stays_short_of_certainty(self) -> None:
        logits, labels = np.array([-1.0] * 30 + [1.0] * 30), np.repeat([0, 1], 30).astype(np.int8)
        told = fit_platt(logits, labels)(logits)

        assert told[0] == pytest.approx(1 / 32, abs=1e-3)
        assert told[-1] == pytest.approx(31 / 32, abs=1e-3)

    @pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
    def test_logits_of_any_scale(self, scale: float) -> None:
        logits, labels = told_by_nature(500, 1.0, 0.0, 7)

        assert np.abs(fit_platt(logits * scale, labels)(logits * scale).mean() - labels.mean()) < 0.01

    def test_where_the_last_digits_never_settle_the_search_ends_all_the_same(self) -> None:
        logits = np.random.default_rng(1).normal(size=12) + 1e6
        told = fit_platt(logits, np.repeat([0, 1], 6).astype(np.int8))(logits)

        assert ((told > 0) & (told < 1)).all()

    def test_logits_that_say_nothing_give_the_base_rate(self) -> None:
        labels = np.repeat([0, 1], [900, 100]).astype(np.int8)
        told = fit_platt(np.zeros(1000), labels)(np.zeros(1000))

        assert told == pytest.approx(0.1, abs=0.002)

    def test_logits_that_rank_backwards_give_a_negative_slope(self) -> None:
        logits, labels = told_by_nature(500, -1.0, 0.0, 8)

        assert fit_platt(logits, labels).slope < 0

    @given(st.floats(-1e6, 1e6), st.floats(-10, 10), st.floats(-10, 10))
    def test_always_a_probability(self, logit: float, slope: float, intercept: float) -> None:
        (told,) = Platt(slope, intercept)(np.array([logit]))

        assert 0 <= told <= 1

    @given(st.lists(st.floats(-50, 50), min_size=4, max_size=30), st.integers(0, 2**32))
    def test_always_finite(self, logits: list[float], seed: int) -> None:
        labels = np.random.default_rng(seed).integers(0, 2, len(logits)).astype(np.int8)
        labels[:2] = 0, 1
        fitted = fit_platt(np.array(logits), labels)

        assert np.isfinite([fitted.slope, fitted.intercept]).all()


class TestReliability:
    def test_true_probabilities_are_reliable(self) -> None:
        logits, labels = told_by_nature(5_000, 1.0, -1.0, 9)
        found = reliability(logits, labels, np.arange(5_000) % 5)

        assert found.ece < 0.03
        assert found.accounts == 5_000
        assert found.brier == pytest.approx(np.mean((sigmoid(logits - 1) - labels) ** 2), abs=0.003)

    def test_each_fold_is_told_by_the_others(self) -> None:
        # Within each fold logits separate perfectly, but the folds point in opposite directions: fitted on
        # what it is measured on, the figure would be that of a coin; held out, it is worse than one.
        labels = np.tile([0, 1], 100).astype(np.int8)
        folds = np.repeat([0, 1], 100)
        logits = np.where(folds == 0, 1, -1) * np.where(labels == 1, 1.0, -1.0)

        assert reliability(logits, labels, folds).brier > 0.9

    def test_fewer_accounts_than_bins(self) -> None:
        found = reliability(
            np.array([-1.0, 1, -1, 1]), np.array([0, 1, 0, 1], np.int8), np.array([0, 0, 1, 1])
        )

        assert found.accounts == 4
        assert 0 <= found.ece <= 1


def labels_of(rings: int, benign: int, unknown: int = 3) -> np.ndarray:
    return np.repeat([1, 0, -1], [rings, benign, unknown]).astype(np.int8)


class TestShortage:
    @pytest.mark.parametrize(
        ("rings", "benign", "said"),
        [
            (0, 0, "No account is labelled"),
            (25, 0, "All 25 labelled accounts have one label"),
            (0, 25, "All 25 labelled accounts have one label"),
            (19, 500, "Too few labelled accounts (19 ring, 500 benign)"),
            (500, 19, "Too few labelled accounts (500 ring, 19 benign)"),
        ],
    )
    def test_too_few_labels(self, rings: int, benign: int, said: str) -> None:
        labels = labels_of(rings, benign)
        found = shortage(labels, np.arange(len(labels)), DecisionSettings())

        assert found is not None
        assert said in found

    def test_enough(self) -> None:
        labels = labels_of(20, 20)

        assert shortage(labels, np.arange(len(labels)), DecisionSettings()) is None

    def test_all_ring_labels_in_one_component(self) -> None:
        labels = labels_of(20, 20)
        component = np.where(labels == 1, 0, np.arange(len(labels)))
        found = shortage(labels, component, DecisionSettings(least_labelled_rings=1))

        assert found is not None
        assert "1 separate component" in found

    def test_settings_can_ask_for_more_rings(self) -> None:
        labels = labels_of(20, 20)
        component = np.where(labels == 1, np.arange(len(labels)) % 3, np.arange(len(labels)))

        assert shortage(labels, component, DecisionSettings(least_labelled_rings=3)) is None
        assert shortage(labels, component, DecisionSettings(least_labelled_rings=4)) is not None

    def test_all_benign_labels_in_one_component(self) -> None:
        labels = labels_of(20, 20)
        component = np.where(labels == 0, 0, np.arange(len(labels)))
        found = shortage(labels, component, DecisionSettings())

        assert found is not None
        assert "benign are linked with each other" in found
