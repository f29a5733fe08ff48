"""Text, timelines and pictures, each on its own."""

from __future__ import annotations

import math
import unicodedata
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import make_ring

from ringfence.report import text
from ringfence.report.picture import HEIGHT, WIDTH, draw_picture
from ringfence.report.timeline import draw_timeline

FIRST = date(2026, 3, 2)


def test_unseen_characters_are_spelt_out() -> None:
    assert text.visible("pay\u202elap\u200b\t") == "pay‹U+202E›lap‹U+200B›‹U+0009›"
    assert text.visible("Zoë 田中 👍") == "Zoë 田中 👍"


def test_long_values_are_cut_and_say_so() -> None:
    assert text.visible("x" * 1200) == "x" * 160 + "… (1,040 more characters)"


@given(st.text())
def test_nothing_unseen_is_left(value: str) -> None:
    assert all(unicodedata.category(sign)[0] != "C" for sign in text.visible(value))


@pytest.mark.parametrize(("nats", "words"), [(0.5, "about 1.6"), (3.0, "about 20"), (7.0, "about 1,100")])
def test_factor(nats: float, words: str) -> None:
    assert text.factor(nats) == words


@given(st.floats(3, 13))
def test_factor_is_near_the_exponential(nats: float) -> None:
    said = float(text.factor(nats).removeprefix("about ").replace(",", ""))
    assert math.isclose(said, math.exp(nats), rel_tol=0.06)


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0%"), (0.001, "<1%"), (0.5, "50%"), (0.9951, ">99%"), (1, "100%")]
)
def test_percent_never_rounds_to_certainty(share: float, words: str) -> None:
    assert text.percent(share) == words


@given(
    st.dictionaries(st.integers(0, 399), st.integers(1, 10_000), min_size=1, max_size=60),
    st.integers(400, 900),
)
def test_timeline_loses_no_request(by_day: dict[int, int], days: int) -> None:
    requests = {FIRST + timedelta(days=n): count for n, count in by_day.items()}
    drawn = draw_timeline(requests, FIRST, FIRST + timedelta(days=days - 1))
    assert drawn is not None
    assert sum(bar.requests for bar in drawn.bars) == drawn.total == sum(by_day.values())
    assert max(bar.requests for bar in drawn.bars) == drawn.peak
    assert len(drawn.bars) <= 120
    assert all(bar.x >= 0 and bar.x + bar.width <= 720.01 for bar in drawn.bars)


def test_a_day_is_a_bar_in_a_short_window() -> None:
    drawn = draw_timeline({FIRST: 4, FIRST + timedelta(days=29): 2}, FIRST, FIRST + timedelta(days=29))
    assert drawn is not None
    assert (drawn.days_a_bar, [bar.first for bar in drawn.bars]) == (1, [FIRST, FIRST + timedelta(days=29)])
    assert drawn.bars[0].height == 2 * drawn.bars[1].height


def test_no_requests_no_timeline() -> None:
    assert draw_timeline({}, FIRST, FIRST) is None


def sightings(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["account_id", "entity_type", "entity_id"])


def links(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["account_a", "account_b", "weight"])


def test_only_what_is_shared_is_drawn() -> None:
    seen = sightings(("a", "ip", "1"), ("b", "ip", "1"), ("a", "device", "own"))
    picture = draw_picture(make_ring(1, ["a", "b"]), seen, links(), seed=1)
    assert sorted(node.kind for node in picture.nodes) == ["core", "ip", "member"]
    assert len(picture.lines) == 2
    assert picture.kinds == ("core", "member", "ip")
    assert picture.left_out == ""


def test_an_account_that_shares_nothing_hangs_by_its_strongest_link() -> None:
    seen = sightings(("a", "ip", "1"), ("b", "ip", "1"))
    joined = links(("a", "c", 4.0), ("b", "c", 9.0), ("a", "b", 12.0))
    picture = draw_picture(make_ring(1, ["a", "b", "c"]), seen, joined, seed=1)
    assert [line.link for line in picture.lines].count(True) == 1
    b = next(node for node in picture.nodes if "Account b" in node.title)
    hanging = next(line for line in picture.lines if line.link)
    assert (b.x, b.y) in {(hanging.x1, hanging.y1), (hanging.x2, hanging.y2)}


def test_a_large_ring_is_drawn_in_part_and_says_so() -> None:
    accounts = [f"a{n}" for n in range(400)]
    rows = [(a, "ip", f"pool-{n // 4}") for n, a in enumerate(accounts)]
    rows += [(a, "instrument", f"card-{n // 5}") for n, a in enumerate(accounts)]
    rows += [(a, "template", "one") for a in accounts]
    picture = draw_picture(make_ring(1, accounts), sightings(*rows), links(), seed=1)
    assert len(picture.nodes) <= 90 + 18 * 3 + 6
    assert "310 accounts with lower scores" in picture.left_out
    assert "144 entities" in picture.left_out
    assert all(0 < node.x < WIDTH and 0 < node.y < HEIGHT for node in picture.nodes)


@pytest.mark.parametrize("accounts", [["only"], ["a", "b"]])
def test_a_ring_that_shares_nothing_is_still_drawn(accounts: list[str]) -> None:
    picture = draw_picture(make_ring(1, accounts), sightings(), links(), seed=1)
    assert len(picture.nodes) == len(accounts)
