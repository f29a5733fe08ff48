"""Timing evidence: what it counts, beside a plain recount, and whom it leaves alone."""

from __future__ import annotations

import itertools
import math
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from ringfence.graphbuild.linkage.timing import TimingSettings, slots, timing_evidence, timing_ratios

Minutes = Mapping[str, Iterable[int]]
"""Account → the minutes since the start in which it sends something."""
Told = Callable[..., pd.DataFrame]
DAY, WEEKS = 1440, 28
NO_CROWD = TimingSettings(crowd_prior=1e9)


def requests(sent: Minutes, extra: pd.DataFrame | None = None) -> Any:
    rows = pd.DataFrame(
        [(account, minute) for account, minutes in sent.items() for minute in minutes],
        columns=["account_id", "ts"],
    )
    rows["ts"] = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(
        rows["ts"].astype("int64"), unit="min"
    )
    rows = rows if extra is None else pd.concat([rows, extra])
    return ibis.memtable(rows, schema={"account_id": "string", "ts": "timestamp('UTC')"})


def all_pairs(accounts: Iterable[str]) -> Any:
    rows = pd.DataFrame(itertools.combinations(sorted(accounts), 2), columns=["account_a", "account_b"])
    return ibis.memtable(rows, schema={"account_a": "string", "account_b": "string"})


@pytest.fixture
def told(engine: Any) -> Any:
    """Return what timing says of all pairs of accounts, by account_a, account_b, signal."""
    names: list[str] = []

    def keep(table: Any) -> Any:
        names.append(f"timing_{id(names)}_{len(names)}")
        return engine.create_table(names[-1], table, temp=True)

    def tell(
        sent: Minutes,
        settings: TimingSettings | None = None,
        ask: Callable[..., Any] = timing_evidence,
        pairs: Any = None,
    ) -> pd.DataFrame:
        pairs = keep(all_pairs(sent) if pairs is None else pairs)
        rows = ask(pairs, keep(slots(requests(sent))), settings, keep)
        return engine.to_pyarrow(rows).to_pandas().set_index(["account_a", "account_b", "signal"])

    yield tell
    for name in names:
        engine.con.execute(f"DROP TABLE {name}")


def weight(rows: pd.DataFrame, a: str, b: str, signal: str) -> float:
    return float(rows["weight"].get((a, b, signal), 0.0))


def shift(rng: random.Random, days: Iterable[int], accounts: Iterable[str]) -> dict[str, list[int]]:
    """Each day all work in the same four hours, others every day."""
    sent: dict[str, list[int]] = {account: [] for account in accounts}
    for day in days:
        opens = rng.randrange(20)
        for minutes in sent.values():
            minutes += [day * DAY + opens * 60 + rng.randrange(240) for _ in range(6)]
    return sent


def person(rng: random.Random, days: int = 10) -> list[int]:
    """Sessions on some days, around an hour of one's own."""
    favourite, found = rng.uniform(0, 24), []
    for day in rng.sample(range(WEEKS), days):
        for _ in range(rng.randint(1, 3)):
            start = day * DAY + int(rng.gauss(favourite, 3) % 24 * 60)
            found += [start + int(rng.random() * 90) for _ in range(rng.randint(1, 6))]
    return found


def people(seed: int, count: int) -> dict[str, list[int]]:
    rng = random.Random(seed)
    return {f"p{i:03}": person(rng, rng.randint(2, 20)) for i in range(count)}


# --- the same numbers, counted in another way -----------------------------------------------------


def recount(
    sent: Minutes, settings: TimingSettings
) -> dict[tuple[str, str, str], tuple[float, float, float]]:
    """Return weight, shared and expected of every pair, one pair and one unit at a time."""
    scales = [_Scale(sent, unit, cell, settings) for unit, cell in ((1440, 60), (60, 10), (10, 1))]
    found = {}
    for a, b in itertools.combinations(sorted(sent), 2):
        days = scales[0].shared(a, b)
        if len(days) < settings.least_units:
            continue
        found[a, b, "hours"] = scales[0].ratio(a, b, days, settings.together)
        hours = scales[1].shared(a, b)
        if len(hours) < settings.least_units:
            continue
        tens = scales[2].shared(a, b)
        for signal, rate in (("minutes", settings.same_minute), ("handover", settings.taking_turns)):
            parts = [scales[1].ratio(a, b, hours, rate)]
            parts += [scales[2].ratio(a, b, tens, rate)] if tens else []
            nats, shared, expected = map(sum, zip(*parts, strict=True))
            found[a, b, signal] = (nats - math.log(2), shared, expected)
    return found


