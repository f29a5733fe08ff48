"""A ring type shares what its families say, and nothing else: counted in the tables by brute force."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from made_world import START, MadeWorld, sharing

from ringfence.worlds.rings import REPORTING, RINGS, TUNING

SHARES = 0.5
"""At least so many members of a type share what it shows in; pooled over its rings."""
CHANCE = 0.05
"""At most so many share what it does not show in."""
TIMING_SHARES = 1.3
"""At least so many times as many meetings within an hour as chance would have it."""


def own_lines(world: MadeWorld) -> pd.DataFrame:
    """Addresses that are no carrier's or VPN's, whose gates everybody is behind."""
    used = world.addresses
    return used.loc[used["kind"].isin(["isp", "hosting"]), ["account_id", "ip"]]


ENTITIES: dict[str, Callable[[MadeWorld], pd.DataFrame]] = {
    "payment": lambda world: world.cards,
    "device": lambda world: world.devices,
    "network": own_lines,
    "content": lambda world: world.personas,
}


def members(world: MadeWorld, ring_type: str) -> pd.Series:
    """The ring of each account of rings of a type."""
    mine = world.truth[world.truth["ring_type"] == ring_type]
    assert len(mine) >= 15
    return mine.set_index("account_id")["ring"]


def home_of(ring_type: str, request: pytest.FixtureRequest) -> MadeWorld:
    name = "tuning_world" if ring_type in TUNING else "reporting_world"
    world: MadeWorld = request.getfixturevalue(name)
    return world


@pytest.mark.parametrize("family", ENTITIES)
@pytest.mark.parametrize("ring_type", RINGS)
def test_a_type_shares_what_it_says(request: pytest.FixtureRequest, ring_type: str, family: str) -> None:
    world = home_of(ring_type, request)
    share = sharing(ENTITIES[family](world), members(world, ring_type))
    if family in RINGS[ring_type].families:
        assert share >= SHARES
    else:
        assert share <= CHANCE


@pytest.mark.parametrize("family", ENTITIES)
def test_strangers_share_next_to_nothing(world: MadeWorld, family: str) -> None:
    """The measure finds nothing where there is nothing: people taken at random into sets of twenty."""
    people = world.truth.loc[world.truth["population"] == "background", "account_id"]
    sets = np.random.default_rng(1).permutation(len(people)) // 20
    assert sharing(ENTITIES[family](world), pd.Series(sets.astype(str), index=people)) < CHANCE


def test_handfuls_of_cards_do_not_meet(tuning_world: MadeWorld) -> None:
    """Who has a card in common has it with its handful, and nothing else joins handfuls."""
    mine = members(tuning_world, "cards_only")
    pairs = tuning_world.cards[tuning_world.cards["account_id"].isin(mine.index)]
    graph = nx.Graph(pairs.itertuples(index=False))
    shared = [part & set(mine.index) for part in nx.connected_components(graph)]
    assert all(mine[list(part)].nunique() == 1 for part in shared)
    sizes = sorted(len(part) for part in shared if len(part) > 1)
    assert sum(sizes) > 0.8 * pairs["account_id"].nunique()
    assert sizes[-1] >= 5


@pytest.fixture(scope="module")
def meetings(tuning_world: MadeWorld, reporting_world: MadeWorld) -> pd.DataFrame:
    return pd.concat([met(tuning_world), met(reporting_world)])


def met(world: MadeWorld) -> pd.DataFrame:
    """Meetings of members within an hour of a day, as seen and as days put in random order have it.

    Each account keeps its hours and how many days it works; which of its ring's days they are is drawn.
    """
    campaign = world.sent.loc[world.sent["distilling"], ["ring_type", "ring", "account_id", "ts"]]
    hour = (campaign["ts"] - START) // pd.Timedelta(hours=1)
    sent = campaign.assign(day=hour // 24, hour=hour % 24).drop(columns="ts").drop_duplicates()
    days = sent[["ring", "account_id", "day"]].drop_duplicates()
    of_ring = {ring: rows.unique() for ring, rows in days.groupby("ring")["day"]}
    rng = np.random.default_rng(2)
    drawn = []
    for _ in range(15):
        other = days.groupby(["ring", "account_id"])["day"].transform(
            lambda own: rng.choice(of_ring[own.name[0]], len(own), replace=False)
        )
        moved = sent.merge(days.assign(other=other), on=["ring", "account_id", "day"])
        drawn.append(_meetings(moved.drop(columns="day").rename(columns={"other": "day"})))
    return pd.DataFrame({"seen": _meetings(sent), "chance": pd.concat(drawn, axis=1).mean(axis=1)})


def _meetings(sent: pd.DataFrame) -> pd.Series:
    there = sent.groupby(["ring_type", "ring", "day", "hour"]).size()
    return (there * (there - 1) / 2).groupby("ring_type").sum()


@pytest.mark.parametrize("ring_type", RINGS)
def test_a_type_keeps_time_together_where_it_says(meetings: pd.DataFrame, ring_type: str) -> None:
    seen, chance = meetings.loc[ring_type]
    assert chance > 5
    if "timing" in RINGS[ring_type].families:
        assert seen / chance > TIMING_SHARES
    else:
        assert seen / chance < TIMING_SHARES


def test_who_works_in_shifts_takes_turns(tuning_world: MadeWorld) -> None:
    """A crew's load is balanced: requests of a stretch of work are evenly apart, not all at once."""
    campaign = tuning_world.sent[tuning_world.sent["distilling"]]
    even = {}
    for ring_type in ("residential_rotation", "mixed_accounts"):
        rows = campaign[campaign["ring_type"] == ring_type].sort_values(["ring", "ts"])
        gaps = rows.groupby("ring")["ts"].diff().dt.total_seconds().dropna()
        gaps = gaps[gaps < 3600]
        even[ring_type] = gaps.std() / gaps.mean()
    assert even["residential_rotation"] < 0.95 * even["mixed_accounts"]


