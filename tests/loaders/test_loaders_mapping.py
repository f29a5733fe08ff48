"""Mapping files: tables with other names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from loading import TS, load_files

from ringfence.errors import InputError, MappingError
from ringfence.loaders.mapping import read_mapping

WHEN = datetime(2026, 2, 1, tzinfo=UTC)
LOGINS = '[[table]]\nname = "logins"\nsource = "*"\n'


def test_columns_get_their_names_and_others_keep_theirs(tmp_path: Path) -> None:
    mapping = LOGINS + 'columns = {account_id = "User Id", ip = "client.ip"}'
    out = load_files(tmp_path, mapping, auth_csv=f"User Id,client.ip,ts,other\nu,192.0.2.1,{TS},x\n")
    assert out.rows("logins") == [{"account_id": "u", "ip": "192.0.2.1", "ts": WHEN}]


def test_ndjson_keys_with_odd_names(tmp_path: Path) -> None:
    mapping = (
        LOGINS
        + """columns = {account_id = 'a."b"[0]', ip = "client.ip", device_id = "*", user_agent = "a/~b"}"""
    )
    row = r'{"a.\"b\"[0]": "u", "client.ip": "::1", "*": "d", "a/~b": "x", "ts": "2026-02-01", "client": {}}'
    out = load_files(tmp_path, mapping, auth_ndjson=row)
    assert out.rows("logins") == [
        {"account_id": "u", "ip": "::1", "device_id": "d", "ts": WHEN, "user_agent": "x"}
    ]


SECONDS = int(WHEN.timestamp())


@pytest.mark.parametrize(
    ("unit", "ticks", "when"),
    [
        ("s", f"{SECONDS}", WHEN),
        ("s", f"{SECONDS}.25", WHEN + timedelta(milliseconds=250)),
        ("s", f"{SECONDS}.123457", WHEN + timedelta(microseconds=123457)),
        ("ms", f"{SECONDS}250", WHEN + timedelta(milliseconds=250)),
        ("ms", f"{SECONDS}250.5", WHEN + timedelta(microseconds=250_500)),
        ("us", f"{SECONDS}123457", WHEN + timedelta(microseconds=123_457)),
        ("iso", TS, WHEN),
    ],
)
def test_declared_time_units(tmp_path: Path, unit: str, ticks: str, when: datetime) -> None:
    out = load_files(
        tmp_path, LOGINS + f'time_units = {{ts = "{unit}"}}', auth_csv=f"account_id,ts\na,{ticks}\n"
    )
    assert out.column("logins", "ts") == [when]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_numbers_of_another_unit_or_size_are_refused(tmp_path: Path, unit: str) -> None:
    right = {"s": 1, "ms": 10**3, "us": 10**6}
    odd = [str(SECONDS * factor) for name, factor in right.items() if name != unit]
    odd += ["-1", "0", "nan", "9" * 31, "9" * 40, "1e300", str(2**63 - 1), TS]
    out = load_files(
        tmp_path,
        LOGINS + f'time_units = {{ts = "{unit}"}}',
        auth_csv="account_id,ts\n" + "".join(f"a,{ticks}\n" for ticks in odd),
    )
    assert out.counts("auth.csv") == (len(odd), 0, len(odd), 0)
    assert f"is not a time in {unit} since 1970" in out.rejections()[0]["reason"]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.decimal128(30, 3), pa.string()])
def test_time_units_hold_for_every_parquet_type(tmp_path: Path, kind: pa.DataType) -> None:
    ts = pa.array([SECONDS]).cast(kind)
    table = pa.table({"account_id": ["a"], "ts": ts})
    assert load_files(tmp_path, LOGINS + 'time_units = {ts = "s"}', x_parquet=table).column(
        "logins", "ts"
    ) == [WHEN]


def test_time_units_do_not_touch_what_is_a_time_already(tmp_path: Path) -> None:
    table = pa.table({"account_id": ["a"], "ts": pa.array([WHEN])})
    assert load_files(tmp_path, LOGINS + 'time_units = {ts = "s"}', x_parquet=table).column(
        "logins", "ts"
    ) == [WHEN]


def test_values_are_swapped_before_they_are_judged(tmp_path: Path) -> None:
    mapping = """
    [[table]]
    name = "account_events"
    source = "moderation.csv"
    columns = {event = "action"}
    values = {event = {SUSPEND_FOREVER = "banned", none = ""}, account_id = {anon = ""}}
    """
    rows = f"account_id,ts,action\na,{TS},SUSPEND_FOREVER\nb,{TS},none\nc,{TS},verified\nanon,{TS},banned\n"
    out = load_files(tmp_path, mapping, moderation_csv=rows, logins_csv="account_id,ts\n")
    assert out.column("account_events", "event") == ["banned", "verified"]
    assert out.refused() == [("moderation.csv", 3, "event"), ("moderation.csv", 5, "account_id")]


def test_values_and_constants_hold_for_addresses_too(tmp_path: Path) -> None:
    rows = f"account_id,ts,ip\na,{TS},home\nb,{TS},-\nc,{TS},192.0.2.1\n"
    swapped = load_files(
        tmp_path, LOGINS + 'values = {ip = {home = "::ffff:192.0.2.9", "-" = ""}}', x_csv=rows
    )
    assert swapped.column("logins", "ip") == ["192.0.2.9", None, "192.0.2.1"]
    constant = load_files(tmp_path, LOGINS + 'constants = {ip = "2001:DB8::1"}', x_csv=rows)
    assert constant.column("logins", "ip") == ["2001:db8::1"] * 3


def test_constants_stand_in_for_required_columns(tmp_path: Path) -> None:
    out = load_files(tmp_path, LOGINS + f'constants = {{ts = "{TS}"}}', users_csv="account_id\na\nb\n")
    assert out.column("logins", "ts") == [WHEN, WHEN]


def test_one_source_feeds_several_tables_and_each_balances(tmp_path: Path) -> None:
    mapping = """
    [[table]]
    name = "requests"
    source = "gateway.csv"
    only_where = ["request_id"]

    [[table]]
    name = "logins"
    source = "gateway.csv"
    columns = {device_id = "login_device"}
    only_where = ["device_id"]
    """
    rows = f"account_id,ts,request_id,login_device\na,{TS},r1,\nb,{TS},,d\nc,bad,r2,d2\nd,{TS},,\n"
    out = load_files(tmp_path, mapping, gateway_csv=rows)
    assert out.column("requests", "request_id") == ["r1"]
    assert out.column("logins", "account_id") == ["b"]
    counts = {f.table: (f.rows_in, f.loaded, f.rejected) for f in out.loaded.files}
    assert counts == {"requests": (2, 1, 1), "logins": (2, 1, 1)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[table]", "is not TOML"),
        ("", r"must hold \[\[table\]\] entries"),
        ("x = 1\n" + LOGINS, "it has 'x' at the top"),
        ("table = [1]", r"table 1: is 1; write it as \[\[table\]\]"),
        ('[[table]]\nname = "login"\nsource = "x"', "Did you mean 'logins'"),
        ('[[table]]\nname = 5\nsource = "x"', "name is 5; it must be text in quotes"),
        ('[[table]]\nname = "logins"', "source is missing"),
        ('[[table]]\nname = "logins"\nsource = ""', "source is missing"),
        ('[[table]]\nname = "logins"\nsource = 5', "source is 5"),
        (LOGINS + "colums = {}", "unknown key 'colums'. Did you mean 'columns'"),
        (LOGINS + 'columns = {device = "x"}', "'device' is no column of it. Did you mean 'device_id'"),
        (LOGINS + 'columns = "x"', "columns is 'x'; it must be a table"),
        (LOGINS + "columns = {ts = 5}", "columns.ts is 5; it must be text"),
        (LOGINS + 'time_units = {ts = "sec"}', "unit 'sec' of 'ts' is none of iso, s, ms, us"),
        (LOGINS + 'time_units = {ip = "s"}', "'ip' is no time"),
        (LOGINS + 'values = {ip = "x"}', "values.ip is 'x'; it must be a table"),
        (LOGINS + "values = {ip = {x = 1}}", "values.ip.x is 1; it must be text"),
        (LOGINS + "constants = {user_agent = 1}", "constants.user_agent is 1"),
        (LOGINS + 'only_where = "ip"', "only_where is 'ip'; it must be a list"),
        (LOGINS + 'only_where = ["ipp"]', "'ipp' is no column of it. Did you mean 'ip'"),
        (LOGINS.replace("logins", "requests") + 'only_where = ["prompt"]', "'prompt' is prompt text"),
    ],
)
def test_what_is_off_in_a_mapping_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    with pytest.raises(MappingError, match=says):
        read_mapping(path)


def test_a_missing_mapping_is_said(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="Cannot read the mapping"):
        read_mapping(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('columns = {device_id = "devise"}', r"no column device_id \(as 'devise'\).*Did you mean 'device'"),
        ('only_where = ["user_agent"]', "no column user_agent"),
    ],
)
def test_what_a_mapping_names_must_be_there(tmp_path: Path, lines: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_files(tmp_path, LOGINS + lines, auth_csv=f"account_id,ts,device\na,{TS},d\n")


def test_a_source_that_matches_nothing_is_said(tmp_path: Path) -> None:
    mapping = '[[table]]\nname = "logins"\nsource = "auth.cvs"\n'
    with pytest.raises(MappingError, match=r"matches no file in .*Did you mean 'auth.csv'"):
        load_files(tmp_path, mapping, auth_csv="account_id,ts\n")


def test_a_source_of_unknown_format_is_said(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"auth.xlsx has no known format; known are .parquet"):
        load_files(tmp_path, LOGINS, auth_xlsx="x")
