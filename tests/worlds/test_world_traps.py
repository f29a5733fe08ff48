"""Nothing but what accounts share tells rings from innocents, and innocents share as much."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from made_world import START, MadeWorld
from scipy import stats

from ringfence.worlds.innocents import INNOCENTS
from ringfence.worlds.make import WorldRequest, make_plan
from ringfence.worlds.phrases import PHRASEBOOKS, TACTICS
from ringfence.worlds.plan import Plan
from ringfence.worlds.words import EMAIL_DOMAINS


def rank_correlation(left: pd.Series, right: pd.Series) -> float:
    return float(stats.spearmanr(left, right).statistic)


def test_ids_carry_no_order(world: MadeWorld) -> None:
    known = world.known.sort_values("account_id")
    place = pd.Series(np.arange(len(known)))
    assert abs(rank_correlation(place, known["created_at"])) < 0.05
    assert abs(rank_correlation(place, known["ring"].notna())) < 0.05
    assert abs(rank_correlation(place, pd.Series(pd.factorize(known["population"])[0]))) < 0.05
    codes = pd.Series(pd.factorize(known["group"].fillna(known["ring"]))[0])
    beside = (codes.to_numpy()[1:] == codes.to_numpy()[:-1]).mean()
    assert beside < 0.02, "members of a group do not stand side by side"


@pytest.mark.parametrize(
    ("table", "column"), [("requests", "request_id"), ("payments", "payment_id"), ("requests", "session_id")]
)
def test_ids_of_events_carry_no_order(world: MadeWorld, table: str, column: str) -> None:
    events = world.tables[table].drop_duplicates(column).sort_values(column)
    place = pd.Series(np.arange(len(events)))
    assert abs(rank_correlation(place, events["ts"])) < 0.03
    ring = events["account_id"].isin(world.truth.loc[world.truth["ring"].notna(), "account_id"])
    assert abs(rank_correlation(place, ring)) < 0.03


@pytest.fixture(scope="module")
def many_rings() -> Plan:
    return make_plan(WorldRequest("report-everyday", 0.05, 5, prevalence=0.2))


@pytest.mark.parametrize("column", ["plan", "country", "language"])
def test_rings_are_drawn_as_innocents_are(many_rings: Plan, column: str) -> None:
    """Of many rings, as the members of one mostly live in one country."""
    drawn = pd.Series(getattr(many_rings.accounts.habits, column))
    ring = many_rings.ring
    for value in drawn.unique():
        has = drawn == value
        of_rings = has[ring >= 0].groupby(ring[ring >= 0]).mean()
        assert len(of_rings) > 100
        assert of_rings.mean() == pytest.approx(has[ring < 0].mean(), abs=0.09), value


def test_plans_and_mail_are_alike(world: MadeWorld) -> None:
    for column in ("plan", "email_domain"):
        shares = (
            world.known.groupby(world.known["ring"].notna())[column]
            .value_counts(normalize=True)
            .unstack(fill_value=0)
        )
        common = shares.loc[:, shares.loc[False] > 0.01]
        assert (common > 0).all(axis=None)
        assert (common.loc[True] - common.loc[False]).abs().max() < 0.1, column


def test_organisations_are_on_both_sides(tuning_world: MadeWorld) -> None:
    known = tuning_world.known.assign(own=~tuning_world.known["email_domain"].isin(EMAIL_DOMAINS))
    for guilty, rows in known.groupby(known["ring"].notna()):
        assert 0.02 < rows["org_id"].notna().mean() < 0.4, guilty
        assert 0.02 < rows["own"].mean() < 0.4, guilty
    assert known.loc[known["own"], "org_id"].notna().all()
    free = known[known["org_id"].notna() & ~known["own"]]
    assert len(free) > 10, "not all of an organisation use its domain"
    of_domain = known[known["own"]].groupby("email_domain")["org_id"].nunique()
    assert (of_domain == 1).all()


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("access_route", ["console", "gateway", "api"]),
        ("stop_reason", ["end_turn", "max_tokens", "tool_use"]),
        ("status_code", [200, 429, 500]),
        ("model", ["sable-2", "sable-3", "sable-3-mini", "sable-4"]),
    ],
)
def test_requests_are_alike(world: MadeWorld, column: str, values: list[object]) -> None:
    shares = (
        world.sent.groupby(world.sent["ring"].notna())[column]
        .value_counts(normalize=True)
        .unstack(fill_value=0)
    )
    assert set(shares.columns) == set(values)
    assert (shares > 0).all(axis=None)
    assert (shares.loc[True] - shares.loc[False]).abs().max() < 0.15


def test_user_agents_and_end_users_are_on_both_sides(world: MadeWorld) -> None:
    sent = world.sent
    guilty = sent["ring"].notna()
    assert set(sent.loc[guilty, "user_agent"]) == set(sent.loc[~guilty, "user_agent"])
    for rows in (sent[guilty], sent[~guilty]):
        assert 0.02 < rows["end_user_id"].notna().mean() < 0.3
        assert rows["end_user_id"].nunique() > 50
        assert 0.2 < rows["device_id"].notna().mean() < 0.8
    assert not set(sent.loc[guilty, "end_user_id"].dropna()) & set(sent.loc[~guilty, "end_user_id"].dropna())


def test_cards_are_on_both_sides(world: MadeWorld) -> None:
    paid = world.tables["payments"].merge(world.known, on="account_id")
    guilty = paid["ring"].notna()
    for rows in (paid[guilty], paid[~guilty]):
        assert set(rows["instrument_type"]) == {"prepaid", "card", "wallet", "bank"}
        assert (rows["instrument_type"] == "prepaid").mean() > 0.02
        assert rows["amount_usd"].ge(0).all()
    prepaid = paid[paid["instrument_type"] == "prepaid"]
    assert prepaid["bin"].nunique() <= 8, "a few BINs, as issuers have"
    shared = set(prepaid.loc[guilty, "bin"]) & set(prepaid.loc[~guilty, "bin"])
    assert shared == set(prepaid.loc[guilty, "bin"])
    assert set(paid.loc[guilty, "bin"]) <= set(paid.loc[~guilty, "bin"])
    of_card = paid.groupby("instrument_id")[["instrument_type", "bin"]].nunique()
    assert (of_card == 1).all(axis=None), "a card is one card"


def test_tokens_do_not_tell(world: MadeWorld) -> None:
    sent = world.sent
    guilty = sent["ring"].notna()
    for column in ("input_tokens", "output_tokens"):
        assert sent.loc[guilty, column].median() == pytest.approx(
            sent.loc[~guilty, column].median(), rel=0.15
        )


def test_creation_does_not_tell(world: MadeWorld) -> None:
    older = world.known["created_at"] < START
    guilty = world.known["ring"].notna()
    assert older[guilty].mean() == pytest.approx(older[~guilty].mean(), abs=0.12)


def test_every_population_is_many_groups(world: MadeWorld) -> None:
    innocent = world.truth[world.truth["ring"].isna()]
    groups = innocent.groupby("population")["group"].nunique()
    assert set(groups.index) == set(INNOCENTS)
    assert groups.min() >= 6


@pytest.mark.parametrize("entity", ["cards", "devices"])
def test_innocents_share_as_widely_as_rings(world: MadeWorld, entity: str) -> None:
    used = getattr(world, entity).merge(world.known, on="account_id")
    column = {"cards": "instrument_id", "devices": "device_id"}[entity]
    holders = used.groupby(column).agg(
        accounts=("account_id", "nunique"), ring=("ring", "first"), populations=("population", "nunique")
    )
    innocent = holders[holders["ring"].isna()]
    assert (innocent["accounts"] >= 7).sum() >= 10
    assert innocent["accounts"].max() >= 0.8 * holders.loc[holders["ring"].notna(), "accounts"].max()
    wide = used[used[column].isin(innocent.index[innocent["accounts"] >= 7])]
    assert wide["population"].nunique() >= 2
    assert (holders["populations"] == 1).all(), "nobody shares a card or device with strangers"


def test_innocents_share_prompts_as_rings_do(world: MadeWorld) -> None:
    private = world.sent[world.sent["system_prompt"].notna() & world.sent["ring"].isna()]
    holders = private.groupby("system_prompt").agg(
        accounts=("account_id", "nunique"), unit=("group", "nunique"), populations=("population", "nunique")
    )
    one_group = holders[(holders["unit"] == 1) & (holders["accounts"] >= 5)]
    assert len(one_group) >= 10
    popular = holders[holders["populations"] >= 4]
    assert len(popular) >= 5, "popular frameworks"


def test_innocents_ask_what_distillers_ask(world: MadeWorld) -> None:
    phrases = {re.escape(s) for book in PHRASEBOOKS.values() for said in book.tactics.values() for s in said}
    private = world.sent[world.sent["system_prompt"].notna()].iloc[::12]
    asks = private["system_prompt"].str.contains("|".join(phrases))
    campaign = private["distilling"]
    assert asks[campaign].mean() > 0.9
    assert asks[private["ring"].isna()].mean() > 0.15
    legitimate = private["population"].isin(["partner", "evaluation", "research_lab", "hobby_distiller"])
    assert asks[legitimate].mean() > 0.3
    wanted = world.rings["tactics"].str[0]
    assert wanted.nunique() >= 4
    assert set(wanted) <= set(TACTICS)
