"""False accusations, bystanders, fairness and calibration, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from score_samples import answer, large_world, truth_of
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from ringfence.worlds.score import score
from ringfence.worlds.score.calibration import reliability
from ringfence.worlds.score.innocents import Accused, Fairness
from ringfence.worlds.score.intervals import Share


def test_every_population_is_listed_with_its_rates() -> None:
    truth = truth_of(
        [("r", "ring", "A"), ("x0", "family", None), ("x1", "family", None), ("y0", "cafe", None)]
    )
    card = score(answer(truth, {"c": ("ring", ["r", "x0"]), "d": ("review", ["x1"])}), truth)
    assert [(p.name, p.ring.hits, p.review.hits, p.ring.of) for p in card.populations] == [
        ("cafe", 0, 0, 1),
        ("family", 1, 2, 2),
    ]
    assert (card.innocents.ring, card.innocents.review) == (Share(1, 3), Share(2, 3))
    assert card.innocents.too_small


def test_a_sample_of_four_thousand_is_enough() -> None:
    assert not Accused("p", Share(0, 4000), Share(0, 4000)).too_small
    assert Accused("p", Share(0, 3999), Share(0, 3999)).too_small


@pytest.mark.parametrize(
    ("accused", "of", "claimed"),
    [(0, 3838, True), (0, 3837, False), (1, 4000, False), (40, 100_000, True), (90, 100_000, False)],
)
def test_a_low_rate_is_claimed_where_the_interval_ends_below_it(accused: int, of: int, claimed: bool) -> None:
    share = Share(accused, of)
    assert Accused("p", share, share).claimed == claimed
    assert claimed == (binomtest(accused, of).proportion_ci(0.95, method="wilson").high <= 0.001)


def test_only_networks_that_rings_go_through_are_blended() -> None:
    rows = [("r0", "ring", "A"), ("r1", "ring", "A"), ("v0", "victim", None), ("v1", "victim", None),
            ("w", "vpn", None), ("b", "customer", None), ("x", "family", None),
            ("q", "victim", None)]  # fmt: skip
    truth = truth_of(
        rows, network=["n", None, "n", "n", "other", None, None, "quiet"],
        role=["core", "member", "bystander", None, None, "bystander", None, "bystander"],
    )  # fmt: skip
    found = score(answer(truth, {"c": ("ring", ["r0", "r1", "v0", "w"]), "d": ("review", ["b", "x"])}), truth)
    assert found.bystanders.spared_ring == Share(2, 3)
    assert found.bystanders.spared_review == Share(1, 3)
    assert found.bystanders.named_ring == Share(1, 1)


def test_rates_by_country_and_the_largest_gap() -> None:
    rows = [(f"x{n}", "family", None) for n in range(310)]
    countries = ["AA"] * 150 + ["BB"] * 150 + [None] * 10
    truth = truth_of(rows, country=countries)
    named = [f"x{n}" for n in range(30)] + [f"x{n}" for n in range(300, 310)]
    country, language = score(answer(truth, {"c": ("ring", named)}), truth).fairness
    assert [(g.name, g.ring.hits) for g in country.groups] == [("AA", 30), ("BB", 0), ("unknown", 10)]
    gap = country.gap("ring")
    assert gap is not None
    assert (gap.highest, gap.lowest, gap.difference, gap.apart) == ("AA", "BB", 0.2, True)
    assert language.gap("ring") is None
    assert country.as_json()["largest_gap"]["ring"]["intervals_apart"] is True


def test_overlapping_intervals_are_not_apart() -> None:
    groups = (Accused("AA", Share(2, 200), Share(2, 200)), Accused("BB", Share(1, 200), Share(1, 200)))
    gap = Fairness("country", groups).gap("review")
    assert gap is not None
    assert not gap.apart


def test_reliability_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    p = pd.Series(np.append(rng.random(500), [0.0, 1.0]))
    came = pd.Series(rng.random(502) < p**2)
    got = reliability(p, came)
    assert got is not None
    true, mean = calibration_curve(came, p, n_bins=10)
    assert [b.true.value for b in got.bins] == pytest.approx(true.tolist())
    assert [b.mean for b in got.bins] == pytest.approx(mean.tolist())
    assert got.brier == pytest.approx(brier_score_loss(came, p))
    weights = np.array([b.true.of for b in got.bins]) / 502
    assert got.ece == pytest.approx(float(np.sum(weights * np.abs(true - mean))))


def test_nothing_calibrated_is_none() -> None:
    truth = truth_of([("r", "ring", "A"), ("x", "family", None)])
    assert score(answer(truth, {"c": ("review", ["r"])}, scores={"r": 0.9}), truth).calibration is None


def test_scores_beyond_one_are_no_probabilities() -> None:
    truth = truth_of([("r", "ring", "A"), ("x", "family", None)])
    clusters = {"c": ("review", ["r"])}
    said = score(answer(truth, clusters, scores={"r": 7.0}, probability={"c": 0.8}), truth).calibration
    assert said is not None
    assert said.accounts is None
    assert said.clusters is not None
    assert said.clusters.brier == pytest.approx(0.04)


def test_account_precision_and_recall() -> None:
    truth, findings = large_world(1)
    card = score(findings, truth)
    joined = truth.accounts.merge(findings.accounts, on="account_id").merge(findings.clusters, on="cluster")
    flagged = joined[joined["decision"] != "benign"]
    assert card.accounts.review.precision == Share(int(flagged["ring"].notna().sum()), len(flagged))
    assert card.accounts.review.recall == Share(
        int(flagged["ring"].notna().sum()), int(truth.accounts["ring"].notna().sum())
    )
