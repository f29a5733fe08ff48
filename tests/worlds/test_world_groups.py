"""Sizes add up and keep their bounds; handfuls and pools give everybody what the kind says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.worlds.groups import SHARED_FROM, Pools, deal, group_sizes, share
from ringfence.worlds.kinds import Shared

seeds = st.integers(0, 2**32)
bounds = st.tuples(st.integers(1, 60), st.integers(0, 200)).map(lambda pair: (pair[0], sum(pair)))
some_groups = st.lists(st.integers(1, 120), min_size=1, max_size=12).map(np.array)


@given(seeds, st.integers(0, 5000), bounds)
def test_sizes_add_up_and_keep_their_bounds(seed: int, accounts: int, size: tuple[int, int]) -> None:
    sizes = group_sizes(np.random.default_rng(seed), accounts, size)
    least, most = size
    assert sizes.sum() == accounts
    assert (sizes >= min(least, accounts)).all()
    # What is left over and too small for a group of its own joins the last one.
    assert (sizes[:-1] <= most).all()
    assert (sizes < most + least).all()


@given(seeds, bounds, st.integers(1, 40))
def test_a_population_is_at_least_six_groups_where_it_can_be(
    seed: int, size: tuple[int, int], times: int
) -> None:
    accounts = size[0] * (7 + times)
    sizes = group_sizes(np.random.default_rng(seed), accounts, size)
    assert len(sizes) >= 6


def test_sizes_are_log_uniform() -> None:
    sizes = group_sizes(np.random.default_rng(1), 400_000, (4, 399))
    steps = np.histogram(np.log(sizes + 0.5), bins=np.log([4, 12.65, 40, 126.5, 400]))[0] / len(sizes)
    assert steps == pytest.approx([0.25] * 4, abs=0.03)


@given(seeds, some_groups, st.tuples(st.integers(1, 20), st.integers(0, 20)))
def test_handfuls_lie_in_one_group_and_are_not_too_small(
    seed: int, sizes: np.ndarray, cell: tuple[int, int]
) -> None:
    least, most = cell[0], sum(cell)
    handful, count = deal(np.random.default_rng(seed), sizes, (least, most))
    group = np.repeat(np.arange(len(sizes)), sizes)
    pairs = {(int(g), int(h)) for g, h in zip(group, handful, strict=True)}
    assert len(pairs) == count
    assert sorted(h for _, h in pairs) == list(range(count))
    members = np.bincount(handful, minlength=count)
    of_group = {h: g for g, h in pairs}
    for number, held in enumerate(members):
        assert held >= min(least, sizes[of_group[number]])
        # What is left over joins the others: at worst one handful takes all of it.
        assert held < 2 * most


def test_handfuls_of_a_large_group_are_of_the_sizes_wanted() -> None:
    rng = np.random.default_rng(2)
    sizes = np.full(300, 1000)
    handful, count = deal(rng, sizes, (4, 9))
    members = np.bincount(handful, minlength=count)
    assert members.min() >= 4
    assert members.max() <= 10
    assert 5.5 < members.mean() < 6.5


def test_handfuls_are_dealt_in_random_order() -> None:
    handful, _ = deal(np.random.default_rng(3), np.array([60]), (5, 5))
    assert abs(np.corrcoef(handful, np.arange(60))[0, 1]) < 0.35
    assert len(set(handful[:12].tolist())) > 5


@given(seeds, some_groups, st.floats(0, 3), st.integers(1, 6), st.floats(0, 1))
def test_pools_are_of_one_group_and_large_enough(
    seed: int, sizes: np.ndarray, each: float, least: int, reach: float
) -> None:
    pools = Pools()
    what = Shared(0.7, each, least, keeps=2, reach=reach)
    first = share(np.random.default_rng(seed), pools, sizes, what, 3)
    second = share(np.random.default_rng(seed), pools, sizes, what, 5)
    group = np.repeat(np.arange(len(sizes)), sizes)
    part = first.size > 0
    assert (first.uses[part] == 0.7).all()
    assert (first.uses[~part] == 0).all()
    wanted = np.maximum(least, np.round(each * sizes))[group]
    assert (first.size[part] == wanted[part]).all()
    spans = {(int(s), int(s + w)) for s, w in zip(first.start, wanted, strict=True)}
    spans |= {(int(s), int(s + w)) for s, w in zip(second.start, wanted, strict=True)}
    ends = sorted(spans)
    assert len(ends) == 2 * len(sizes)
    assert ends[0][0] == SHARED_FROM
    assert all(stop == start for (_, stop), (start, _) in pairwise(ends))
    for start, stop in ends:
        of = pools.of(np.arange(start, stop))
        assert (of[0] == start).all()
        assert set(of[1].tolist()) == ({3} if start in first.start else {5})


def test_who_shares_nothing_has_no_pool() -> None:
    rng, pools = np.random.default_rng(0), Pools()
    nothing = share(rng, pools, np.array([3, 4]), None, 0)
    assert not nothing.size.any()
    assert not nothing.uses.any()
    assert len(share(rng, pools, np.zeros(0, int), Shared(1.0), 0).size) == 0


def test_part_of_the_members_take_part() -> None:
    uses = share(np.random.default_rng(1), Pools(), np.array([4000]), Shared(0.9, cell=(4, 4), reach=0.4), 0)
    assert (uses.size > 0).mean() == pytest.approx(0.4, abs=0.03)
