"""Timing evidence: what it counts, beside a plain recount, and whom it leaves alone."""

from __future__ import annotations

import itertools
import math
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from timing_recount import START, Minutes, recount

from ringfence.graphbuild.linkage.timing import TimingSettings, slots, timing_evidence, timing_ratios

Told = Callable[..., pd.DataFrame]
DAY, DAYS = 1440, 28
NO_CROWD, SMALL_CROWD = TimingSettings(crowd_prior=1e9), TimingSettings(crowd_prior=0.5)


def requests(sent: Minutes, extra: pd.DataFrame | None = None) -> Any:
    rows = pd.DataFrame(
        [(account, minute) for account, minutes in sent.items() for minute in minutes],
        columns=["account_id", "ts"],
    )
    rows["ts"] = START + pd.to_timedelta(rows["ts"].astype("int64"), unit="min")
    rows = rows if extra is None else pd.concat([rows, extra])
    return ibis.memtable(rows, schema={"account_id": "string", "ts": "timestamp('UTC')"})


def all_pairs(accounts: Iterable[str]) -> Any:
    rows = pd.DataFrame(itertools.combinations(sorted(accounts), 2), columns=["account_a", "account_b"])
    return ibis.memtable(rows, schema={"account_a": "string", "account_b": "string"})


@pytest.fixture(scope="module")
def told(engine: Any) -> Iterator[Told]:
    """Return what timing says of all pairs of accounts, by account_a, account_b, signal."""
    names: list[str] = []

    def keep(table: Any) -> Any:
        names.append(f"timing_{len(names)}")
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
    for day in rng.sample(range(DAYS), days):
        for _ in range(rng.randint(1, 3)):
            start = day * DAY + int(rng.gauss(favourite, 3) % 24 * 60)
            found += [start + int(rng.random() * 90) for _ in range(rng.randint(1, 6))]
    return found


def people(seed: int, count: int) -> dict[str, list[int]]:
    rng = random.Random(seed)
    return {f"p{i:03}": person(rng, rng.randint(2, 20)) for i in range(count)}


# --- the same numbers, counted in another way --------------------------------------------------


def few() -> dict[str, list[int]]:
    rng = random.Random(1)
    return people(2, 8) | shift(rng, rng.sample(range(DAYS), 6), ("r0", "r1", "r2"))


@pytest.fixture(scope="module")
def of_few(told: Told) -> pd.DataFrame:
    return told(few(), SMALL_CROWD, timing_ratios)


def test_every_number_is_that_of_a_plain_recount(of_few: pd.DataFrame) -> None:
    expected = recount(few(), SMALL_CROWD)
    assert {signal for _, _, signal in expected} == {"hours", "minutes", "handover"}
    assert set(of_few.index) == set(expected)
    for key, numbers in expected.items():
        assert tuple(of_few.loc[key]) == pytest.approx(numbers, abs=1e-5), key


def test_what_is_told_is_above_zero_in_order_and_whatever_the_order_of_rows(
    told: Told, of_few: pd.DataFrame
) -> None:
    turned = {account: list(reversed(minutes)) for account, minutes in reversed(few().items())}
    speaks = of_few[of_few["weight"] > 0].sort_index()
    pd.testing.assert_frame_equal(told(turned, SMALL_CROWD), speaks, check_exact=True)


# --- one town: people, and a few who are coordinated or only look it -------------------------------------


def one_program(seed: int) -> dict[str, list[int]]:
    """Two accounts that one program starts, at any minute of the month."""
    rng = random.Random(seed)
    starts = [rng.randrange(DAYS * DAY) for _ in range(24)]
    return {"program0": starts, "program1": [start + rng.randrange(2) for start in starts]}


def turns(seed: int) -> dict[str, list[int]]:
    """Two accounts that share hours, and never ten minutes of them."""
    rng, sent = random.Random(seed), defaultdict(list)
    for hour in rng.sample(range(DAYS * 24), 30):
        tens = rng.sample(range(6), 6)
        for name, own in (("turn0", tens[:3]), ("turn1", tens[3:])):
            sent[name] += [hour * 60 + ten * 10 + rng.randrange(10) for ten in own]
    return sent


@pytest.fixture(scope="module")
def town(told: Told) -> pd.DataFrame:
    rng = random.Random(11)
    late = shift(random.Random(12), range(20), ("late0", "late1"))
    late["late1"] = [minute + DAY for minute in late["late1"]]
    return told(
        people(13, 30)
        | shift(random.Random(14), range(24), ("long0", "long1"))
        | shift(random.Random(15), range(6), ("short0", "short1"))
        | one_program(16)
        | turns(17)
        | {f"nine{i}": [day * DAY + 540 + rng.randrange(60) for day in range(25)] for i in range(4)}
        | {f"hourly{i}": [h * 60 + 37 for h in rng.sample(range(DAYS * 24), 200)] for i in range(4)}
        | late
        | {"machine": range(DAYS * DAY)},
        NO_CROWD,
        timing_ratios,
    )


