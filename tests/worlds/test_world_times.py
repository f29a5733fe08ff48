"""Nothing happens before it can, and what reviewers know comes late and is true."""

from __future__ import annotations

import pandas as pd
import pytest
from made_world import END, START, MadeWorld

ACTIVITY = ("requests", "payments", "logins", "account_events", "labels")
HOUR = pd.Timedelta(hours=1)


def banned_times(world: MadeWorld, event: str = "banned") -> pd.Series:
    events = world.tables["account_events"]
    return events[events["event"] == event].set_index("account_id")["ts"]


@pytest.mark.parametrize("name", ACTIVITY)
def test_nothing_happens_before_an_account_is_made(world: MadeWorld, name: str) -> None:
    created = world.tables["accounts"].set_index("account_id")["created_at"]
    frame = world.tables[name]
    assert (frame["ts"] >= frame["account_id"].map(created)).all()


def test_accounts_are_made_before_the_window_and_all_over_it(world: MadeWorld) -> None:
    created = world.tables["accounts"]["created_at"]
    assert 0.4 < (created < START).mean() < 0.75
    assert created.max() < END
    for day in range(0, 28, 7):
        opens = START + day * 24 * HOUR
        assert created.between(opens, opens + 7 * 24 * HOUR).mean() > 0.04


def test_models_are_used_only_after_their_release(world: MadeWorld) -> None:
    released = world.tables["models"].set_index("model")["released_at"]
    sent = world.tables["requests"]
    assert (sent["ts"] > sent["model"].map(released)).all()
    new = released.idxmax()
    assert START < released[new] < END
    after = sent[sent["ts"] > released[new]]
    early = after["ts"] < released[new] + 72 * HOUR
    late = after["ts"] > END - 72 * HOUR
    assert 0 < (after[early]["model"] == new).mean() < (after[late]["model"] == new).mean()


@pytest.mark.parametrize("name", ["requests", "payments", "logins"])
def test_banned_accounts_fall_silent_until_they_are_let_in_again(world: MadeWorld, name: str) -> None:
    frame = world.tables[name]
    banned = frame["account_id"].map(banned_times(world))
    back = frame["account_id"].map(banned_times(world, "reinstated")).fillna(END)
    assert not ((frame["ts"] >= banned) & (frame["ts"] < back)).any()
    assert (frame["ts"] < banned).sum() > 10, "they were there before"
    if name == "requests":
        assert (frame["ts"] >= back).sum() > 10, "some come back"


def test_events_of_an_account_are_in_order_and_its_status_is_the_last(world: MadeWorld) -> None:
    banned, back = banned_times(world), banned_times(world, "reinstated")
    upheld = banned_times(world, "appeal_upheld")
    assert banned.index.is_unique
    assert len(banned) > 40
    assert set(upheld.index) == set(back.index)
    assert set(back.index) < set(banned.index)
    assert (banned[back.index] < upheld[back.index]).all()
    assert (upheld[back.index] < back).all()
    status = world.tables["accounts"].set_index("account_id")["status"]
    assert set(status[status == "banned"].index) == set(banned.index) - set(back.index)


def test_bans_fall_on_both_sides_and_mostly_on_innocents(world: MadeWorld) -> None:
    ring = world.truth.set_index("account_id")["ring"]
    guilty = ring[banned_times(world).index].notna()
    assert guilty.sum() >= 10
    assert (~guilty).sum() >= 20
    assert guilty.sum() / ring.notna().sum() > (~guilty).sum() / ring.isna().sum()


def test_who_is_replaced_comes_back_within_two_days_and_into_the_same_ring(world: MadeWorld) -> None:
    known = world.known.set_index("account_id")
    new = known[known["replaces"].notna()]
    old = known.loc[new["replaces"]]
    assert len(new) >= 5
    assert 0 < new["ring"].notna().sum() < len(new)
    assert new["ring"].fillna("").tolist() == old["ring"].fillna("").tolist()
    assert new["replaces"].is_unique
    waited = new["created_at"].to_numpy() - banned_times(world)[new["replaces"]].to_numpy()
    assert waited.min() > pd.Timedelta(0)
    assert waited.max() <= 48 * HOUR
    assert (old["status"] == "banned").all()
    assert world.sent["account_id"].isin(new.index).any()


def test_labels_are_true_and_late(world: MadeWorld) -> None:
    labels = world.tables["labels"].merge(world.truth, on="account_id")
    assert labels["account_id"].is_unique
    guilty = labels["ring"].notna()
    assert ((labels["label"] == "ring") == guilty).all()
    assert (labels["ring_name"].notna() == guilty).all()
    first = world.rings.set_index("ring")["first_request"]
    named = labels[guilty]
    assert (named["ts"] > named["ring"].map(first)).all()
    assert (named.groupby("ring_name")["ring"].nunique() == 1).all()
    assert (named.groupby("ring")["ring_name"].nunique() == 1).all()
    assert not set(named["ring_name"]) & set(world.rings["ring"])


def test_some_rings_nobody_has_heard_of_and_none_is_known_wholly(world: MadeWorld) -> None:
    labelled = world.truth["account_id"].isin(world.tables["labels"]["account_id"])
    known = labelled.groupby(world.truth["ring"]).mean()
    assert (known == 0).sum() >= 3
    assert (known > 0).sum() >= 3
    assert known[known > 0].mean() < 0.6
    assert known.max() < 0.95


def test_every_population_has_innocents_that_reviewers_know(world: MadeWorld) -> None:
    labels = world.tables["labels"]
    benign = world.truth[
        world.truth["account_id"].isin(labels.loc[labels["label"] == "benign", "account_id"])
    ]
    innocent = world.truth[world.truth["ring"].isna()]
    size = innocent["population"].value_counts()
    assert set(size[size >= 100].index) <= set(benign["population"])
    assert 0.03 < len(benign) / len(innocent) < 0.15


def test_people_keep_the_hours_of_their_country_and_students_keep_deadlines(
    reporting_world: MadeWorld,
) -> None:
    sent = reporting_world.sent
    own = sent[sent["population"] == "background"]
    hours = own[own["country"] == "DE"]["ts"].dt.hour
    assert len(hours) > 300
    assert hours.between(7, 20).mean() > 3 * hours.isin([0, 1, 2, 3, 4]).mean()
    weekend = own["ts"].dt.day_of_week >= 5
    assert weekend.mean() < 8 / 30
    university = sent[sent["population"] == "university"]
    by_group = [university["group"], university["prompt"].str[:25]]
    pasted = university.groupby(by_group).filter(lambda rows: rows["account_id"].nunique() > 12)
    assert len(pasted) > 100
    for _, rows in pasted.groupby(["group", pasted["prompt"].str[:25]]):
        assert rows["ts"].max() - rows["ts"].min() < pd.Timedelta(days=9)
        last = rows["ts"] > rows["ts"].max() - pd.Timedelta(days=2)
        assert last.mean() > 0.5, "more the closer it comes"


def test_accounts_of_a_group_do_not_meet_in_one_millisecond(world: MadeWorld) -> None:
    together = world.sent.groupby("ts")["account_id"].nunique()
    assert together.max() <= 3
