"""A replay sees no more than a provider saw, and says when each ring was found; swaps change no decision."""

from __future__ import annotations

import json
import math
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_ring import BANNED, HOUR, REPLACED, RING, RING_STARTS, START, World, small_world

from ringfence.config import Settings
from ringfence.engine import connect
from ringfence.errors import InputError, OutputError, UsageError
from ringfence.pipeline.asof import accounts_as_known, cut_times, write_as_known
from ringfence.pipeline.run import RunRequest, run
from ringfence.pipeline.worlds.fairness import Swap, compare_findings, derangement, fairness_swap
from ringfence.pipeline.worlds.replay import Cut, Replay, detection_frame, replacement_frame, replay
from ringfence.worlds.baselines.tables import open_tables
from ringfence.worlds.score.findings import Findings

MIDNIGHT = START.tz_localize(None).to_pydatetime()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def replayed(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Replay, Path]:
    scratch = tmp_path_factory.mktemp("scratch")
    return replay(world.folder, 24.0, scratch=scratch), scratch


def hour(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def as_known(world: World, when: datetime, folder: Path) -> dict[str, pd.DataFrame]:
    engine = connect(None)
    write_as_known(engine, open_tables(world.folder / "input", engine), when, folder)
    return {path.stem: pd.read_parquet(path) for path in folder.iterdir()}


def test_cuts_come_at_even_steps_and_the_last_sees_the_end() -> None:
    assert cut_times(hour(0), hour(60), 24.0) == [hour(24), hour(48), hour(60)]
    assert cut_times(hour(0), hour(48), 24.0) == [hour(24), hour(48)]
    assert cut_times(hour(0), hour(5), 24.0) == [hour(5)]


@pytest.mark.parametrize(("at", "status"), [(BANNED, "active"), (BANNED + 0.01, "banned")])
def test_a_ban_is_known_only_after_it(world: World, tmp_path: Path, at: float, status: str) -> None:
    known = as_known(world, hour(at), tmp_path)
    statuses = known["accounts"].set_index("account_id")["status"]
    assert statuses[RING[0]] == status
    assert (statuses.drop(RING[0]) == "active").all()
    assert len(known["account_events"]) == (status == "banned")


def test_nothing_of_the_future_is_copied_and_all_of_the_past_is(world: World, tmp_path: Path) -> None:
    when = hour(REPLACED)
    known = as_known(world, when, tmp_path)
    sent = world.tables["requests"]
    wanted = sent.loc[sent["ts"] < pd.Timestamp(when, tz="UTC"), "request_id"]
    assert set(known["requests"]["request_id"]) == set(wanted)
    assert RING[12] not in set(known["accounts"]["account_id"])
    assert RING[12] in set(as_known(world, hour(REPLACED + 0.1), tmp_path / "on")["accounts"]["account_id"])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 9),
            st.sampled_from(["banned", "reinstated", "limited", "verified"]),
        ),
        max_size=8,
    )
)
def test_status_is_that_of_the_last_ban_or_reinstatement(events: list[tuple[str, int, str]]) -> None:
    expected = {}
    for account in "ab":
        told = sorted(
            (ts, event) for a, ts, event in events if a == account and event in ("banned", "reinstated")
        )
        expected[account] = "banned" if told and told[-1][1] == "banned" else "active"

    engine = connect(None)
    columns = {
        "account_id": pa.array([account for account, _ts, _event in events], pa.string()),
        "ts": pa.array([hour(ts) for _account, ts, _event in events], pa.timestamp("us")),
        "event": pa.array([event for _account, _ts, event in events], pa.string()),
    }
    accounts = pa.table({"account_id": ["a", "b"], "created_at": [MIDNIGHT] * 2, "status": ["x", "y"]})
    made = accounts_as_known(ibis.memtable(accounts), ibis.memtable(pa.table(columns)), hour(99))
    assert (
        dict(engine.to_pyarrow(made).to_pandas()[["account_id", "status"]].itertuples(index=False))
        == expected
    )


def test_the_ring_is_found_at_the_first_cut_after_it_starts(
    world: World, replayed: tuple[Replay, Path]
) -> None:
    found = replayed[0].detection.rings.set_index("ring").loc["r-1"]
    sent = world.tables["requests"].merge(world.distilling, on="request_id")
    distilling = sent[sent["distilling"]]
    before = (distilling["ts"] < START + 48 * HOUR).mean()

    assert found["hours_at_review"] == pytest.approx(48 - RING_STARTS)
    assert found["share_at_review"] == pytest.approx(before)
    assert 0 < before < 1


def test_without_labels_nothing_is_called_a_ring_and_never_counts_as_all_spent(
    replayed: tuple[Replay, Path],
) -> None:
    told = replayed[0].as_json()["detection"]["overall"]
    assert told["ring"] == {
        "rings": 1, "found": 0, "median_share": 1.0, "worst_share": 1.0, "median_hours": None,
    }  # fmt: skip
    assert told["review"]["found"] == 1


def test_cuts_tell_what_was_seen(replayed: tuple[Replay, Path]) -> None:
    cuts = replayed[0].cuts
    assert [cut.rings for cut in cuts] == [0, 1, 1, 1]
    assert [cut.accounts for cut in cuts] == [412, 412, 413, 413]
    assert [len(cut.found["review"]) for cut in cuts] == [0, 1, 1, 1]


def test_hours_until_a_replacement_is_named(replayed: tuple[Replay, Path]) -> None:
    (row,) = replayed[0].replacements.to_dict("records")
    assert (row["account_id"], row["replaces"]) == (RING[12], RING[0])
    assert row["hours"] == pytest.approx(72 - REPLACED - 1)


