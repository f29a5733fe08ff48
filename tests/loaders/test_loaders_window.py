"""A window lets in what belongs to it, counts the rest, and knows its rows again in any files."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from loading import NoTemplates, Outcome, Row, load, put, written

from ringfence.loaders.discover import discover
from ringfence.loaders.mapping import read_mapping
from ringfence.loaders.row_digest import RowDigest, WindowContent, digest_window, spelling
from ringfence.loaders.window import Window
from ringfence.schema import TABLES

DAY = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
BEFORE, FIRST, LAST, AFTER = (
    "2026-03-01T23:59:59.999999Z",
    "2026-03-02T00:00:00Z",
    "2026-03-02T23:59:59.999999Z",
    "2026-03-03T00:00:00Z",
)
COLUMNS = ("request_id", "account_id", "ts", "ip", "prompt")


class Listening(NoTemplates):
    """Finds nothing, and remembers what it was shown."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, system: pa.Array | None, prompt: pa.Array | None, accounts: pa.Array) -> pa.Array:
        self.heard += [text for text in (prompt or pa.nulls(0)).to_pylist() if text is not None]
        return super().__call__(system, prompt, accounts)


def request(name: str, ts: str, **values: str) -> Row:
    return {"request_id": name, "account_id": f"of {name}", "ts": ts, "prompt": f"says {name}", **values}


def content(folder: Path, mapping: Path | None = None) -> WindowContent:
    return digest_window(discover(folder, read_mapping(mapping) if mapping else ()), DAY)


def loaded(folder: Path, **how: object) -> Outcome:
    return load(folder, window=DAY, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".parquet"])
def test_only_rows_of_the_window_come_in_and_only_their_prompts_are_seen(tmp_path: Path, suffix: str) -> None:
    rows = [
        request("early", BEFORE),
        request("first", FIRST),
        request("last", LAST),
        request("late", AFTER),
        request("when?", "tomorrow"),
        request("never", ""),
        request("first", AFTER, ip="192.0.2.1"),
    ]
    put(tmp_path / f"in/requests{suffix}", written(rows, COLUMNS, suffix))
    ear = Listening()

    out = loaded(tmp_path / "in", templater=ear)

    assert out.column("requests", "request_id") == ["first", "last"]
    assert out.column("accounts", "account_id") == ["of first", "of last"]
    assert sorted(ear.heard) == ["says first", "says last"]
    balance = out.balance(f"requests{suffix}")
    assert (balance.rows_in, balance.loaded, balance.rejected, balance.outside) == (4, 2, 2, 3)
    assert balance.balanced
    assert {(r["column"], r["reason"].split(" ")[0]) for r in out.rejections()} == {("ts", "is")}


def test_what_is_known_counts_from_any_time_before_the_end(tmp_path: Path) -> None:
    put(
        tmp_path / "in/accounts.csv",
        f"account_id,created_at,status\nold,{BEFORE},banned\nnew,{AFTER},active\nundated,,active\n",
    )
    put(tmp_path / "in/logins.csv", f"account_id,ts\nold,{FIRST}\nnew,{LAST}\n")
    put(tmp_path / "in/payments.csv", f"payment_id,account_id,instrument_id,ts\n1,old,c,{AFTER}\n2,old,c,\n")
    put(
        tmp_path / "in/account_events.csv", f"account_id,ts,event\nold,{BEFORE},banned\nold,{AFTER},limited\n"
    )
    put(
        tmp_path / "in/labels.csv",
        f"account_id,label,ts\nold,ring,{BEFORE}\nold,benign,{AFTER}\nundated,benign,\nelsewhere,ring,\n",
    )
    put(tmp_path / "in/models.csv", f"model,released_at\nm,{AFTER}\n")

    out = loaded(tmp_path / "in")

    assert out.rows("accounts")[1:] == [
        {"account_id": "old", "created_at": datetime.fromisoformat(BEFORE)},
        {"account_id": "undated"},
    ]
    assert out.rows("accounts")[0] == {"account_id": "new"}  # made from the login
    assert out.column("payments", "payment_id") == ["2"]
    assert out.column("account_events", "event") == ["banned"]
    assert out.column("labels", "label") == ["ring", "benign"]
    assert out.balance("labels.csv").outside == 2
    assert out.rejections() == []
    assert out.column("models", "model") == ["m"]