class _Scale:
    def __init__(self, sent: Minutes, unit: int, cell: int, settings: TimingSettings) -> None:
        epoch = int(pd.Timestamp("2026-03-02").timestamp()) // 60
        self.size, self.settings = unit // cell, settings
        self.cells: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for account, minutes in sent.items():
            for minute in minutes:
                self.cells[account][(epoch + minute) // unit].add((epoch + minute) // cell)
        self.seen = Counter(c for days in self.cells.values() for unit in days.values() for c in unit)
        self.there = Counter(unit for days in self.cells.values() for unit in days)
        self.habitual = unit == 1440

    def shared(self, a: str, b: str) -> list[int]:
        return sorted(self.cells[a].keys() & self.cells[b].keys())

    def credit(self, unit: int, cell: int) -> float:
        if self.habitual:
            usual = sum(n for c, n in self.seen.items() if c % self.size == cell % self.size)
        else:
            usual = sum(self.seen.values()) / self.size
        prior = self.settings.crowd_prior
        share = usual / sum(self.there.values())
        return min(1.0, (share * self.there[unit] + prior) / (self.seen[cell] + prior)) ** 2

    def ratio(self, a: str, b: str, units: list[int], rate: float) -> tuple[float, float, float]:
        met = credited = more = both = 0.0
        for unit in units:
            of_a, of_b = self.cells[a][unit], self.cells[b][unit]
            less = min(len(of_a), len(of_b))
            met += len(of_a & of_b) / less
            credited += sum(self.credit(unit, cell) for cell in of_a & of_b) / less
            more += max(len(of_a), len(of_b))
            both += len(of_a) * len(of_b)
        every = [[c for cells in self.cells[x].values() for c in cells] for x in (a, b)]
        overlap = sum(c % self.size == d % self.size for c in every[0] for d in every[1])
        chances, at_once = overlap * more / both, both / (len(every[0]) * len(every[1]))
        if rate > 1:
            charge = chances * math.log(1 + (rate - 1) * at_once)
            return credited * math.log(rate) - charge, credited, chances * at_once
        expected = min(chances * at_once, more / self.size)
        return met * math.log(rate) + (1 - rate) * expected, met, expected


@pytest.mark.parametrize("seed", [1, 2])
def test_every_number_is_that_of_a_plain_recount(told: Told, seed: int) -> None:
    rng = random.Random(seed)
    sent = people(seed, 8) | shift(rng, rng.sample(range(WEEKS), 6), ("r0", "r1", "r2"))
    settings = TimingSettings(crowd_prior=0.5)
    rows = told(sent, settings, timing_ratios)
    expected = recount(sent, settings)
    assert {signal for _, _, signal in expected} == {"hours", "minutes", "handover"}
    assert set(rows.index) == set(expected)
    for key, numbers in expected.items():
        assert tuple(rows.loc[key]) == pytest.approx(numbers, abs=1e-5), key


# --- what it tells --------------------------------------------------------------------------------


def test_accounts_that_work_in_the_same_shifts_are_together_by_the_hour(told: Told) -> None:
    rows = told(people(11, 20) | shift(random.Random(12), range(20), ("r0", "r1")))
    assert weight(rows, "r0", "r1", "hours") > 3
    assert rows.drop(("r0", "r1", "hours"), errors="ignore")["weight"].max() < 3


def test_accounts_that_one_program_starts_are_together_by_the_minute(told: Told) -> None:
    rng = random.Random(13)
    starts = [rng.randrange(WEEKS * 24) * 60 + rng.randrange(60) for _ in range(24)]
    rows = told(people(14, 20) | {"r0": starts, "r1": [start + rng.randrange(2) for start in starts]})
    assert weight(rows, "r0", "r1", "minutes") > 6
    assert weight(rows, "r0", "r1", "handover") == 0


def test_accounts_that_take_turns_hand_over(told: Told) -> None:
    rng, turns = random.Random(15), {"r0": [], "r1": []}  # type: ignore[var-annotated]
    for hour in rng.sample(range(WEEKS * 24), 30):
        tens = rng.sample(range(6), 6)
        for name, own in (("r0", tens[:3]), ("r1", tens[3:])):
            turns[name] += [hour * 60 + ten * 10 + rng.randrange(10) for ten in own]
    rows = told(people(16, 20) | turns)
    assert weight(rows, "r0", "r1", "handover") > 3
    assert weight(rows, "r0", "r1", "minutes") == 0


def test_the_more_they_share_the_heavier(told: Told) -> None:
    found = [
        weight(told(shift(random.Random(17), range(days), ("r0", "r1")), NO_CROWD), "r0", "r1", "hours")
        for days in (6, 24)
    ]
    assert 0 < found[0] < found[1]


# --- whom it leaves alone -------------------------------------------------------------------------


def test_people_who_always_work_at_nine_are_not_together(told: Told) -> None:
    rng = random.Random(21)
    sent = {f"p{i}": [day * DAY + 540 + rng.randrange(60) for day in range(25)] for i in range(6)}
    rows = told(sent, NO_CROWD)
    assert "hours" not in rows.index.get_level_values("signal")
    assert rows["weight"].max() < 1


def test_schedules_at_the_same_minute_of_every_hour_are_not_together(told: Told) -> None:
    rng = random.Random(22)
    sent = {f"p{i}": [h * 60 + 37 for h in rng.sample(range(WEEKS * 24), 200)] for i in range(6)}
    assert told(sent, NO_CROWD).empty


def test_what_everybody_does_at_a_time_says_less(told: Told) -> None:
    rng = random.Random(23)
    pair = shift(rng, range(12), ("r0", "r1"))
    crowd = {f"p{i}": [m + rng.randrange(-20, 20) for m in pair["r0"]] + person(rng) for i in range(60)}
    alone = weight(told(pair | people(24, 60)), "r0", "r1", "hours")
    assert alone > 2
    assert weight(told(pair | crowd), "r0", "r1", "hours") < alone / 2


def _null(seed: int, told: Told, crowd: int = 60) -> pd.DataFrame:
    """Return weights by pair and signal of independent people; 0 where nothing was counted."""
    sent = people(seed, crowd)
    rows = told(sent, None, timing_ratios)["weight"].unstack("signal")
    every = pd.MultiIndex.from_tuples(itertools.combinations(sorted(sent), 2))
    return rows.reindex(every).fillna(0.0)


def test_the_weights_of_independent_people_are_e_values(told: Told) -> None:
    """``RINGFENCE_SOAK=1`` draws 200 crowds instead of two. Seeds from 31 on."""
    crowds = 200 if os.environ.get("RINGFENCE_SOAK") else 2
    weights = pd.concat([_null(31 + i, told) for i in range(crowds)])
    assert (np.exp(weights).mean() < 1.02).all()
    assert (np.exp(weights[["hours", "minutes"]].sum(axis=1)).mean()) < 1.02
    assert (np.exp(weights.clip(lower=0)).mean() < 1.2).all()
    assert (weights > 6).to_numpy().mean() < math.exp(-6)


# --- bad input ------------------------------------------------------------------------------------


def test_equal_times_say_nothing(told: Told) -> None:
    assert told({f"p{i}": [777] * 5 for i in range(5)}).empty


def test_a_clock_that_is_a_day_off_hides_but_accuses_nobody(told: Told) -> None:
    pair = shift(random.Random(41), range(20), ("r0", "r1"))
    pair["r1"] = [minute + DAY for minute in pair["r1"]]
    assert told(people(42, 20) | pair)["weight"].max() < 3


def test_an_account_that_never_rests_is_together_with_nobody(told: Told) -> None:
    rows = told(people(43, 10) | {"machine": range(WEEKS * DAY)}, None, timing_ratios)
    with_machine = rows[rows.index.get_level_values(0) == "machine"]
    assert len(with_machine)
    assert with_machine["weight"].max() < 0.5


def test_rows_without_a_time_are_left_out(engine: Any) -> None:
    never = pd.to_datetime([None, None], utc=True)
    nowhen = pd.DataFrame({"account_id": ["a", "b"], "ts": never})
    made = engine.to_pyarrow(slots(requests({"a": [3, 3, 4]}, nowhen))).to_pandas()
    assert sorted(made["minute"] - made["minute"].min()) == [0, 1]
    assert set(made["account_id"]) == {"a"}


def test_times_before_1970_are_windows_too(engine: Any) -> None:
    """Clocks that were never set."""
    rows = pd.DataFrame({"account_id": ["a"], "ts": [pd.Timestamp("1969-12-31T23:59:30", tz="UTC")]})
    schema = {"account_id": "string", "ts": "timestamp('UTC')"}
    made = engine.to_pyarrow(slots(ibis.memtable(rows, schema=schema))).to_pandas()
    assert made["minute"].tolist() == [-1]


def test_no_pairs_and_unknown_accounts_have_no_evidence(told: Told) -> None:
    sent = shift(random.Random(44), range(9), ("r0", "r1"))
    assert told(sent, pairs=all_pairs(["r0", "x", "y"])).empty
    assert told({}, pairs=all_pairs([])).empty


def test_the_order_of_rows_does_not_show(told: Told) -> None:
    sent = people(45, 8) | shift(random.Random(46), range(9), ("r0", "r1"))
    turned = {account: list(reversed(list(sent[account]))) for account in reversed(list(sent))}
    pd.testing.assert_frame_equal(told(sent), told(turned), check_exact=True)