def test_nothing_is_left_and_the_result_is_json(replayed: tuple[Replay, Path]) -> None:
    result, scratch = replayed
    assert list(scratch.iterdir()) == []
    assert json.loads(json.dumps(result.as_json()))["replacements"]["named"] == 1


def test_a_replay_that_crashes_leaves_nothing(world: World, tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error):
        replay(world.folder, 24.0, Settings(memory_limit="much"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_replayed_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"every 0.5 hours"):
        replay(world.folder, 0.5)
    with pytest.raises(OutputError, match="lie in each other"):
        replay(world.folder, 24.0, scratch=world.folder / "input" / "scratch")
    shutil.copytree(world.folder, tmp_path / "silent")
    shutil.rmtree(tmp_path / "silent" / "truth" / "requests")
    with pytest.raises(InputError, match="does not tell which requests distil"):
        replay(tmp_path / "silent", 24.0)


def cut(hours: float, *, review: str = "", ring: str = "", flagged: str = "") -> Cut:
    found = {"review": frozenset(review), "ring": frozenset(ring)}
    return Cut(hour(hours), 1, 1, found, 0, 0, frozenset(flagged))


def test_the_first_cut_counts_even_where_a_later_run_loses_the_ring() -> None:
    rings = pd.DataFrame(
        {"ring": ["A", "B", "C"], "ring_type": "t", "first_request": [hour(1), hour(2), hour(3)]}
    )
    cuts = [cut(10), cut(20, review="A"), cut(30, review="B", ring="A")]
    frame = detection_frame(rings, cuts, {"A": [1, 2, 4], "B": [0, 0, 8]}).set_index("ring")
    assert frame.loc["A"].to_dict() == {
        "ring_type": "t",
        "share_at_review": 0.5,
        "share_at_ring": 1.0,
        "hours_at_review": 19.0,
        "hours_at_ring": 29.0,
    }
    assert math.isnan(frame.loc["B", "hours_at_ring"])
    assert frame.loc["B", "share_at_review"] == 1.0
    assert frame.loc["C"].drop("ring_type").isna().all()


def test_a_replacement_that_is_never_named_has_no_hours() -> None:
    sent = pd.DataFrame({"account_id": ["a", "b"], "first_request": [hour(5), hour(5)]})
    hours = replacement_frame(sent, [cut(6), cut(9, flagged="a")])["hours"]
    assert hours[0] == 4.0
    assert math.isnan(hours[1])


@settings(deadline=None, derandomize=True)
@given(st.sets(st.text("ABCXYZ", min_size=2, max_size=2), min_size=2), st.integers(0, 99))
def test_no_country_stays_and_none_is_lost(countries: set[str], seed: int) -> None:
    swapped = derangement([*countries], seed)
    assert set(swapped) == set(swapped.values()) == countries
    assert all(old != new for old, new in swapped.items())


def findings(decisions: dict[str, str], accounts: dict[str, tuple[str | None, str | None]]) -> Findings:
    rows: list[tuple[Any, ...]] = [(name, 0.5, cluster, role) for name, (cluster, role) in accounts.items()]
    return Findings(
        "d",
        pd.DataFrame(rows, columns=["account_id", "score", "cluster", "role"]),
        pd.DataFrame([(c, d, math.nan) for c, d in decisions.items()], columns=["cluster", "decision", "p"]),
    )


def test_only_decisions_count_as_changes_whatever_communities_are_called() -> None:
    before = findings(
        {"one": "ring", "two": "benign", "three": "review"},
        {
            "same": ("one", "core"), "freed": ("one", "member"), "eased": ("one", "member"),
            "loose": ("two", "member"), "seen": ("three", "member"),
        },
    )  # fmt: skip
    after = findings(
        {"uno": "ring", "due": "review"},
        {
            "seen": ("due", "bystander"), "loose": (None, None), "eased": ("due", "member"),
            "freed": (None, None), "same": ("uno", "member"),
        },
    )  # fmt: skip
    changed = compare_findings("country", before, after)
    assert changed.changed == ("eased", "freed", "seen")
    assert (changed.accounts, changed.named, changed.fair) == (5, 4, False)


@pytest.fixture(scope="module")
def swapped(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Swap, Path]:
    folder = tmp_path_factory.mktemp("swap")
    twin = small_world(folder / "twin", shared=False)
    run(RunRequest(world.folder / "input", folder / "out", neo4j="none"))
    (folder / "scratch").mkdir()
    swap = fairness_swap(world.folder, folder / "out", scratch=folder / "scratch", twin=twin.folder)
    return swap, folder / "scratch"


def test_other_countries_change_no_decision(swapped: tuple[Swap, Path]) -> None:
    country = swapped[0].swaps[0]
    assert (country.attribute, country.accounts, country.named) == ("country", 413, 13)
    assert country.changed == ()
    assert country.largest_score_change == 0.0


def test_a_twin_that_is_judged_otherwise_is_noticed(swapped: tuple[Swap, Path]) -> None:
    swap, scratch = swapped
    assert swap.swaps[1].attribute == "language"
    assert swap.swaps[1].changed == tuple(RING)
    assert not swap.fair
    assert json.loads(json.dumps(swap.as_json()))["swaps"][1]["changed"] == RING
    assert list(scratch.iterdir()) == []


def test_one_country_cannot_be_swapped() -> None:
    with pytest.raises(InputError, match="1 countries"):
        derangement(["NO", "NO"], 1)
