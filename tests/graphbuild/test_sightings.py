"""Sightings: who was seen with what, how often, first and last, against a recount in pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ringfence.graphbuild.sightings import activity, sightings, transfers
from ringfence.schema import ENTITY_TYPES

START = pd.Timestamp("2026-02-01", tz="UTC")


def _events(seed: int, rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    holes = rng.random(rows) < 0.3
    return pd.DataFrame(
        {
            "account_id": rng.choice(list("abcdef"), rows),
            "ts": START + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s"),
            "ip": pd.Series(rng.choice(["192.0.2.1", "192.0.2.2", "2001:db8::1"], rows)).mask(holes),
            "device_id": pd.Series(rng.choice(["d1", "d2", "d3", "d4"], rows)).mask(~holes),
        }
    )


@pytest.mark.parametrize("entity", ["ip", "device"])
def test_requests_and_logins_are_counted_together_and_nulls_are_nothing(
    engine: Any, tables: Any, entity: str
) -> None:
    world = {"requests": _events(1), "logins": _events(2)}
    column = ENTITY_TYPES[entity].sources[0][1]

    found = engine.to_pyarrow(sightings(tables(world), ENTITY_TYPES[entity])).to_pandas()

    both = pd.concat(world.values()).dropna(subset=column).rename(columns={column: "entity_id"})
    expected = both.groupby(["account_id", "entity_id"])["ts"].agg(["size", "min", "max"])
    found = found.set_index(["account_id", "entity_id"]).sort_index()
    assert found.index.is_unique
    assert list(found.index) == list(expected.index)
    assert (found["count"] == expected["size"]).all()
    assert (found["first_seen"] == expected["min"]).all()
    assert (found["last_seen"] == expected["max"]).all()


def test_a_payment_without_a_time_counts_and_has_no_time(engine: Any, tables: Any) -> None:
    payments = pd.DataFrame(
        {
            "account_id": ["a", "a", "b"],
            "instrument_id": ["card"] * 3,
            "ts": [START, pd.NaT, pd.NaT],
        }
    )
    found = engine.to_pyarrow(sightings(tables({"payments": payments}), ENTITY_TYPES["instrument"]))
    found = found.to_pandas().set_index("account_id")
    assert found["count"].to_dict() == {"a": 2, "b": 1}
    assert found.loc["a", "first_seen"] == found.loc["a", "last_seen"] == START
    assert pd.isna(found.loc["b", "first_seen"])


@pytest.mark.parametrize("entity", sorted(ENTITY_TYPES))
def test_nothing_fed_means_nothing_seen(engine: Any, tables: Any, entity: str) -> None:
    found = engine.to_pyarrow(sightings(tables({}), ENTITY_TYPES[entity]))
    assert found.num_rows == 0
    assert found.column_names == ["account_id", "entity_id", "count", "first_seen", "last_seen"]


def test_transfers_are_summed_per_direction(engine: Any, tables: Any) -> None:
    rows = pd.DataFrame(
        {
            "from_account_id": ["a", "a", "b", "a"],
            "to_account_id": ["b", "b", "a", "c"],
            "ts": [START, START + pd.Timedelta("1D"), START, pd.NaT],
            "amount_usd": [0.1, 0.2, 5.0, np.nan],
        }
    )
    found = engine.to_pyarrow(transfers(tables({"transfers": rows}))).to_pandas().set_index(["start", "end"])
    assert found["count"].to_dict() == {("a", "b"): 2, ("b", "a"): 1, ("a", "c"): 1}
    assert found.loc[("a", "b"), "amount_usd"] == 0.3, "rounded: 0.1 + 0.2 in any order"
    assert pd.isna(found.loc[("a", "c"), "amount_usd"])
    assert found.loc[("a", "b"), "last_seen"] == START + pd.Timedelta("1D")


def test_activity_is_counted_by_day_of_utc(engine: Any, tables: Any) -> None:
    times = pd.to_datetime(["2026-02-01T23:59:59Z", "2026-02-02T00:00:00Z", "2026-02-02T12:00:00Z"])
    rows = pd.DataFrame({"account_id": ["a"] * 3, "ts": times})
    found = engine.to_pyarrow(activity(tables({"requests": rows}))).to_pandas()
    assert {str(day)[:10]: n for day, n in zip(found["day"], found["requests"], strict=True)} == {
        "2026-02-01": 1,
        "2026-02-02": 2,
    }
