"""Arrow tables as the values that stores take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.stores.rows import columns_of, rows_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.lists(st.none() | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))


@given(TIMES, st.sampled_from(["UTC", "Asia/Tokyo", "+02:00", None]))
def test_times_are_utc_whatever_their_zone(times: list[datetime | None], zone: str | None) -> None:
    written = times if zone else [time and time.replace(tzinfo=None) for time in times]
    table = pa.table({"at": pa.array(written, pa.timestamp("us", zone))})
    assert columns_of(table)["at"] == times
    numbers = [
        time and EPOCH + timedelta(microseconds=number)
        for (number,), time in zip(rows_of(table), times, strict=True)
    ]
    assert numbers == times


@pytest.mark.parametrize(
    ("unit", "value"), [("s", 1), ("ms", 1000), ("us", 1_000_000), ("ns", 1_000_000_999)]
)
def test_times_of_any_unit_are_microseconds(unit: str, value: int) -> None:
    table = pa.table({"at": pa.array([value, None], pa.timestamp(unit, "UTC"))})
    assert rows_of(table) == [[1_000_000], [None]]


def test_rows_and_columns_hold_the_same_values() -> None:
    table = pa.table({"a": [1, None], "b": [["x", "y"], []], "c": pa.array(["k", "k"]).dictionary_encode()})
    assert columns_of(table) == {"a": [1, None], "b": [["x", "y"], []], "c": ["k", "k"]}
    assert rows_of(table) == [[1, ["x", "y"], "k"], [None, [], "k"]]


def test_an_empty_table_has_no_rows() -> None:
    assert rows_of(pa.table({"a": pa.array([], pa.string())})) == []