def test_a_regrown_ring_comes_back(tuning_world: MadeWorld) -> None:
    mine = tuning_world.truth[tuning_world.truth["ring"].notna()]
    came_back = mine["replaces"].notna().groupby(mine["ring_type"]).mean()
    assert came_back["regrown"] > 0.15
    assert came_back["regrown"] > 3 * came_back.drop("regrown").max()


def test_a_pivoting_ring_moves_to_a_new_model_within_a_day(reporting_world: MadeWorld) -> None:
    new = reporting_world.tables["models"].set_index("model")["released_at"]
    sent = reporting_world.sent[reporting_world.sent["ts"] > new.max() + pd.Timedelta(days=1)]
    soon = sent[sent["ts"] < new.max() + pd.Timedelta(days=4)]
    moved = (soon["model"] == new.idxmax()).groupby(soon["ring_type"].fillna("innocent")).mean()
    assert moved["release_pivot"] > 0.4
    assert moved["release_pivot"] > 1.5 * moved["innocent"]


def test_aged_accounts_are_old(reporting_world: MadeWorld) -> None:
    known = reporting_world.known
    mine = known[(known["ring_type"] == "aged_accounts") & known["replaces"].isna()]
    assert (mine["created_at"] < START - pd.Timedelta(days=44)).all()


def test_core_accounts_carry_the_campaign(world: MadeWorld) -> None:
    sent = world.sent[world.sent["distilling"]].groupby(["account_id", "role"]).size()
    mean = sent.groupby("role").mean()
    assert mean["core"] > 3 * mean["member"]
    share = (world.truth["role"] == "core").sum() / world.truth["ring"].notna().sum()
    assert 0.08 < share < 0.25


def test_every_type_is_planted(tuning_world: MadeWorld, reporting_world: MadeWorld) -> None:
    assert set(tuning_world.rings["ring_type"]) == set(TUNING)
    assert set(reporting_world.rings["ring_type"]) == set(REPORTING)
    for world in (tuning_world, reporting_world):
        told = world.rings.set_index("ring")[["ring_type", "families"]].itertuples()
        assert all(tuple(row.families) == RINGS[row.ring_type].families for row in told)
