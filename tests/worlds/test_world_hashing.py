"""Draws are uniform, independent of order, and ids are made from nothing but them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ringfence.worlds.hashing import Draw, join

DRAW = Draw(5)
MANY = np.arange(200_000)
SIGNIFICANT = 1e-4

wholes = st.lists(st.integers(0, 2**62), min_size=1, max_size=30)


@pytest.mark.parametrize("salt", [0, 1, 51, 2**20])
def test_uniform_over_consecutive_numbers(salt: int) -> None:
    drawn = DRAW.uniform(MANY, salt)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.bincount((drawn * 100).astype(int), minlength=100)
    assert stats.chisquare(counts).pvalue > SIGNIFICANT


@pytest.mark.parametrize("bit", [0, 1, 20, 40, 63])
def test_one_changed_bit_changes_half_of_the_key(bit: int) -> None:
    keys = np.arange(4000, dtype=np.uint64)
    changed = DRAW.keys(keys, 3) ^ DRAW.keys(keys ^ np.uint64(1 << bit), 3)
    ones = np.bitwise_count(changed).mean()
    assert ones == pytest.approx(32, abs=0.5)


def test_draws_of_salts_seeds_and_neighbours_have_nothing_to_do_with_each_other() -> None:
    first = DRAW.uniform(MANY, 7)
    others = {
        "salt": DRAW.uniform(MANY, 8),
        "seed": Draw(6).uniform(MANY, 7),
        "neighbour": DRAW.uniform(MANY + 1, 7),
    }
    for name, other in others.items():
        table = np.histogram2d(first, other, bins=12)[0]
        assert stats.chi2_contingency(table).pvalue > SIGNIFICANT, name


def test_below_is_uniform_and_within_its_bounds() -> None:
    bounds = 1 + MANY % 7
    drawn = DRAW.below(MANY, 9, bounds)
    for bound in range(1, 8):
        mine = drawn[bounds == bound]
        counts = np.bincount(mine)
        assert len(counts) == bound
        assert bound == 1 or stats.chisquare(counts).pvalue > SIGNIFICANT


def test_lognormal_is_normal_in_its_logarithm() -> None:
    logs = np.log(DRAW.lognormal(MANY, 10, 2.0, 0.5))
    assert stats.kstest(logs, "norm", args=(2.0, 0.5)).pvalue > SIGNIFICANT


@given(wholes, st.integers(0, 400), st.randoms(use_true_random=False))
def test_what_is_drawn_depends_on_no_order_and_no_company(
    values: list[int], salt: int, random: object
) -> None:
    alone = {value: float(DRAW.uniform([value], salt)[0]) for value in values}
    mixed = values[:]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert DRAW.uniform(mixed, salt).tolist() == [alone[value] for value in mixed]


@given(wholes, st.sampled_from([2, 6, 10, 12, 14, 16]))
def test_names_are_the_prefix_and_so_many_hex_digits(values: list[int], digits: int) -> None:
    names = DRAW.names("acct_", np.array(values), 51, digits).to_pylist()
    assert all(re.fullmatch(f"acct_[0-9a-f]{{{digits}}}", name) for name in names)
    short = DRAW.names("", np.array(values), 51, digits).to_pylist()
    assert [f"acct_{name}" for name in short] == names


def test_names_are_unique_use_every_digit_and_none_is_a_name_of_nobody() -> None:
    names = DRAW.names("", MANY, 51).to_pylist()
    assert len(set(names)) == len(MANY)
    for place in (0, 7, 15):
        counts = np.bincount([int(name[place], 16) for name in names], minlength=16)
        assert stats.chisquare(counts).pvalue > SIGNIFICANT
    assert DRAW.names("acct_", MANY[:0], 51).to_pylist() == []


@given(st.integers(0, 2**39), st.integers(0, 2**24 - 1))
def test_a_joined_key_tells_both_parts(high: int, low: int) -> None:
    key = int(join([high], [low])[0])
    assert divmod(key, 2**24) == (high, low)
