"""Lifecycle evidence against a recount of every pair, and how crowds, chance and bad clocks are met."""

from __future__ import annotations

import itertools
import math
import os
from typing import Any

import lives
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import DAY, HOUR

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.crowds import Levels
from ringfence.graphbuild.linkage.lifecycle import (
    LifecycleSettings,
    ban_spells,
    beginnings,
    lifecycle_evidence,
    starts,
)
from ringfence.graphbuild.linkage.moves import MoveSettings, model_moves

ASKED = LifecycleSettings()
OPEN = LifecycleSettings(
    signup=((HOUR, 0.2), (DAY, 0.3)), signup_cap=9.0, replacement=((HOUR, 0.3), (DAY, 0.4)), cap=9.0
)
LEVELS = tuple(level for level, _ in ASKED.pivot)
STILL = lives.moves({}, LEVELS)
Rows = dict[tuple[str, str, str], float]


def _weigh(
    engine: Any,
    pairs: Any,
    accounts: Any,
    events: Any = None,
    moves: Any = STILL,
    asked: LifecycleSettings = OPEN,
) -> Rows:
    events = lives.events([]) if events is None else events
    found = engine.to_pyarrow(lifecycle_evidence(pairs, accounts, events, moves, asked)).to_pylist()
    rows = {(row["account_a"], row["account_b"], row["signal"]): row["weight"] for row in found}
    assert len(rows) == len(found)
    return rows


def _all_pairs(names: Any) -> Any:
    return lives.pairs(itertools.combinations(sorted(names), 2))


def _odds(levels: Levels, apart: float, crowd: Any, among: int) -> float:
    return sum(m * among / crowd(level) for level, m in levels if apart <= level)


def _steps(level: int, start: int, end: int) -> int:
    """From one time to another in bins of a quarter of a level."""
    return (end + lives.ORIGIN) // (level // 4) - (start + lives.ORIGIN) // (level // 4)


def _recount(created: dict[str, int], bans: dict[str, tuple[int, int | None]]) -> Rows:
    """Weigh every pair of accounts, one by one."""
    found: Rows = {}
    for a, b in itertools.combinations(sorted(created), 2):

        def near(level: int, a: str = a, b: str = b) -> int:
            return (
                max(sum(abs(_steps(level, created[x], created[y])) <= 4 for y in created) for x in (a, b)) - 1
            )

        signup = _odds(OPEN.signup, abs(created[a] - created[b]), near, len(created) - 1)
        replaced = 0.0
        for old, new in ((a, b), (b, a)):
            at, end = bans.get(old, (None, None))
            if at is None or created[new] < at or (end is not None and created[new] >= end):
                continue

            def after(level: int, at: int = at) -> int:
                return sum(0 <= _steps(level, at, start) <= 4 for start in created.values())

            replaced = max(replaced, _odds(OPEN.replacement, created[new] - at, after, len(created)))
        best = max((replaced, "replacement"), (signup, "signup"))
        if best[0] > 1:
            found[a, b, best[1]] = min(math.log(best[0]), OPEN.cap)
    return found


_TIMES = st.integers(0, 60).map(lambda step: step * 1800)


@settings(max_examples=6)
@given(st.data())
def test_weights_equal_a_recount_of_all_pairs(engine: Any, data: st.DataObject) -> None:
    names = [f"a{i}" for i in range(12)]
    created = {name: data.draw(_TIMES) for name in names}
    bans = {
        name: (data.draw(_TIMES), data.draw(st.one_of(st.none(), st.just(10 * HOUR), st.just(90 * HOUR))))
        for name in names[:4]
    }
    bans = {name: (at, end if end is None or end >= at else None) for name, (at, end) in bans.items()}
    events = [(name, "banned", at) for name, (at, _) in bans.items()]
    events += [(name, "appeal_upheld", end) for name, (_, end) in bans.items() if end is not None]
    found = _weigh(engine, _all_pairs(names), lives.accounts(created), lives.events(events))
    expected = _recount(created, bans)
    # Where both signals weigh the same, either may be told.
    totals = {key[:2]: weight for key, weight in expected.items()}
    assert {key[:2] for key in found} == set(totals)
    for key, weight in found.items():
        assert weight == pytest.approx(totals[key[:2]], abs=2e-6)


def test_a_wave_of_sign_ups_discounts_itself(engine: Any) -> None:
    def weight(crowd: int) -> float:
        created = {f"old{i:04}": -DAY * (10 + i) for i in range(500)} | {"a": 0.0, "b": 60.0}
        created |= {f"wave{i:03}": 90.0 + i for i in range(crowd)}
        found = _weigh(engine, lives.pairs([("a", "b")]), lives.accounts(created))
        return found.get(("a", "b", "signup"), 0.0)

    assert weight(0) > weight(20) > weight(600) == 0


