"""Inputs of models: what scaling keeps, what a missing value becomes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ringfence.errors import ModelError
from ringfence.gnn.features import (
    STEPS,
    check_features,
    degrees,
    log_scale,
    node_inputs,
    normalise,
    rank_scale,
    step_scale,
)
from ringfence.snapshot import Snapshot

columns = arrays(
    np.float32,
    st.tuples(st.integers(1, 30), st.just(1)),
    elements=st.one_of(st.floats(0, 2**60, width=32), st.just(float("nan"))),
)


@pytest.mark.parametrize("scale", [log_scale, rank_scale])
@given(values=columns)
def test_scaling_keeps_the_order_and_centres_the_missing(scale, values: np.ndarray) -> None:
    scaled = scale(values)[:, 0]
    known = ~np.isnan(values[:, 0])
    order = np.argsort(values[known, 0])

    assert np.isfinite(scaled).all()
    assert (np.diff(scaled[known][order]) >= 0).all()
    assert (scaled[~known] == 0).all()


@given(values=columns)
def test_steps_lie_between_0_and_1_and_their_sum_keeps_the_order(values: np.ndarray) -> None:
    steps = step_scale(values)
    known = ~np.isnan(values[:, 0])
    order = np.argsort(values[known, 0])

    assert steps.shape[1] <= STEPS
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (np.diff(steps[known].sum(axis=1)[order]) >= -1e-4).all()
    assert (steps[~known] == 0).all()


def test_ranks_of_equals_are_equal_and_centred() -> None:
    ranks = rank_scale(np.array([[0.0], [5], [5], [9]], np.float32))[:, 0]

    assert ranks == pytest.approx([-0.75, 0.0, 0.0, 0.75])


def test_logs_are_standardised() -> None:
    values = np.random.default_rng(1).lognormal(3, 2, (1000, 1)).astype(np.float32)
    scaled = log_scale(values)

    assert scaled.mean() == pytest.approx(0, abs=1e-5)
    assert scaled.std() == pytest.approx(1, abs=1e-4)


def test_only_columns_with_gaps_get_an_indicator() -> None:
    whole = np.arange(4, dtype=np.float32)
    gapped = np.array([1, np.nan, 2, np.nan], np.float32)
    values = np.column_stack([whole, gapped])
    scaled = np.hstack([log_scale(values), rank_scale(values), step_scale(values)])
    inputs = normalise(values)

    assert (inputs[:, :-1] == scaled).all()
    assert inputs[:, -1].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("fill", [0.0, 7.0, np.nan])
def test_a_constant_column_says_nothing(fill: float) -> None:
    scaled = np.hstack(
        [log_scale(np.full((5, 1), fill, np.float32)), rank_scale(np.full((5, 1), fill, np.float32))]
    )

    assert (scaled == 0).all()


def test_degrees_count_both_ends(planted: Callable[..., Snapshot]) -> None:
    snapshot = planted(rings=2, singles=8)
    counted = np.expm1(degrees(snapshot, "account"))

    # In the order of the relations' names: links out and in, card, transfers out and in, device.
    assert counted.shape == (snapshot.accounts, 6)
    assert counted[:, 2] == pytest.approx(1)
    assert (counted[:12, 0] + counted[:12, 1]) == pytest.approx(5)


def test_labels_change_no_input(planted: Callable[..., Snapshot]) -> None:
    snapshot = planted()
    unlabelled = replace(snapshot, labels=np.full_like(snapshot.labels, -1))

    for node, values in node_inputs(snapshot).items():
        assert (values == node_inputs(unlabelled)[node]).all()


class TestRefusals:
    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinite_values_name_the_feature(self, planted: Callable[..., Snapshot], value: float) -> None:
        snapshot = planted()
        snapshot.features["account"][3, 1] = value

        with pytest.raises(ModelError, match="'hour_entropy'"):
            check_features(snapshot)

    def test_rows_that_are_not_the_accounts(self, planted: Callable[..., Snapshot]) -> None:
        with pytest.raises(ModelError, match="labels of 1"):
            check_features(replace(planted(), labels=np.zeros(1, np.int8)))

    def test_no_accounts_at_all(self, planted: Callable[..., Snapshot]) -> None:
        with pytest.raises(ModelError, match="no node type 'account'"):
            check_features(replace(planted(), features={}))
