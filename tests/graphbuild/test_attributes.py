"""Account features against pandas, and what no feature may look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds_at_random import random_world

from ringfence.graphbuild.attributes import account_attributes, entity_counts
from ringfence.graphbuild.numbered import seen_of
from ringfence.graphbuild.sightings import activity, sightings
from ringfence.schema import ENTITY_TYPES

FED = frozenset({"accounts", "requests", "payments", "logins", "transfers"})


def _attributes(
    engine: Any, tables: Any, world: dict[str, pd.DataFrame], fed: frozenset[str]
) -> pd.DataFrame:
    read = tables(world)
    accounts, attributes = account_attributes(engine, read, fed, activity(read))
    assert accounts.to_pylist() == sorted(world["accounts"]["account_id"])
    seen = {
        name: seen_of(engine.to_pyarrow(sightings(read, entity)).column, accounts)
        for name, entity in ENTITY_TYPES.items()
    }
    found = pd.concat([entity_counts(seen, len(accounts)), attributes], axis=1)
    return found.set_axis(accounts.to_pandas()).astype("float64")


@pytest.fixture(scope="module")
def world() -> dict[str, pd.DataFrame]:
    return random_world(4)


@pytest.fixture(scope="module")
def found(engine: Any, tables: Any, world: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return _attributes(engine, tables, world, FED)


def _same(found: pd.Series, expected: pd.Series, *, unseen: float) -> None:
    expected = expected.astype("float64").reindex(found.index)
    if not np.isnan(unseen):
        expected = expected.fillna(unseen)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-6, atol=1e-6)


def test_requests_are_counted(found: pd.DataFrame, world: dict[str, pd.DataFrame]) -> None:
    rows = world["requests"].assign(day=world["requests"]["ts"].dt.date)
    by = rows.groupby("account_id")
    _same(found["requests"], by.size(), unseen=0)
    assert (found["requests"] == 0).any()
    for feature, column in (
        ("active_days", "day"),
        ("models", "model"),
        ("access_routes", "access_route"),
        ("end_users", "end_user_id"),
        ("sessions", "session_id"),
    ):
        _same(found[feature], by[column].nunique(), unseen=0)


def test_means_and_shares_are_null_where_nothing_was_seen(
    found: pd.DataFrame, world: dict[str, pd.DataFrame]
) -> None:
    rows = world["requests"]
    rows = rows.assign(
        reasons=rows["reasoning_tokens"] > 0, tools=rows["tool_calls"] > 0, failed=rows["status_code"] >= 400
    ).astype({"reasons": float, "tools": float, "failed": float, "output_tokens": float})
    by = rows.groupby("account_id")
    _same(found["input_tokens_mean"], by["input_tokens"].mean(), unseen=np.nan)
    _same(found["output_tokens_mean"], by["output_tokens"].mean(), unseen=np.nan)
    _same(found["output_tokens_spread"], by["output_tokens"].std(ddof=0), unseen=np.nan)
    _same(found["reasoning_share"], by["reasons"].mean(), unseen=np.nan)
    _same(found["tool_share"], by["tools"].mean(), unseen=np.nan)
    _same(found["failed_share"], by["failed"].mean(), unseen=np.nan)
    assert found["tool_share"].isna().any()


def test_hour_entropy(found: pd.DataFrame, world: dict[str, pd.DataFrame]) -> None:
    hours = world["requests"]["ts"].dt.hour.groupby(world["requests"]["account_id"])
    shares = hours.value_counts(normalize=True)
    _same(found["hour_entropy"], -(shares * np.log(shares)).groupby(level=0).sum(), unseen=np.nan)


def test_age_is_null_where_either_time_is_unknown_and_never_negative(
    found: pd.DataFrame, world: dict[str, pd.DataFrame]
) -> None:
    created = world["accounts"].set_index("account_id")["created_at"]
    first = world["requests"].groupby("account_id")["ts"].min().reindex(created.index)
    days = (first - created).dt.total_seconds() / 86_400
    assert (days < 0).any(), "clocks disagree somewhere, else this shows little"
    assert created.isna().any()
    _same(found["age_days_at_first_request"], days.clip(lower=0), unseen=np.nan)


def test_payments_logins_and_transfers(found: pd.DataFrame, world: dict[str, pd.DataFrame]) -> None:
    paid, sent = world["payments"].groupby("account_id"), world["transfers"].groupby("from_account_id")
    received = world["transfers"].groupby("to_account_id")
    _same(found["payments"], paid.size(), unseen=0)
    _same(found["amount_paid"], paid["amount_usd"].sum(), unseen=np.nan)
    _same(found["logins"], world["logins"].groupby("account_id").size(), unseen=0)
    _same(found["transfers_sent"], sent.size(), unseen=0)
    _same(found["receivers"], sent["to_account_id"].nunique(), unseen=0)
    _same(found["amount_sent"], sent["amount_usd"].sum(), unseen=np.nan)
    _same(found["transfers_received"], received.size(), unseen=0)
    _same(found["senders"], received["from_account_id"].nunique(), unseen=0)
    _same(found["amount_received"], received["amount_usd"].sum(), unseen=np.nan)


def test_entities_are_counted(found: pd.DataFrame, world: dict[str, pd.DataFrame]) -> None:
    for name, entity in ENTITY_TYPES.items():
        rows = pd.concat(
            [
                world[t][["account_id", c]].set_axis(["account_id", "entity"], axis=1)
                for t, c in entity.sources
            ]
        )
        _same(found[f"{name}s"], rows.groupby("account_id")["entity"].nunique(), unseen=0)


@pytest.mark.parametrize(
    ("absent", "features"),
    [
        ("requests", {"requests", "active_days", "hour_entropy", "age_days_at_first_request"}),
        ("payments", {"payments", "amount_paid"}),
        ("logins", {"logins"}),
        ("transfers", {"transfers_sent", "transfers_received", "senders", "receivers"}),
    ],
)
def test_features_of_tables_that_nothing_fed_are_left_out(
    engine: Any,
    tables: Any,
    world: dict[str, pd.DataFrame],
    found: pd.DataFrame,
    absent: str,
    features: set[str],
) -> None:
    rest = {name: table for name, table in world.items() if name != absent}
    columns = set(_attributes(engine, tables, rest, FED - {absent}).columns)
    assert features <= set(found.columns)
    assert not features & columns


def test_country_plan_status_domain_events_and_labels_change_no_feature(
    engine: Any, tables: Any, world: dict[str, pd.DataFrame], found: pd.DataFrame
) -> None:
    """Where someone comes from is no feature, and what was decided before is a label."""
    rng = np.random.default_rng(0)
    other = dict(world)
    for name, columns in (
        ("accounts", ["plan", "country", "status", "email_domain"]),
        ("account_events", ["account_id", "event"]),
        ("labels", ["account_id", "label"]),
    ):
        turned = {c: rng.permutation(world[name][c].to_numpy(object)) for c in columns}
        other[name] = world[name].assign(**turned)
        assert not other[name].equals(world[name])
    pd.testing.assert_frame_equal(_attributes(engine, tables, other, FED), found)


def test_names_of_accounts_change_no_feature(
    engine: Any, tables: Any, world: dict[str, pd.DataFrame], found: pd.DataFrame
) -> None:
    names = found.index.tolist()
    turned = dict(zip(names, reversed(names), strict=True))
    other = {
        name: table.assign(**{c: table[c].map(turned) for c in table.columns if c.endswith("account_id")})
        for name, table in world.items()
    }
    again = _attributes(engine, tables, other, FED)
    pd.testing.assert_frame_equal(again.loc[[turned[n] for n in names]].set_index(found.index), found)