def test_accounts_created_in_one_instant_say_nothing(engine: Any) -> None:
    names = [f"a{i}" for i in range(30)]
    assert not _weigh(engine, _all_pairs(names), lives.accounts(dict.fromkeys(names, 5.0)))


def test_signing_up_together_makes_no_family_count(engine: Any) -> None:
    created = {f"old{i:04}": -DAY * (10.0 + i) for i in range(3000)} | {"a": 0.0, "b": 1.0}
    found = _weigh(engine, lives.pairs([("a", "b")]), lives.accounts(created), asked=ASKED)
    assert found == {("a", "b", "signup"): ASKED.signup_cap}
    assert ASKED.signup_cap < LinkSettings().least_family_weight


def test_unknown_and_shifted_times_are_met(engine: Any) -> None:
    created = {f"old{i:03}": -DAY * (10.0 + i) for i in range(300)} | {"a": 0.0, "b": None, "c": 100 * DAY}
    accounts = lives.accounts(created, {"b": 2 * HOUR})
    pairs = _all_pairs("abc")
    events = lives.events([("a", "banned", HOUR), ("c", "banned", None), ("nobody", "banned", 0.0)])
    # Without a creation time an account starts when it is first seen, which is no sign-up.
    assert set(_weigh(engine, pairs, accounts, events)) == {("a", "b", "replacement")}
    late = lives.events([("a", "banned", HOUR - DAY)])
    assert not _weigh(engine, pairs, accounts, late, asked=OPEN)


def test_nothing_comes_of_nothing(engine: Any) -> None:
    assert not _weigh(engine, lives.pairs([]), lives.accounts({}))
    assert not _weigh(engine, lives.pairs([("a", "b")]), lives.accounts({"a": None, "b": None}))
    assert not _weigh(engine, lives.pairs([("a", "b")]), lives.accounts({"c": 0.0}))


def test_only_a_ban_that_stands_is_followed_by_a_replacement(engine: Any) -> None:
    lives_of_bans: list[tuple[list[tuple[str, float]], bool]] = [
        ([("banned", 0.0)], True),
        ([("banned", 0.0), ("appeal_denied", 60.0)], True),
        ([("banned", 0.0), ("reinstated", 60.0)], False),
        ([("banned", 0.0), ("appeal_upheld", 60.0)], False),
        ([("banned", 0.0), ("reinstated", 2.0 * HOUR)], True),
        ([("limited", 0.0)], False),
        ([("banned", 2.0 * HOUR)], False),
    ]
    created: dict[str, float | None] = {f"old{i:03}": -DAY * (10.0 + i) for i in range(300)}
    events = []
    for case, (told, _) in enumerate(lives_of_bans):
        created |= {f"a{case}": -DAY * (400.0 + 9 * case), f"b{case}": float(HOUR)}
        events += [(f"a{case}", event, at) for event, at in told]
    pairs = lives.pairs((f"a{case}", f"b{case}") for case in range(len(lives_of_bans)))
    found = _weigh(engine, pairs, lives.accounts(created), lives.events(events))
    assert {key[0] for key in found} == {f"a{i}" for i, (_, linked) in enumerate(lives_of_bans) if linked}
    assert {key[2] for key in found} == {"replacement"}


def test_a_ban_of_a_banned_account_is_the_same_spell(engine: Any) -> None:
    rows = [("a", "banned", 0.0), ("a", "banned", 10.0), ("a", "reinstated", 20.0), ("a", "banned", 30.0)]
    spells = engine.to_pyarrow(ban_spells(lives.events(rows)).order_by("banned_at")).to_pylist()
    told = [(row["banned_at"] - lives.ORIGIN, row["ended_at"]) for row in spells]
    assert told == [(0, lives.ORIGIN + 20), (30, None)]


def test_an_account_kept_for_later_starts_when_it_wakes(engine: Any) -> None:
    accounts = lives.accounts(
        {"aged": -100 * DAY, "fresh": 0.0, "idle": -100 * DAY, "made": None, "blank": None},
        {"aged": DAY, "fresh": HOUR, "made": 5.0},
    )
    begun = engine.to_pyarrow(starts(accounts, ASKED)).to_pylist()
    assert {row["account_id"]: row["start"] - lives.ORIGIN for row in begun} == {
        "aged": DAY,
        "fresh": 0,
        "idle": -100 * DAY,
        "made": 5,
    }


def test_first_seen_is_the_first_of_all_activity(engine: Any, tables: Any) -> None:
    world = tables(
        {
            "accounts": pd.DataFrame({"account_id": ["a", "b"], "created_at": lives.times([0.0, None])}),
            "requests": pd.DataFrame({"account_id": ["a", "a"], "ts": lives.times([50.0, 40.0])}),
            "logins": pd.DataFrame({"account_id": ["a"], "ts": lives.times([30.0])}),
        }
    )
    begun = beginnings(world("accounts"), world("requests"), world("logins"))
    rows = engine.to_pyarrow(begun.order_by("account_id")).to_pandas()
    assert rows["first_seen"].astype("int64")[0] == lives.times([30.0]).astype("int64")[0]
    assert rows["first_seen"].isna().tolist() == [False, True]