def test_accounts_that_work_in_the_same_shifts_are_together_by_the_hour(town: pd.DataFrame) -> None:
    assert weight(town, "long0", "long1", "hours") > weight(town, "short0", "short1", "hours") > 0
    assert weight(town, "long0", "long1", "hours") > 3


def test_accounts_that_one_program_starts_are_together_by_the_minute(town: pd.DataFrame) -> None:
    assert weight(town, "program0", "program1", "minutes") > 6
    assert weight(town, "program0", "program1", "handover") < 0


def test_accounts_that_take_turns_hand_over(town: pd.DataFrame) -> None:
    assert weight(town, "turn0", "turn1", "handover") > 3
    assert weight(town, "turn0", "turn1", "minutes") < 0


def test_nobody_else_is_told_much(town: pd.DataFrame) -> None:
    coordinated = {("long0", "long1"), ("program0", "program1"), ("turn0", "turn1")}
    others = town[[pair not in coordinated for pair in town.index.droplevel("signal")]]
    assert len(others) > 1000
    assert others["weight"].max() < 3.5


@pytest.mark.parametrize("habit", ["nine", "hourly"])
def test_habits_that_are_alike_are_no_evidence(town: pd.DataFrame, habit: str) -> None:
    """People who always work at nine, and schedules at 37 minutes past every hour."""
    a, b = (town.index.get_level_values(end).str.startswith(habit) for end in ("account_a", "account_b"))
    assert (a & b).sum() >= 6
    assert town.loc[a & b, "weight"].max() < 1


def test_an_account_that_never_rests_is_together_with_nobody(town: pd.DataFrame) -> None:
    with_machine = town[town.index.get_level_values("account_a") == "machine"]
    assert len(with_machine)
    assert with_machine["weight"].max() < 0.5


def test_a_clock_that_is_a_day_off_hides_but_accuses_nobody(town: pd.DataFrame) -> None:
    assert max(weight(town, "late0", "late1", signal) for signal in ("hours", "minutes", "handover")) < 1


def test_what_everybody_does_at_a_time_says_less(told: Told) -> None:
    rng = random.Random(23)
    pair = shift(rng, range(12), ("r0", "r1"))
    crowd = {f"p{i}": [m + rng.randrange(-20, 20) for m in pair["r0"]] + person(rng) for i in range(60)}
    asked = all_pairs(pair)
    alone = weight(told(pair | people(24, 60), pairs=asked), "r0", "r1", "hours")
    assert alone > 2
    assert weight(told(pair | crowd, pairs=asked), "r0", "r1", "hours") < alone / 2


def _null(seed: int, told: Told, crowd: int = 45) -> pd.DataFrame:
    """Return weights by pair and signal of independent people; 0 where nothing was counted."""
    sent = people(seed, crowd)
    rows = told(sent, None, timing_ratios)["weight"].unstack("signal")
    every = pd.MultiIndex.from_tuples(itertools.combinations(sorted(sent), 2))
    return rows.reindex(every).fillna(0.0)


def test_the_weights_of_independent_people_are_e_values(told: Told) -> None:
    """``RINGFENCE_SOAK=1`` draws 200 crowds instead of one. Seeds from 31 on."""
    crowds = 200 if os.environ.get("RINGFENCE_SOAK") else 1
    weights = pd.concat([_null(31 + i, told) for i in range(crowds)])
    assert (np.exp(weights).mean() < 1.02).all()
    assert (np.exp(weights[["hours", "minutes"]].sum(axis=1)).mean()) < 1.02
    assert (np.exp(weights.clip(lower=0)).mean() < 1.2).all()
    assert (weights > 6).to_numpy().mean() < math.exp(-6)


# --- bad input ------------------------------------------------------------------------------------


def test_equal_times_say_nothing(told: Told) -> None:
    """Even with a limit that a single unit reaches."""
    assert told({f"p{i}": [777] * 5 for i in range(5)}, TimingSettings(least_units=1)).empty


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


def test_accounts_that_sent_nothing_have_no_evidence(told: Told) -> None:
    sent = shift(random.Random(44), range(9), ("r0", "r1"))
    assert told(sent, pairs=all_pairs(["r0", "x", "y"])).empty
