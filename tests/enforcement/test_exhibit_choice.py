"""Few requests stand for many, and always the same ones."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.enforcement.exhibits.choose import Candidate, Chooser


def candidates(accounts: int, each: int, wordings: int = 4, days: int = 9) -> list[Candidate]:
    return [
        Candidate(
            f"a{a}",
            f"r{a}-{n}",
            f"w{(a + n) % wordings}",
            f"2026-02-{1 + (a * 3 + n) % days:02}",
            0,
            a * each + n,
        )
        for a in range(accounts)
        for n in range(each)
    ]


def choice(offered: list[Candidate], most: int = 20, seed: str = "R-1") -> list[Candidate]:
    chooser = Chooser(seed, most)
    for one in offered:
        chooser.offer(one)
    assert chooser.seen == len(offered)
    return chooser.chosen()


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 100), st.integers(1, 30), st.integers(1, 20), st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing(
    accounts: int, each: int, most: int, shuffler: random.Random
) -> None:
    offered = candidates(accounts, each)
    first = choice(offered, most)
    shuffler.shuffle(offered)

    assert choice(offered, most) == first
    assert len(first) == min(most, len({(one.account_id, one.wording, one.day) for one in offered}))


def test_a_ring_of_one_account_has_as_many() -> None:
    assert len(choice(candidates(1, 40))) == 20


def test_every_exhibit_is_of_another_account_where_there_are_enough() -> None:
    assert len({one.account_id for one in choice(candidates(500, 3))}) == 20


def test_a_few_accounts_show_all_wordings_and_days() -> None:
    found = choice(candidates(3, 60, wordings=4, days=9))

    assert max(Counter(one.account_id for one in found).values()) <= 7
    assert {one.wording for one in found} == {f"w{n}" for n in range(4)}
    assert len({one.day for one in found}) >= 7


def test_two_cases_draw_differently() -> None:
    offered = candidates(200, 5)

    assert choice(offered, seed="R-1") != choice(offered, seed="R-2")


def test_a_request_that_stands_in_two_files_is_one_exhibit() -> None:
    twice = [Candidate("a", "r", "w", f"2026-02-0{day}", day, 1) for day in (1, 2, 3)]

    assert len(choice(twice)) == 1


@pytest.mark.parametrize("most", [1, 20])
def test_a_large_ring_takes_no_more_memory_than_a_small_one(most: int) -> None:
    chooser = Chooser("R-1", most)
    for one in candidates(2_000, 5) + candidates(3, 3_000, wordings=500, days=6):
        chooser.offer(one)

    assert sum(len(one.cells) for one in chooser._accounts.values()) <= most * 4 * 20
    assert len(chooser.chosen()) == most
