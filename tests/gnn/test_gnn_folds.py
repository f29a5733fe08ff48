"""What is held out is linked to nothing that was learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gnn.folds import components_with, grouped_folds


@st.composite
def labelled_components(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    accounts = draw(st.integers(1, 60))
    labels = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=accounts, max_size=accounts))
    component = draw(st.lists(st.integers(0, 15), min_size=accounts, max_size=accounts))
    return np.array(labels, np.int8), np.array(component, np.int64)


@given(labelled_components(), st.integers(2, 5), st.integers(0, 2**32))
def test_no_component_is_in_two_folds(world: tuple[np.ndarray, np.ndarray], folds: int, seed: int) -> None:
    labels, component = world
    dealt = grouped_folds(labels, component, folds, seed)

    assert ((dealt >= 0) == (labels >= 0)).all()
    assert dealt.max(initial=-1) < folds
    for name in np.unique(component):
        assert len(np.unique(dealt[(component == name) & (labels >= 0)])) <= 1


@given(labelled_components(), st.integers(2, 5), st.integers(0, 2**32))
def test_every_fold_has_a_ring_label_where_enough_components_have_one(
    world: tuple[np.ndarray, np.ndarray], folds: int, seed: int
) -> None:
    labels, component = world
    dealt = grouped_folds(labels, component, folds, seed)
    expected = min(folds, components_with(labels, component, 1))

    assert len(np.unique(dealt[labels == 1])) == expected


@given(labelled_components(), st.integers(0, 2**32))
def test_a_seed_names_one_dealing(world: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    assert (grouped_folds(*world, 3, seed) == grouped_folds(*world, 3, seed)).all()


def test_another_seed_deals_otherwise() -> None:
    labels, component = np.tile([0, 1], 50).astype(np.int8), np.arange(100)

    assert (grouped_folds(labels, component, 5, 1) != grouped_folds(labels, component, 5, 2)).any()


@pytest.mark.parametrize("label", [0, 1])
def test_labels_are_spread_evenly(label: int) -> None:
    labels, component = np.repeat([0, 1], [900, 100]).astype(np.int8), np.arange(1000)
    dealt = grouped_folds(labels, component, 5, 3)

    assert np.ptp(np.bincount(dealt[labels == label])) <= 1
