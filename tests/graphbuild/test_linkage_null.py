"""Sightings dealt out anew, and which pairs share more than that."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linkage_worlds import Row, recount, seen_table

from ringfence.graphbuild.linkage.rewiring import rewired
from ringfence.graphbuild.linkage.significance import least_significant, significant_from

RATE = 0.05


def _dealt(engine: Any, rows: list[Row], draw: int = 0) -> list[Row]:
    found = engine.to_pyarrow(rewired(seen_table(rows), draw)).to_pylist()
    return sorted((row["account_id"], row["entity_id"], _second(row["first_seen"])) for row in found)


def _second(time: Any) -> int | None:
    return None if time is None else int(time.timestamp())


def _random_rows(seed: int, accounts: int, values: int, sightings: int) -> list[Row]:
    """Return sightings in which some accounts are busier than others, and some values more popular."""
    rng = np.random.default_rng(seed)
    who = rng.geometric(min(3 / accounts, 1.0), sightings) % accounts
    what = rng.geometric(min(3 / values, 1.0), sightings) % values
    return sorted({(f"a{a:04}", f"v{v:04}", int(t)) for a, v, t in zip(who, what, who * 7, strict=True)})


@settings(max_examples=6)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
def test_degrees_stay_but_for_what_an_account_is_dealt_twice(
    engine: Any, seed: int, accounts: int, values: int, draw: int
) -> None:
    rows = _random_rows(seed, accounts, values, 80)
    dealt = _dealt(engine, rows, draw)
    for column in (0, 1):
        before, after = (Counter(row[column] for row in some) for some in (rows, dealt))
        assert after <= before
        # Every account keeps something, and every value somebody.
        assert set(after) == set(before)
    assert len({row[:2] for row in dealt}) == len(dealt)
    # A sighting keeps its account and time; only its value is another's.
    assert {(row[0], row[2]) for row in dealt} == {(row[0], row[2]) for row in rows}


def test_a_wide_world_keeps_almost_all_of_its_sightings(engine: Any) -> None:
    rows = _random_rows(3, 2_000, 2_000, 6_000)
    dealt = _dealt(engine, rows)
    assert len(dealt) > 0.99 * len(rows)
    # And few stay where they were.
    assert len({r[:2] for r in rows} & {r[:2] for r in dealt}) < 0.02 * len(rows)


def test_dealing_depends_on_the_draw_and_not_on_the_order_of_rows(engine: Any) -> None:
    rows = _random_rows(4, 60, 60, 200)
    assert _dealt(engine, rows) == _dealt(engine, rows[::-1])
    assert _dealt(engine, rows) == _dealt(engine, rows)
    assert len({tuple(_dealt(engine, rows, draw)) for draw in range(4)}) == 4


@pytest.mark.parametrize("rows", [[], [("a", "x", None)], [("a", "x", 5), ("b", "x", None)]])
def test_what_cannot_be_dealt_otherwise_stays(engine: Any, rows: list[Row]) -> None:
    assert _dealt(engine, rows) == rows


def _benjamini_hochberg(weights: list[float], by_chance: list[float], rate: float) -> int:
    """Return how many pairs the textbook's procedure names, among a million that were tested."""
    tested = 1_000_000
    p = sorted((sum(other >= weight for other in by_chance) + 1) / tested for weight in weights)
    named = [rank for rank, value in enumerate(p, 1) if value <= rank / tested * rate + 1e-15]
    return max(named, default=0)


@given(
    st.lists(st.integers(0, 12), max_size=60),
    st.lists(st.integers(0, 9), max_size=12),
    st.sampled_from([0.01, 0.05, 0.25, 1.0]),
)
def test_pairs_are_named_as_benjamini_and_hochberg_would(
    found: list[int], by_chance: list[int], rate: float
) -> None:
    counts = [np.bincount(np.array(bins, np.int64), minlength=13) for bins in (found, by_chance)]
    first = least_significant(*counts, rate)
    named = 0 if first is None else sum(weight >= first for weight in found)
    assert named == _benjamini_hochberg([float(w) for w in found], [float(w) for w in by_chance], rate)


def _shared(nats: list[float]) -> Any:
    return ibis.memtable(pa.table({"shared": pa.array(nats, pa.float64())}))


def test_the_line_lies_where_chance_no_longer_reaches(engine: Any) -> None:
    found = [2.0] * 100 + [7.03] * 39 + [12.0]
    least = significant_from(engine, _shared(found), _shared([2.01] * 90 + [6.9]), RATE)
    assert 2.01 < least <= 7.03
    # With two of chance above it, 40 pairs are too few.
    too_many = _shared([2.01] * 90 + [7.1, 12.0])
    assert significant_from(engine, _shared(found), too_many, RATE) == math.inf


def test_of_a_part_of_the_null_every_pair_counts_for_several(engine: Any) -> None:
    found, chance = _shared([7.03] * 400), _shared([7.03])
    # One seen, and one for want of draws: two of 400, or twenty where a tenth of the null was looked at.
    assert significant_from(engine, found, chance, RATE) == pytest.approx(7.0)
    assert significant_from(engine, found, chance, RATE, 0.1) == pytest.approx(7.0)
    assert significant_from(engine, found, chance, RATE, 0.09) == math.inf


def test_with_nothing_to_test_nothing_is_significant(engine: Any) -> None:
    for found in ([], [30.0] * 19):
        assert significant_from(engine, _shared(found), _shared([]), RATE) == math.inf
    assert significant_from(engine, _shared([30.0] * 20), _shared([]), RATE) == pytest.approx(30.0)


def test_of_sightings_that_are_chance_hardly_any_pair_is_significant(engine: Any) -> None:
    """Eight worlds dealt out of one, each against each: of 56 at most a share of the rate names anybody."""
    rows = _random_rows(5, 90, 250, 500)
    counts: list[npt.NDArray[np.int64]] = []
    for draw in range(8):
        told = recount(_dealt(engine, rows, draw), 0.5)
        counts.append(np.bincount([int(pair.weight / 0.05) for pair in told.values()], minlength=400))
    assert all(count.sum() > 100 for count in counts)
    named = [least_significant(found, chance, RATE) is not None for found, chance in permutations(counts, 2)]
    assert np.mean(named) <= RATE


def test_pairs_planted_among_chance_are_the_significant_ones(engine: Any) -> None:
    rows = _dealt(engine, _random_rows(6, 90, 250, 500))
    ring = [(f"r{account}", f"ring{value}", 0) for account in range(9) for value in range(4)]
    told = recount([*rows, *ring], 0.5)
    chance = recount(_dealt(engine, [*rows, *ring], 1), 0.5)
    least = significant_from(
        engine, _shared([t.weight for t in told.values()]), _shared([t.weight for t in chance.values()]), RATE
    )
    named = {pair for pair, what in told.items() if what.weight >= least}
    planted = {pair for pair in told if pair[0][0] == pair[1][0] == "r"}
    assert len(planted) == 36
    assert planted <= named
    assert len(named - planted) <= 0.2 * len(named)
