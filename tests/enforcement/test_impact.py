"""What a dry run says can be recounted: sums by hand, chances by enumeration."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from case_samples import ring
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from scipy.stats import binom

from ringfence.enforcement.events import Target
from ringfence.enforcement.impact import (
    LEVEL,
    Expected,
    Impact,
    Part,
    Totals,
    Used,
    expected,
    hinders,
    impact,
)
from ringfence.enforcement.policy.plan import LeftOut, Plan, PlannedOrder, Why
from ringfence.enforcement.policy.records import Needs
from ringfence.records import Action, Member, Ring, Role

USED = {
    "core": Used(0.9, 100, 1_000, 2, 50.0),
    "member": Used(0.8, 60, 600, 1, 10.0),
    "watched": Used(0.7, 40, 400, 0, 0.0),
    "cleared": Used(0.6, 500, 1, 1, 1.0),
    "bystander": Used(0.1, 900, 9_000, 9, 90.0),
    "stranger": Used(0.05, 7, 70, 3, 30.0),
}


def found_ring(**more: object) -> Ring:
    members = (
        Member("core", 0.9, Role.CORE),
        Member("member", 0.8, Role.MEMBER),
        Member("watched", 0.7, Role.MEMBER),
        Member("cleared", 0.6, Role.CORE),
        Member("bystander", 0.1, Role.BYSTANDER),
    )
    return replace(ring("R-1", []), members=members, **more)


def order(action: Action, *names: str) -> PlannedOrder:
    return PlannedOrder(action, Needs.VERDICT, tuple(Target(one, Role.MEMBER, 0.5) for one in names), None, 1)


def part(*orders: PlannedOrder, **more: object) -> Part:
    left_out = (LeftOut("cleared", Why.CLEARED), LeftOut("bystander", Why.BYSTANDER))
    whole = Part(
        found_ring(),
        Plan("R-1", 1, orders, left_out),
        USED,
        frozenset({"core", "bystander", "stranger"}),
        {},
    )
    return replace(whole, **more)


def option(found: Impact, name: str) -> Totals:
    totals = dict(found.options)[name]
    assert totals is not None
    return totals


def test_sums_are_of_the_accounts_met() -> None:
    done = impact([part(order(Action.SUSPEND, "core", "member"), order(Action.MONITOR, "watched"))])
    assert [action for action, _ in done.by_action] == [Action.SUSPEND, Action.MONITOR]
    suspended, watched = (totals for _, totals in done.by_action)
    assert (suspended.accounts, suspended.requests, suspended.tokens) == (2, 160, 1_600)
    assert (suspended.payments, suspended.amount_usd, suspended.outside) == (3, 60.0, 0)
    assert suspended.innocents is not None
    assert suspended.innocents.mean == pytest.approx(0.3)
    assert suspended.capacity_left == pytest.approx(40 / 200)
    assert watched.capacity_left == 1.0, "to watch hinders nobody"
    assert option(done, "policy").accounts == 3
    assert option(done, "policy").capacity_left == pytest.approx(40 / 200)
    assert done.unseen == 0


def test_alternatives_stand_beside_it() -> None:
    done = impact([part(order(Action.MONITOR, "core"))])
    core, cards, members = (option(done, name) for name in ("core only", "cards only", "all members"))
    assert (core.accounts, core.capacity_left) == (1, 0.5)
    assert (members.accounts, members.capacity_left) == (3, 0.0)
    assert (cards.accounts, cards.outside, cards.capacity_left) == (3, 2, 0.5)
    assert cards.innocents is not None
    assert cards.innocents.mean == pytest.approx(0.1 + 0.9 + 0.95)


def test_what_is_under_an_order_already_is_no_capacity() -> None:
    done = impact([part(under={"core": Action.SUSPEND, "member": Action.MONITOR})])
    assert option(done, "policy").accounts == 0
    assert option(done, "policy").capacity_left == pytest.approx(0.5)


def test_what_is_not_known_is_not_made_up() -> None:
    gone = impact([part(order(Action.SUSPEND, "core"), used={}, sharing=None)])
    assert dict(gone.options)["cards only"] is None
    policy = option(gone, "policy")
    assert (policy.requests, policy.tokens, policy.payments, policy.amount_usd) == (None,) * 4
    assert (policy.capacity_left, gone.unseen) == (None, 1)
    assert policy.innocents is not None, "scores are the casebook's own"
    without = {name: replace(one, tokens=None, amount_usd=None) for name, one in USED.items()}
    silent = option(impact([part(order(Action.SUSPEND, "core"), used=without)]), "policy")
    assert (silent.requests, silent.tokens, silent.amount_usd) == (100, None, None)
    idle = {name: replace(one, requests=0) for name, one in USED.items()}
    assert option(impact([part(used=idle)]), "policy").capacity_left is None


def test_without_calibration_nobody_knows_how_many_are_innocent() -> None:
    done = impact([part(order(Action.SUSPEND, "core"), ring=found_ring(probability=None))])
    assert option(done, "policy").innocents is None


def test_an_account_of_two_rings_is_counted_once() -> None:
    one = part(order(Action.SUSPEND, "core"))
    assert option(impact([one, one]), "all members") == option(impact([one]), "all members")


def test_it_goes_into_json() -> None:
    said = impact([part(order(Action.SUSPEND, "core"), sharing=None)]).as_json()
    assert said["by_action"]["suspend"]["requests"] == 100
    assert said["options"]["cards only"] is None


@pytest.mark.parametrize(
    ("action", "does"), [(Action.NONE, False), (Action.MONITOR, False), (Action.RATE_LIMIT, True)]
)
def test_what_hinders(action: Action, does: bool) -> None:
    assert hinders(action) is does


@seed(20260301)
@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=9))
def test_the_interval_is_that_of_every_way_it_can_turn_out(scores: list[float]) -> None:
    chances = [1 - score for score in scores]
    counts = [0.0] * (len(scores) + 1)
    for ways in itertools.product((0, 1), repeat=len(scores)):
        chance = 1.0
        for one, wrong in zip(chances, ways, strict=True):
            chance *= one if wrong else 1 - one
        counts[sum(ways)] += chance
    done = expected(scores)
    assert done.mean == pytest.approx(sum(chances))
    slack = 1e-9
    for bound, share in ((done.low, (1 - LEVEL) / 2), (done.high, (1 + LEVEL) / 2)):
        assert sum(counts[: bound + 1]) >= share - slack
        assert sum(counts[:bound]) < share + slack


@pytest.mark.parametrize(("size", "score"), [(500, 0.97), (24_000, 0.99), (300, 0.5)])
def test_equal_chances_make_a_binomial(size: int, score: float) -> None:
    done = expected([score] * size)
    low, high = binom.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], size, 1 - score)
    assert (done.low, done.high) == (low, high)


def test_nobody_is_certain() -> None:
    assert expected([]) == Expected(0.0, 0, 0)
    assert expected([1.0, 1.0]) == Expected(0.0, 0, 0)
    assert expected([0.0, 0.0]) == Expected(2.0, 2, 2)