def _sent(name: str, before: int, after: list[tuple[float, str]]) -> list[tuple[str, float, str]]:
    old = [(name, -DAY * (1 + i / 10), "old") for i in range(before)]
    return old + [(name, at, model) for at, model in after]


def test_who_moved_to_a_new_model_by_when(engine: Any) -> None:
    soon = [(HOUR * 20.0, "new")] + [(DAY * 1.1 + i, "new") for i in range(3)] + [(DAY * 2.0, "old")]
    later = [(DAY * 1.5 + i, "old") for i in range(9)] + [(DAY * 2.9, "new")]
    later += [(DAY * 3.5 + i, "new") for i in range(20)]
    rows = [
        *_sent("soon", 3, soon),
        *_sent("later", 3, later),
        *_sent("never", 3, [(DAY * 1.5 + i, "old") for i in range(9)]),
        *_sent("half", 3, [(HOUR, "new")] + [(DAY * 1.5 + i, ("old", "new")[i % 2]) for i in range(8)]),
        *_sent("newcomer", 2, soon),
        *_sent("gone", 9, [(HOUR, "new")]),
        ("soon", None, "new"),
        ("soon", DAY, None),
    ]
    released = lives.models({"new": 0.0, "old": -400.0 * DAY, "unreleased": None})
    found = model_moves(lives.requests(rows), released, LEVELS, MoveSettings())
    told = {row.pop("account_id"): row for row in engine.to_pyarrow(found).to_pylist()}
    assert {name: tuple(row[f"moved_{level}"] for level in LEVELS) for name, row in told.items()} == {
        "soon": (True, True),
        "later": (False, True),
        "never": (False, False),
        "half": (False, False),
    }
    assert {row["model"] for row in told.values()} == {"new"}


def test_models_without_a_release_move_nobody(engine: Any) -> None:
    rows = lives.requests([("a", float(i), "new") for i in range(9)])
    for released in ({}, {"new": None}):
        found = model_moves(rows, lives.models(released), LEVELS, MoveSettings())
        assert engine.to_pyarrow(found).num_rows == 0


def test_who_moves_with_everybody_is_not_linked_by_it(engine: Any) -> None:
    def weight(movers: int) -> float:
        moved = {f"x{i:03}": (i < movers, i < movers) for i in range(100)} | dict.fromkeys("ab", (True, True))
        moves = lives.moves(moved, LEVELS)
        found = _weigh(engine, lives.pairs([("a", "b")]), lives.accounts({}), moves=moves, asked=ASKED)
        return found.get(("a", "b", "pivot"), 0.0)

    m = sum(share for _, share in ASKED.pivot)
    assert weight(0) == pytest.approx(math.log(m * 102 / 2), abs=1e-6)
    assert weight(0) > weight(30) > weight(98) == 0


SHUFFLES = 100 if os.environ.get("RINGFENCE_SOAK") else 2


@pytest.mark.parametrize("seed", range(SHUFFLES))
def test_unrelated_pairs_gain_nothing_on_average(engine: Any, seed: int) -> None:
    """The mean of e^weight over all pairs of accounts that have nothing to do with each other is about 1."""
    draw = np.random.default_rng([2026, seed])
    names = [f"a{i:03}" for i in range(160)]
    # Half come evenly, half in a few waves.
    at = np.where(draw.random(160) < 0.5, draw.uniform(0, 60, 160), draw.integers(0, 3, 160) * 20.0)
    created = dict(zip(names, (at * DAY + draw.uniform(0, HOUR, 160)).tolist(), strict=True))
    banned = draw.choice(names, 40, replace=False)
    events = lives.events([(name, "banned", draw.uniform(0, 60) * DAY) for name in banned])
    quick = draw.random(160) < 0.1
    late = quick | (draw.random(160) < 0.2)
    moved = {n: (bool(q), bool(s)) for n, q, s in zip(names, quick, late, strict=True)}
    moves = lives.moves(moved, LEVELS)
    found = _weigh(engine, _all_pairs(names), lives.accounts(created), events, moves, ASKED)
    totals: dict[tuple[str, str], float] = {}
    for (a, b, _), weight in found.items():
        totals[a, b] = totals.get((a, b), 0.0) + weight
    pairs = 160 * 159 // 2
    mean = (sum(math.exp(w) for w in totals.values()) + pairs - len(totals)) / pairs
    assert mean <= 1 + ASKED.most_excess
