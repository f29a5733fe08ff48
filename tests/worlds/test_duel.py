"""An operator takes what hides most per dollar, stops where it should, and the page shows what happened."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.errors import OutputError, UsageError
from ringfence.pipeline.worlds.duel import Duel, DuelRequest, duel, write_duel
from ringfence.pipeline.worlds.escalate import (
    Step,
    choose,
    cost_per_request,
    duel_frame,
    escalate_greedily,
    escalate_in_order,
    price_per_request,
)
from ringfence.report.duel import cost_ticks, dollars, duel_plot, render_duel
from ringfence.worlds.attack import ATTACKS
from ringfence.worlds.make import WorldRequest, make_world
from ringfence.worlds.score.intervals import Share

RINGS = 20


INNOCENTS = {"flagged": Share(4, 900), "accused": Share(1, 900), "framed": Share(1, 30)}


def step(
    *attacks: str,
    cost: float = 0.0,
    latest: float | None = None,
    distilled: int = 1,
    review: int = RINGS,
    ring: int = 10,
    ap: float = 0.9,
) -> Step:
    return Step(
        attacks,
        cost,
        cost if latest is None else latest,
        distilled,
        Share(review, RINGS),
        Share(ring, RINGS),
        ap,
        Share(4, 900),
        Share(1, 900),
        Share(1, 30),
    )


def additive(hides: dict[str, tuple[float, int]]) -> Callable[[tuple[str, ...]], Step]:
    """A world in which every attack costs so much and hides so many rings, whatever the others are."""

    def measure(attacks: tuple[str, ...]) -> Step:
        cost = sum(hides[a][0] for a in attacks)
        latest = sum(hides[a][0] for a in attacks[-1:])
        return step(*attacks, cost=cost, latest=latest, review=RINGS - sum(hides[a][1] for a in attacks))

    return measure


def test_most_hidden_rings_per_dollar_are_chosen() -> None:
    dear, cheap, idle = (
        step("dear", cost=1.0, review=10), step("cheap", cost=0.2, review=17), step("idle", cost=0.01),
    )  # fmt: skip
    assert choose(step(), [dear, cheap, idle]) is cheap
    assert choose(step(), [dear, idle]) is dear
    assert choose(step(), [dear, cheap], budget_usd=0.1) is None


def test_where_as_many_are_flagged_reported_rings_count_and_then_the_ranking() -> None:
    ranks, reports = step("ranks", cost=0.1, ap=0.1), step("reports", cost=0.1, ring=9)
    assert choose(step(), [ranks, reports]) is reports
    assert choose(step(), [ranks, step("idle", cost=0.1)]) is ranks


def test_what_shows_more_is_never_chosen() -> None:
    assert choose(step(ring=10), [step("loud", cost=0.1, ring=11, ap=0.1), step("same", cost=0.1)]) is None


def test_of_equals_the_free_one_is_taken() -> None:
    free, paid = step("free", review=10), step("paid", cost=0.5, review=10)
    assert choose(step(), [paid, free]) is free


def test_an_attack_is_priced_over_the_requests_before_it() -> None:
    present = step("first", cost=0.5, latest=500, distilled=1000)
    slow = step("first", "slow", cost=1.2, latest=100, distilled=500, review=16)
    quick = step("first", "quick", cost=0.7, latest=200, distilled=1000, review=14)
    assert price_per_request(present, slow) == pytest.approx(0.1)
    assert price_per_request(present, quick) == pytest.approx(0.2)
    assert choose(present, [quick, slow]) is slow, "4 rings for $0.1 each request, not for $0.7"


@settings(deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from("abcde"), st.tuples(st.integers(1, 9), st.integers(0, 4)), min_size=1, max_size=5
    )
)
def test_where_attacks_add_up_greed_is_by_value_per_dollar(hides: dict[str, tuple[float, int]]) -> None:
    steps, _tried = escalate_greedily(additive(hides), [*hides])
    taken = steps[-1].attacks
    assert set(taken) == {a for a, (_cost, hidden) in hides.items() if hidden}
    worth = [hides[a][1] / hides[a][0] for a in taken]
    assert worth == pytest.approx(sorted(worth, reverse=True))
    assert [s.attacks for s in steps] == [taken[:n] for n in range(len(taken) + 1)]


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 12))
def test_greed_never_overspends_and_stops_only_where_nothing_affordable_helps(budget: int) -> None:
    hides = {"a": (3.0, 3), "b": (4.0, 2), "c": (5.0, 1)}
    steps, tried = escalate_greedily(additive(hides), [*hides], budget)
    assert steps[-1].cost_usd <= budget
    left = set(hides) - set(steps[-1].attacks)
    assert all(steps[-1].cost_usd + hides[a][0] > budget for a in left)
    assert not set(steps) & set(tried)


def test_greed_sees_what_attacks_do_together() -> None:
    def measure(attacks: tuple[str, ...]) -> Step:
        hidden = {frozenset("a"): 1, frozenset("b"): 0, frozenset("ab"): 9}.get(frozenset(attacks), 0)
        return step(*attacks, cost=0.1 * len(attacks), review=RINGS - hidden)

    steps, tried = escalate_greedily(measure, "ba")
    assert [s.attacks for s in steps] == [(), ("a",), ("a", "b")]
    assert [s.attacks for s in tried] == [("b",)]


def test_in_order_every_attack_is_taken_while_the_budget_lasts() -> None:
    hides = {"a": (1.0, 0), "b": (2.0, 5), "c": (9.0, 9)}
    for order in permutations(hides):
        steps, tried = escalate_in_order(additive(hides), order)
        assert [s.attacks for s in steps] == [order[:n] for n in range(4)]
        assert tried == ()
    steps, tried = escalate_in_order(additive(hides), "abc", budget_usd=3.0)
    assert [s.attacks for s in (*steps, *tried)] == [(), ("a",), ("a", "b"), ("a", "b", "c")]
    assert len(steps) == 3


def test_cost_is_what_all_ring_accounts_pay_over_what_they_distil() -> None:
    both = ATTACKS["jitter"].cost_per_account_usd + ATTACKS["unique_cards"].cost_per_account_usd
    assert cost_per_request(("jitter", "unique_cards"), 100, 5000) == pytest.approx(both * 100 / 5000)
    assert cost_per_request((), 100, 5000) == 0.0


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0.0, [0, 1]),
        (0.6, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        (1.3, [0, 0.5, 1.0, 1.5]),
        (7, [0, 2, 4, 6, 8]),
    ],
)
def test_costs_stand_at_round_figures(most: float, ticks: list[float]) -> None:
    assert cost_ticks(most) == pytest.approx(ticks)


@settings(deadline=None, derandomize=True)
@given(st.floats(1e-6, 1e6))
def test_the_axis_holds_every_cost_without_much_room_left(most: float) -> None:
    ticks = cost_ticks(most)
    assert ticks[0] == 0
    assert most <= ticks[-1] * (1 + 1e-9)
    assert 3 <= len(ticks) <= 8


def test_dollars_keep_two_figures() -> None:
    assert [dollars(v) for v in (0.0, 0.00123, 3.5, 12.0)] == ["$0", "$0.0012", "$3.5", "$12"]


STEPS = duel_frame(
    [step(), step("jitter", cost=0.02, review=15), step("jitter", "framing", cost=0.1, ap=0.5)]
)


def test_a_step_stands_where_its_cost_and_recall_are() -> None:
    flagged = duel_plot(STEPS).lines[0]
    first, second, third = flagged.points
    assert first.x < second.x < third.x == pytest.approx(700)
    assert (second.x - first.x) / (third.x - first.x) == pytest.approx(0.2, abs=0.001)
    assert second.y - first.y == pytest.approx((284 - 18) * 5 / 20, abs=0.1)
    assert second.low is not None
    assert second.high is not None
    assert second.high < second.y < second.low
    assert second.title == "rings flagged, jitter: 15 of 20 at $0.02"


def test_what_is_not_defined_is_not_drawn() -> None:
    frame = STEPS.assign(average_precision=[0.9, math.nan, 0.5])
    assert [len(line.points) for line in duel_plot(frame).lines] == [3, 3, 2]


def test_the_page_tells_every_step_and_asks_nothing_of_the_network() -> None:
    page = render_duel(STEPS, "<demo>, seed 1", adaptive=True, budget=0.5)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "2 attacks for $0.1 a request: 20 of 20 rings flagged" in text
    assert "&lt;demo&gt;, seed 1" in text
    assert "Jitter Every account keeps hours of its own." in text
    assert "1 of 30" in text
    assert "until none helps for $0.5 a request" in text
    assert not re.search(r"<script|https?://|src=", page)
    picture = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", page, re.DOTALL)[1])
    assert len(picture.findall(".//circle")) == 9


def test_an_unfit_request_is_refused_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="no attack bribery"):
        duel(DuelRequest(attacks=("bribery",)))
    with pytest.raises(UsageError, match="twice"):
        duel(DuelRequest(attacks=("jitter", "jitter")))


@pytest.fixture(scope="module")
def fought(tmp_path_factory: pytest.TempPathFactory) -> tuple[Duel, Path, list[float]]:
    scratch = tmp_path_factory.mktemp("scratch")
    ticks: list[float] = []
    request = DuelRequest(scale=0.0002, seed=3, attacks=("unique_addresses",), labels=False)
    return duel(request, scratch, ticks.append), scratch, ticks


def test_the_whole_pipeline_runs_on_each_step(fought: tuple[Duel, Path, list[float]], tmp_path: Path) -> None:
    made, scratch, ticks = fought
    assert [s.attacks for s in made.steps] == [(), ("unique_addresses",)]
    assert list(scratch.iterdir()) == []
    assert ticks == [0.5, 1.0, 1.0]

    request = WorldRequest("demo", 0.0002, 3, labels=False, attacks=("unique_addresses",))
    world = make_world(tmp_path / "world", request)
    truth = pd.read_parquet(world.truth / "accounts.parquet")
    told = pd.concat(map(pd.read_parquet, (world.truth / "requests").glob("*.parquet")))
    guilty = truth["ring"].notna()
    price = ATTACKS["unique_addresses"].cost_per_account_usd
    assert made.steps[1].cost_usd == pytest.approx(price * guilty.sum() / told["distilling"].sum())
    assert made.steps[1].latest_usd == pytest.approx(price * guilty.sum())
    assert made.steps[1].distilled == told["distilling"].sum()
    assert made.steps[0].latest_usd == 0
    assert made.steps[1].accused.of == (~guilty).sum()
    assert made.steps[1].found_review.of == truth["ring"].nunique()
    assert 0 < made.steps[1].average_precision < made.steps[0].average_precision


def test_both_files_are_written_and_nothing_of_others_is_replaced(
    fought: tuple[Duel, Path, list[float]], tmp_path: Path
) -> None:
    write_duel(fought[0], tmp_path / "duel")
    said = json.loads((tmp_path / "duel" / "duel.json").read_text())
    assert said["request"]["attacks"] == ["unique_addresses"]
    assert said["steps"][1]["attacks"] == ["unique_addresses"]
    assert said["steps"][0]["cost_usd"] == 0
    assert "demo, scale 0.0002, seed 3" in (tmp_path / "duel" / "duel.html").read_text()
    with pytest.raises(OutputError, match="--force"):
        write_duel(fought[0], tmp_path / "duel")
    write_duel(fought[0], tmp_path / "duel", force=True)
    with pytest.raises(OutputError, match="not ours"):
        write_duel(fought[0], tmp_path, force=True)
