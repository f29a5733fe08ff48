"""What values become, and which are refused."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import TS, Outcome, load_files

from ringfence.errors import InputError
from ringfence.loaders.addresses import canonical_addresses, canonical_networks

WHEN = datetime(2026, 2, 1, tzinfo=UTC)


def load_column(tmp_path: Path, table: str, column: str, values: list[str]) -> Outcome:
    """Load a CSV whose rows are all good but for one column."""
    fixed = {
        "logins": {},
        "payments": {"payment_id": "", "instrument_id": "i"},
        "requests": {"request_id": ""},
    }
    names = [*fixed[table], *({"account_id", "ts"} - {column})]
    head = ",".join([*names, column])
    lines = []
    for number, value in enumerate(values):
        row = {**fixed[table], "account_id": f"a{number}", "ts": TS}
        row |= {name: f"k{number}" for name in row if name in ("payment_id", "request_id")}
        lines.append(",".join([*(row[name] for name in names), f'"{value}"']))
    return load_files(tmp_path, **{f"{table}_csv": "\n".join([head, *lines])})


GOOD_TIMES = {
    "2026-02-01": WHEN,
    "2026-02-01T00:00:00Z": WHEN,
    "2026-02-01 00:00:00": WHEN,
    "2026-02-01T00:00:00.25Z": WHEN.replace(microsecond=250_000),
    "2026-02-01T05:30:00+05:30": WHEN,
    "2026-01-31T16:00:00-0800": WHEN,
    "2000-01-01": datetime(2000, 1, 1, tzinfo=UTC),
    "2099-12-31T23:59:59Z": datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC),
}
BAD_TIMES = ["1999-12-31T23:59:59Z", "2100-01-01", "yesterday", "1769904000", "20260201", "2026-02-30"]
BAD_TIMES += [
    "2026-02-01Tnoon",
    "2026-02-01T25:00:00Z",
    "01/02/2026",
    "infinity",
    "2000-01-01T00:00:00+00:01",
]


def test_times_are_utc_whatever_offset_they_are_written_with(tmp_path: Path) -> None:
    assert load_column(tmp_path, "logins", "ts", list(GOOD_TIMES)).column("logins", "ts") == [
        *GOOD_TIMES.values()
    ]


def test_times_that_are_none_or_implausible_are_refused(tmp_path: Path) -> None:
    out = load_column(tmp_path, "logins", "ts", BAD_TIMES)
    assert out.refused() == [("logins.csv", 2 + n, "ts") for n in range(len(BAD_TIMES))]
    assert "ISO 8601" in out.rejections()[0]["reason"]


def test_whole_numbers(tmp_path: Path) -> None:
    good = {"0": 0, "7": 7, " 7 ": 7, "1.0": 1, "1e3": 1000, str(2**63 - 1): 2**63 - 1, "": None}
    bad = ["1.5", "-1", "9999999999999999999", str(2**63), "NaN", "inf", "many", "0x10", "1e40", "1,000"]
    out = load_column(tmp_path, "requests", "input_tokens", [*good, *bad])
    assert out.column("requests", "input_tokens") == [*good.values()]
    assert len(out.rejections()) == len(bad)


def test_reals(tmp_path: Path) -> None:
    good = {"1.5": 1.5, "-1": -1.0, "1e3": 1000.0, "": None}
    bad = ["nan", "inf", "-Infinity", "1e400", "$5", "5 USD"]
    out = load_column(tmp_path, "payments", "amount_usd", [*good, *bad])
    assert out.column("payments", "amount_usd") == [*good.values()]
    assert {r["reason"] for r in out.rejections()} == {"is not a finite number"}
    assert len(out.rejections()) == len(bad)


def test_addresses(tmp_path: Path) -> None:
    good = {
        "192.0.2.1": "192.0.2.1",
        "::ffff:192.0.2.1": "192.0.2.1",
        "::FFFF:c000:201": "192.0.2.1",
        "2001:DB8:0:0:0:0:0:1": "2001:db8::1",
        "2001:0db8::0001": "2001:db8::1",
        "fe80::1%eth0": "fe80::1",
        "": None,
    }
    bad = ["192.0.2", "192.0.2.1:443", "192.0.2.256", "192.0.02.1", "[::1]", "192.0.2.0/24", "localhost"]
    out = load_column(tmp_path, "logins", "ip", [*good, *bad])
    assert out.column("logins", "ip") == [*good.values()]
    assert len(out.rejections()) == len(bad)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.ip_addresses().map(str) | st.text(max_size=12) | st.none(), max_size=20))
def test_addresses_agree_with_the_standard_library(texts: list[str | None]) -> None:
    def oracle(text: str | None) -> str | None:
        try:
            address = ipaddress.ip_address((text or "").strip())
        except ValueError:
            return None
        mapped = address.ipv4_mapped if address.version == 6 else None
        return str(mapped or address).split("%")[0]

    assert canonical_addresses(pa.array(texts, pa.string())).to_pylist() == [oracle(text) for text in texts]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:DB8::1/32", "2001:db8::/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::/0", "::/0"),
        ("10.0.0.0/33", None),
        ("home", None),
        ("", None),
        (None, None),
    ],
)
def test_networks(written: str | None, canonical: str | None) -> None:
    assert canonical_networks(pa.array([written], pa.string())).to_pylist() == [canonical]


def test_values_outside_the_allowed_ones_are_refused_and_the_allowed_ones_told(tmp_path: Path) -> None:
    events = f"account_id,ts,event\na,{TS},banned\nb,{TS},Banned\nc,{TS},\n"
    out = load_files(tmp_path, logins_csv="account_id,ts\n", account_events_csv=events)
    assert out.column("account_events", "event") == ["banned"]
    odd, missing = out.rejections()
    assert odd["reason"].startswith("is none of banned, limited")
    assert missing["reason"] == "is missing"


def parquet_logins(values: Any, column: str = "device_id") -> pa.Table:
    rows = len(values)
    base = {"account_id": [f"a{n}" for n in range(rows)], "ts": pa.array([WHEN] * rows)}
    return pa.table({**base, column: values})


@pytest.mark.parametrize(
    ("values", "loaded"),
    [
        (pa.array([1.0, None, 2.5]), ["1", None, "2.5"]),
        (pa.array([float("nan"), 9007199254740992.0, 1e300]), [None, "9007199254740992", "1e+300"]),
        (pa.array([1.0, None]).cast(pa.float16()), ["1", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([" a", "", None]), ["a", None, None]),
        (pa.array([" a", "b"], pa.large_string()), ["a", "b"]),
        (pa.array([" a", "b"], pa.string_view()), ["a", "b"]),
        (pa.array([" a", "b", " a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([True, None]), ["true", None]),
        (pa.nulls(2), [None, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_identifiers_of_any_parquet_type_become_text(
    tmp_path: Path, values: pa.Array, loaded: list[str | None]
) -> None:
    out = load_files(tmp_path, logins_parquet=parquet_logins(values))
    assert out.column("logins", "device_id") == loaded


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp("ns"), pa.timestamp("s"), pa.timestamp("us", "Asia/Tokyo"), pa.date32(), pa.date64()],
)
def test_parquet_times_need_no_declaration(tmp_path: Path, kind: pa.DataType) -> None:
    ts = pa.array([WHEN.replace(tzinfo=None)], pa.timestamp("us")).cast(kind)
    out = load_files(tmp_path, logins_parquet=pa.table({"account_id": ["a"], "ts": ts}))
    assert out.column("logins", "ts") == [WHEN]


def test_parquet_numbers_are_no_times_unless_declared(tmp_path: Path) -> None:
    out = load_files(tmp_path, logins_parquet=pa.table({"account_id": ["a"], "ts": [1769904000]}))
    (refused,) = out.rejections()
    assert "time_units" in refused["reason"]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1]]),
        pa.array([{"x": 1}]),
        pa.array([b"x"]),
        pa.array([1], pa.time32("s")),
        pa.array([1], pa.duration("s")),
        pa.array([1]).cast(pa.decimal256(60, 2)),
    ],
    ids=lambda values: str(values.type),
)
def test_types_without_a_single_value_are_refused_by_name(tmp_path: Path, values: pa.Array) -> None:
    with pytest.raises(InputError, match=r"logins.parquet: column 'device_id' .* holds .*Save it as"):
        load_files(tmp_path, logins_parquet=parquet_logins(values))


def test_parquet_text_that_is_no_text_is_refused_by_row(tmp_path: Path) -> None:
    octets = pa.array([b"fine", b"\xff", b"nul\0", None], pa.binary())
    values = pa.Array.from_buffers(pa.string(), 4, octets.buffers())
    out = load_files(tmp_path, logins_parquet=parquet_logins(values))
    assert out.column("logins", "device_id") == ["fine", None]
    assert [(r["line"], r["reason"]) for r in out.rejections()] == [
        (2, "is not UTF-8"),
        (3, "holds a NUL byte"),
    ]


def test_two_parquet_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array(["a"])] * 2, names=["account_id", "account_id"])
    with pytest.raises(InputError, match="more than one column 'account_id'"):
        load_files(tmp_path, logins_parquet=twice)
