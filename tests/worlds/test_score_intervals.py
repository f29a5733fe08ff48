"""Intervals against closed forms and published values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from ringfence.worlds.score.intervals import Z95, Z975, Estimate, Rates, Share, pool_estimates, wilson


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_scipy(counts: tuple[int, int]) -> None:
    expected = binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson(*counts) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_none_of_four_thousand_ends_below_a_thousandth() -> None:
    assert wilson(0, 4000)[1] < 0.001 < wilson(0, 3000)[1]


def test_the_quantiles_are_those_of_the_normal_distribution() -> None:
    assert pytest.approx((norm.ppf(0.975), norm.ppf(0.9875))) == (Z95, Z975)


def test_nothing_counted_is_no_figure() -> None:
    share = Share(0, 0)
    assert math.isnan(share.value)
    assert (share.low, share.high) == (0.0, 1.0)
    assert share.as_json()["share"] is None


def test_f1_and_its_interval() -> None:
    rates = Rates(Share(3, 4), Share(3, 6))
    assert rates.f1 == pytest.approx(0.6)
    assert rates.f1_low < 0.6 < rates.f1_high
    assert Rates(Share(0, 0), Share(0, 3)).f1 == 0.0
    assert math.isnan(Rates(Share(0, 0), Share(0, 0)).f1)


def test_pooling_one_world_changes_nothing_and_worlds_without_rings_are_left_out() -> None:
    one = Estimate(0.5, (0.4, 0.5, 0.6))
    assert pool_estimates([one, Estimate(math.nan, ())]) == one
    assert math.isnan(pool_estimates([]).value)


def test_pooled_estimates_are_means_and_spread_as_worlds_do() -> None:
    rng = np.random.default_rng(0)
    worlds = [Estimate(v, tuple(rng.normal(v, 0.01, 400))) for v in (0.5, 0.7, 0.9)]
    pooled = pool_estimates(worlds)
    assert pooled.value == pytest.approx(0.7)
    assert 0.5 <= pooled.low < 0.6
    assert 0.8 < pooled.high <= 0.91
