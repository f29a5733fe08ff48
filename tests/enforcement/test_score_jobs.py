"""Windows, jobs and locks, one by one."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.jobs.job import JobKey, JobState, followed, job, jobs, plan, scored
from ringfence.enforcement.jobs.locks import holds, owner_of, release, renew, take
from ringfence.errors import BusyError, OutputError, UsageError
from ringfence.pipeline.scoring import held as holding
from ringfence.pipeline.scoring.held import held
from ringfence.pipeline.scoring.window import (
    folder_name,
    last_full_hour,
    read_moment,
    read_span,
    window_until,
)
from ringfence.state import StateFolder

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
LEASE = timedelta(minutes=2)


def key(digest: str) -> JobKey:
    return JobKey(START, END, digest, "model")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(days=1)),
        (" 7d ", timedelta(days=7)),
        ("1m", timedelta(minutes=1)),
    ],
)
def test_windows_are_minutes_hours_or_days(text: str, span: timedelta) -> None:
    assert read_span(text) == span


@pytest.mark.parametrize(
    "text",
    ["", "24", "h", "0h", "-1h", "1.5h", "5w", "1h30m", "24 hours", "9999999d", "999999999m", "4000d", "١h"],
)
def test_other_windows_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--window"):
        read_span(text)


@pytest.mark.parametrize(
    ("text", "when", "zoned"),
    [
        ("2026-03-02T14:00:00Z", datetime(2026, 3, 2, 14, tzinfo=UTC), True),
        ("2026-03-02T14:00:00", datetime(2026, 3, 2, 14, tzinfo=UTC), False),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC), False),
        # The hour that clocks in Berlin show twice, as it is meant first and second.
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), True),
    ],
)
def test_moments_are_utc_whatever_zone_they_are_told_in(text: str, when: datetime, zoned: bool) -> None:
    assert read_moment(text) == (when, zoned)
    assert read_moment(text)[0].utcoffset() == timedelta()


@pytest.mark.parametrize(
    "text", ["yesterday", "1772409600", "2026-13-01", "2026-03-02T25:00Z", "1999-01-01", "2101-01-01"]
)
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--as-of"):
        read_moment(text)


def test_no_hour_is_skipped_or_scored_twice_when_clocks_are_changed() -> None:
    """Every half hour through both changes in a zone of half an hour and through one of a whole one."""
    for change in (
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2026, 4, 4, tzinfo=UTC),
    ):
        for zone in ("Europe/Berlin", "Australia/Lord_Howe"):
            ends = {
                last_full_hour((change + timedelta(minutes=30 * n)).astimezone(_zone(zone)))
                for n in range(96)
            }
            names = sorted(folder_name(window_until(end, timedelta(hours=1))) for end in ends)
            assert len(names) == 48
            assert all(one.split("_")[1] == next_.split("_")[0] for one, next_ in pairwise(names))


def _zone(name: str) -> Any:
    zoneinfo = pytest.importorskip("zoneinfo")
    try:
        return zoneinfo.ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("this machine knows no time zones")


def test_folders_of_windows_sort_as_time_does() -> None:
    window = window_until(END + timedelta(microseconds=5), timedelta(hours=1))

    assert folder_name(window) == "20260301T230000.000005Z_20260302T000000.000005Z"
    assert folder_name(window_until(END, timedelta(days=1))) == "20260301T000000Z_20260302T000000Z"


def test_a_job_is_planned_scored_and_followed_once_each(book: Casebook, clock: Any) -> None:
    one = key("rows")
    for step in (plan, plan):
        with book.writing("score") as writing:
            assert step(writing, one, Path("out")).state is JobState.PLANNED
        clock.go_on(minutes=1)
    for move, state in ((scored, JobState.SCORED), (scored, JobState.SCORED), (followed, JobState.FOLLOWED)):
        with book.writing("score") as writing:
            assert move(writing, one.job_id).state is state
    with book.writing("score") as writing:
        assert scored(writing, one.job_id).state is JobState.FOLLOWED  # never back
        assert followed(writing, one.job_id).superseded_by is None
    assert len(book.read("SELECT place FROM audit")) == 3
    with book.reading() as connection:
        assert job(connection, "other") is None
        assert [found.job_id for found in jobs(connection)] == [one.job_id]


def test_a_job_that_was_only_scored_cannot_be_passed_over(book: Casebook) -> None:
    with book.writing("score") as writing:
        plan(writing, key("rows"), Path("out"))
        assert followed(writing, key("rows").job_id).state is JobState.PLANNED


def test_the_latest_followed_job_holds_for_its_window_alone(book: Casebook, clock: Any) -> None:
    other_window = JobKey(START - timedelta(hours=1), END, "rows", "model")
    for one in (key("rows"), other_window, key("more rows")):
        with book.writing("score") as writing:
            plan(writing, one, Path("out"))
            scored(writing, one.job_id)
            followed(writing, one.job_id)
        clock.go_on(hours=1)
    with book.reading() as connection:
        told = {found.input_digest + found.starts_at[:13]: found.superseded_by for found in jobs(connection)}
        assert [found.input_digest for found in jobs(connection, 1)] == ["more rows"]
    assert told == {
        "more rows2026-03-01T00": None,
        "rows2026-03-01T00": key("more rows").job_id,
        "rows2026-02-28T23": None,
    }


def test_a_lock_of_another_machine_is_taken_over_when_its_lease_is_over(
    book: Casebook, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "there")
    with book.writing("score") as writing:
        theirs = take(writing, "w", LEASE)
    assert theirs is not None
    monkeypatch.undo()

    with book.writing("score") as writing:
        assert take(writing, "w", LEASE) is None
        assert take(writing, "another", LEASE) is not None
    clock.go_on(seconds=119)
    with book.writing("score") as writing:
        assert renew(writing, theirs, LEASE)
        assert holds(writing, theirs)
    clock.go_on(seconds=119)
    with book.writing("score") as writing:
        assert take(writing, "w", LEASE) is None
    clock.go_on(seconds=1)
    with book.writing("score") as writing:
        mine = take(writing, "w", LEASE)
        assert mine is not None
        assert not renew(writing, theirs, LEASE)
        assert not holds(writing, theirs)
        release(writing, theirs)  # too late: it is mine
        assert owner_of(writing.connection, "w") == mine
        release(writing, mine)
        assert owner_of(writing.connection, "w") is None
    entries = [row["entry"] for row in book.read("SELECT entry FROM audit")]
    assert len(entries) == 1
    assert b'"lock taken over"' in entries[0]
    assert b'"from_host":"there"' in entries[0]


def test_what_died_here_is_taken_over_at_once(book: Casebook) -> None:
    with book.writing("score") as writing:
        dead = take(writing, "w", LEASE)
        mine = take(writing, "w", LEASE)
        assert dead is not None
        assert mine is not None
        assert dead.token != mine.token
        assert f"process {mine.pid} on {socket.gethostname()} since 2026-" in str(mine)


def test_a_live_machine_s_window_is_left_to_it_and_one_that_stays_silent_is_not(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Casebook.open(state.casebook) as book:
        monkeypatch.setattr(socket, "gethostname", lambda: "there")
        with book.writing("score") as writing:
            take(writing, "w", timedelta(seconds=1.0))
        monkeypatch.undo()
        with pytest.raises(BusyError, match="on there"), held(state, "w", 0):
            pass
        with held(state, "w", 30) as hold, book.writing("score") as writing:
            hold.check(writing)


def test_whoever_lost_its_window_writes_nothing_more(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "LEASE", timedelta(milliseconds=40))
    with Casebook.open(state.casebook) as book:
        with held(state, "w", 0) as hold:
            with book.writing("score") as writing:
                hold.check(writing)
                assert take(writing, "w", LEASE) is not None  # as another machine would
            with pytest.raises(BusyError, match="taken over"), book.writing("score") as writing:
                hold.check(writing)
            hold.stop()
        with book.reading() as connection:
            assert owner_of(connection, "w") is not None


def test_a_lease_is_renewed_while_its_owner_lives(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "LEASE", timedelta(milliseconds=80))
    with Casebook.open(state.casebook) as book, held(state, "w", 0):
        first = book.read("SELECT leased_until FROM locks")[0]["leased_until"]
        for _ in range(500):
            if book.read("SELECT leased_until FROM locks")[0]["leased_until"] > first:
                break
            holding.time.sleep(0.01)
        else:
            pytest.fail("no sign of life")


def test_a_folder_that_cannot_be_written_is_told(state: StateFolder) -> None:
    state.root.mkdir(parents=True)
    state.scores.write_text("no folder")
    with pytest.raises(OutputError, match="Cannot write"), held(state, "w", 0):
        pass
