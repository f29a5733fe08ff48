"""The brake halts what goes by itself when a run flags far more, or far less, than usual."""

from __future__ import annotations

import pytest
from case_samples import accounts, run_of
from case_samples import ring as ring_of
from enforce_samples import seen
from hypothesis import given
from hypothesis import strategies as st
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.policy.brake import Trip, check_brake, release, tripped, within
from ringfence.enforcement.policy.records import BrakeSettings
from ringfence.errors import NotAllowedError

USUAL = BrakeSettings(factor=3.0, least_runs=5, window=14)


def flag(book: Casebook, clock: Clock, *flagged: int, of: int = 1_000) -> Trip | None:
    """Record runs that flag so many accounts each; return what the brake says after the last."""
    trip = None
    for count in flagged:
        clock.go_on(days=1)
        rings = [ring_of("R-1", accounts(count))] if count else []
        run = run_of(*rings, name=f"run-{clock.now.isoformat()}", accounts=of)
        with book.writing("score") as writing:
            record_run(writing, run)
            trip = check_brake(writing, USUAL)
    return trip


def audited(book: Casebook, what: str) -> int:
    rows = book.read("SELECT entry FROM audit")
    return sum(f'"what":"{what}"'.encode() in bytes(row["entry"]) for row in rows)


def let_go(book: Casebook, reason: str = "Looked at it.") -> Trip:
    with book.writing("ada") as writing:
        return release(writing, reason)


@pytest.mark.parametrize("flagged", [7, 30, 10, 29, 11])
def test_a_usual_run_leaves_it_off(book: Casebook, clock: Clock, flagged: int) -> None:
    assert flag(book, clock, 10, 10, 12, 9, 10, flagged) is None


@pytest.mark.parametrize("flagged", [31, 100, 3, 0])
def test_more_than_three_times_above_or_below_pulls_it(book: Casebook, clock: Clock, flagged: int) -> None:
    trip = flag(book, clock, 10, 10, 12, 9, 10, flagged)
    assert trip is not None
    assert (trip.share, trip.median) == (flagged / 1_000, 0.01)
    assert "1.00% was usual" in str(trip)
    assert trip.as_json()["run_id"] == trip.run_id
    assert seen(book, tripped) == trip
    assert audited(book, "brake tripped") == 1


def test_few_runs_say_nothing(book: Casebook, clock: Clock) -> None:
    assert flag(book, clock, 10, 10, 10, 10, 900) is None
    with book.writing("score") as writing:
        assert check_brake(writing, BrakeSettings(least_runs=4)) is not None


def test_without_a_run_it_is_off(book: Casebook) -> None:
    with book.writing("score") as writing:
        assert check_brake(writing, USUAL) is None
    assert seen(book, tripped) is None


def test_the_median_is_of_the_latest_runs(book: Casebook, clock: Clock) -> None:
    assert flag(book, clock, *[10] * 6, *[29] * 10) is None
    assert flag(book, clock, *[80] * 4) is None, "the old level has left the window"


def test_a_run_without_accounts_flagged_none(book: Casebook, clock: Clock) -> None:
    flag(book, clock, 10, 10, 10, 10, 10)
    trip = flag(book, clock, 0, of=0)
    assert trip is not None
    assert trip.share == 0.0


def test_it_stays_on_until_a_person_releases_it(book: Casebook, clock: Clock) -> None:
    first = flag(book, clock, 10, 10, 10, 10, 10, 50)
    assert flag(book, clock, 10) == first, "a usual run does not release it"
    assert audited(book, "brake tripped") == 1
    assert let_go(book) == first
    assert seen(book, tripped) is None
    row = book.read("SELECT released_by, reason, accepted FROM brake")[0]
    assert tuple(row) == ("ada", "Looked at it.", 0.01)
    assert audited(book, "brake released") == 1


def test_a_level_that_a_person_accepted_is_usual(book: Casebook, clock: Clock) -> None:
    flag(book, clock, 10, 10, 10, 10, 10, 50)
    let_go(book)
    with book.writing("score") as writing:
        assert check_brake(writing, USUAL) is None, "the same run does not pull it again"
    assert flag(book, clock, 60, 10, 50) is None, "neither the new level nor the way back does"
    assert flag(book, clock, 400) is not None, "a third one does"


def test_an_accepted_level_leaves_with_the_window(book: Casebook, clock: Clock) -> None:
    flag(book, clock, 10, 10, 10, 10, 10, 50)
    let_go(book)
    assert flag(book, clock, *[10] * 15) is None
    assert flag(book, clock, 50) is not None


def test_releasing_needs_a_reason_and_something_to_release(book: Casebook, clock: Clock) -> None:
    with pytest.raises(NotAllowedError, match="is off"):
        let_go(book)
    flag(book, clock, 10, 10, 10, 10, 10, 50)
    with pytest.raises(NotAllowedError, match="reason"):
        let_go(book, "  ")
    assert seen(book, tripped) is not None


@given(share=st.floats(0, 1), level=st.floats(0, 1), factor=st.floats(1.01, 100))
def test_within_is_the_same_both_ways(share: float, level: float, factor: float) -> None:
    assert within(level, level, factor)
    if share > level * factor * 1.001 or share < level / factor * 0.999:
        assert not within(share, level, factor)
    if share == 0 or level == 0:
        assert within(share, level, factor) is (share == level)