def test_a_mapping_s_units_constants_and_selections_hold_for_the_window_too(tmp_path: Path) -> None:
    put(
        tmp_path / "in/mixed.csv",
        "when,who,card,ref\n"
        "1772409600,a,c1,1\n"  # 2026-03-02T00:00:00Z
        "1772496000,a,c1,2\n"  # a day later
        "1772496000,a,,3\n"
        "1772409600,a,,4\n",
    )
    put(tmp_path / "in/morning.csv", "who\nb\n")
    put(tmp_path / "in/night.csv", "who\nc\n")
    mapping = f"""
[[table]]
name = "payments"
source = "mixed.csv"
columns = {{ ts = "when", account_id = "who", instrument_id = "card", payment_id = "ref" }}
time_units = {{ ts = "s" }}
only_where = ["instrument_id"]
[[table]]
name = "logins"
source = "morning.csv"
columns = {{ account_id = "who" }}
constants = {{ ts = "{FIRST}" }}
[[table]]
name = "logins"
source = "night.csv"
columns = {{ account_id = "who" }}
constants = {{ ts = "{AFTER}" }}
"""
    # A required column may stand in the constants alone.
    out = loaded(tmp_path / "in", mapping=mapping)

    assert out.column("payments", "payment_id") == ["1"]
    balance = out.balance("mixed.csv")
    assert (balance.rows_in, balance.loaded, balance.outside) == (1, 1, 1)
    assert out.column("logins", "account_id") == ["b"]
    assert out.balance("night.csv").outside == 1


def test_the_digest_knows_rows_again_in_any_files_order_and_format(tmp_path: Path) -> None:
    rows = [request(str(n), FIRST, ip=f"192.0.2.{n}") for n in range(9)]
    put(tmp_path / "a/requests.csv", written(rows, COLUMNS, ".csv"))
    shuffled = random.Random(7).sample(rows, len(rows))
    put(tmp_path / "b/requests/1.ndjson", written(shuffled[:4], COLUMNS, ".ndjson"))
    put(tmp_path / "b/requests/2.parquet", written(shuffled[4:], COLUMNS, ".parquet"))
    put(
        tmp_path / "b/requests/3.csv",
        written([request("later", AFTER), request("?", "soon")], COLUMNS, ".csv"),
    )
    put(tmp_path / "c/sent.csv", "id,who,at,prompt,ip\n")
    for row in rows:
        with (tmp_path / "c/sent.csv").open("a") as file:
            line = (row["request_id"], row["account_id"], "1772409600", row["prompt"], row["ip"])
            file.write(",".join(line) + "\n")
    (tmp_path / "map.toml").write_text(
        '[[table]]\nname = "requests"\nsource = "sent.csv"\n'
        'columns = { request_id = "id", account_id = "who", ts = "at" }\ntime_units = { ts = "s" }\n'
    )

    one = content(tmp_path / "a")

    assert one.rows == {"requests": 9}
    assert content(tmp_path / "b") == one
    assert content(tmp_path / "c", tmp_path / "map.toml") == one


@pytest.mark.parametrize("change", [{"prompt": "says otherwise"}, {"ip": "192.0.2.9"}, {"ts": LAST}])
def test_the_digest_of_other_rows_is_another(tmp_path: Path, change: Row) -> None:
    row = request("r", FIRST, ip="192.0.2.1")
    put(tmp_path / "a/requests.csv", written([row], COLUMNS, ".csv"))
    put(tmp_path / "b/requests.csv", written([{**row, **change}], COLUMNS, ".csv"))
    put(tmp_path / "c/requests.csv", written([row, row], COLUMNS, ".csv"))

    assert len({content(tmp_path / name).digest for name in "abc"}) == 3


def test_a_status_tells_of_today_and_is_not_part_of_the_window(tmp_path: Path) -> None:
    for name, status in (("a", "active"), ("b", "banned")):
        put(tmp_path / name / "accounts.csv", f"account_id,status\nx,{status}\n")
        put(tmp_path / name / "logins.csv", f"account_id,ts\nx,{FIRST}\n")

    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert loaded(tmp_path / "b").rows("accounts") == [{"account_id": "x"}]


def test_values_cannot_move_over_into_the_next_column() -> None:
    table = TABLES["logins"]
    spelt = spelling(pa.table({"account_id": ["ab", "a", None], "device_id": ["c", "bc", "abc"]}), table)

    assert len(set(spelt)) == 3
    assert spelling(pa.table({"account_id": pa.array([], pa.string())}), table) == []
    one, other = RowDigest(), RowDigest()
    one.add(spelt)
    other.add(spelt[2:])
    other.add(spelt[:2])
    assert one.hexdigest() == other.hexdigest()
