"""The table formats: CSV, JSONL and Parquet files, against the contract and on their own."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from file_sinks import FileContract, leaves
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ringfence.enforcement.sinks.csv import CsvFiles, neutralised
from ringfence.enforcement.sinks.jsonl import JsonlFiles
from ringfence.enforcement.sinks.parquet import ParquetFiles
from ringfence.enforcement.sinks.rows import COLUMNS
from ringfence.testing.sink_contract import HOSTILE, enforced, hostile, reversal, superseded


def unescaped(cell: str) -> str:
    """Undo what the module says can be undone, written after its words and not its code."""
    bare = re.sub("(^|[;,|])'(?=[\\s\"'`´‘’“”\u200c\u200d]*[-=+@＝＋－＠﹦﹢﹣﹫−])", r"\1", cell)
    return re.sub(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})", lambda one: chr(int(one[1] or one[2], 16)), bare)


class TestCsvFiles(FileContract):
    kind = "csv"

    def values(self, body: bytes) -> list[str]:
        return [unescaped(cell) for row in csv.reader(io.StringIO(body.decode(), newline="")) for cell in row]


class TestJsonlFiles(FileContract):
    kind = "jsonl"

    def values(self, body: bytes) -> list[str]:
        rows = [json.loads(line) for line in body.decode("ascii").splitlines()]
        assert all(tuple(row) == COLUMNS for row in rows)
        return leaves(rows)


class TestParquetFiles(FileContract):
    kind = "parquet"

    def values(self, body: bytes) -> list[str]:
        rows = parquet.read_table(io.BytesIO(body)).to_pylist()
        return leaves(rows)


FORMULA_SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫−"
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")

texts = st.text(
    st.sampled_from([*FORMULA_SIGNS, *"'\"`;,|\\u005cU \t\r\n\x00a1\u202e\u200b\u200d\xa0\u3000é🦊"])
)


def cells_of(text: str) -> list[str]:
    """Every cell that some reader might find in one of ours: it may cut at other signs than the comma."""
    return re.split("[;,|\t\r\n]", text)


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠SUM(A1)"),
        *(" =1", "\u3000=1", '"=1', "'=1", "''\" =1", "a;=1", 'a,"=1', "a\t=1", "a\n=1", "\u200d=1", "−1"),
    ],
)
def test_what_begins_a_formula_gets_an_apostrophe_or_is_spelt_out(text: str) -> None:
    made = neutralised(text)
    assert made != text
    assert all(not starts_a_formula(cell) for cell in cells_of(made))


def starts_a_formula(cell: str) -> bool:
    """Whether a spreadsheet that is as lenient as any might take a cell for a formula."""
    if cell.startswith("'"):
        return False
    bare = cell.lstrip("\"'`´‘’“” \u00a0\u3000\u200d\t\r\n")
    return bare[:1] in set(FORMULA_SIGNS)


@settings(max_examples=5_000 if os.environ.get("RINGFENCE_SOAK") else 400, deadline=None, derandomize=True)
@given(st.one_of(texts, st.text()))
def test_no_text_gives_a_formula_or_a_sign_that_is_obeyed_and_each_can_be_read_back(text: str) -> None:
    made = neutralised(text)
    assert all(not starts_a_formula(cell) for cell in cells_of(made))
    assert not OBEYED.search(made)
    assert unescaped(made) == text


@pytest.mark.parametrize(
    "text", ["acct_00001", "Mary-Jane + 1", "a = b", "naïve 東京 🦊", "👩‍💻", "C:\\temp", "<b>"]
)
def test_what_no_spreadsheet_obeys_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == text


def test_our_own_numbers_are_numbers_and_texts_that_look_like_numbers_are_texts(tmp_path: Path) -> None:
    event = enforced(accounts=("0012", "-7", "1e5"))
    lines = CsvFiles("csv", tmp_path).render(event).decode().split("\r\n")
    assert lines[0] == ",".join(f'"{name}"' for name in COLUMNS)
    assert lines[1].startswith(f'"{event.event_id}","ring.enforced","R-5f0c2a19",8191,"O-77aa01","ban",')
    assert ['"0012","core",0.95,0.97' in lines[1], '"\'-7","member",0.95' in lines[2]] == [True, True]
    assert lines[4:] == [""]


def test_every_line_of_a_csv_file_is_one_account(tmp_path: Path) -> None:
    body = CsvFiles("csv", tmp_path).render(hostile())
    assert len(body.decode().splitlines()) == 1 + len(hostile().accounts)


def test_lists_and_missing_values_read_well_in_csv(tmp_path: Path) -> None:
    body = CsvFiles("csv", tmp_path).render(superseded(enforced())).decode()
    (row,) = csv.DictReader(io.StringIO(body, newline=""))
    assert row["superseded_by"] == "R-77777777; R-88888888"
    assert row["decided_by"] == "ada; grace"
    assert (row["order_id"], row["account_id"], row["role"], row["score"]) == ("", "", "", "")
    assert row["probability"] == "0.97"


def test_json_lines_are_plain_ascii_that_no_page_obeys(tmp_path: Path) -> None:
    body = JsonlFiles("jsonl", tmp_path).render(hostile())
    assert not re.search(rb"[^\x20-\x7e\n]|[<>&]", body)
    accounts = [json.loads(line)["account_id"] for line in body.splitlines()]
    assert tuple(accounts) == HOSTILE


def test_json_lines_say_what_the_event_says(tmp_path: Path) -> None:
    event = reversal(enforced())
    (row,) = (json.loads(line) for line in JsonlFiles("jsonl", tmp_path).render(event).splitlines())
    assert row["reverses"] == event.reverses
    assert (row["version"], row["score"]) == (8192, 0.95)
    assert (row["occurred_at"], row["expires_at"]) == ("2026-02-05T04:05:06Z", None)
    assert row["families"] == ["payment", "network"]
    assert row["statement"] == "3 of 3 accounts share 2 cards. 3 of 3 accounts share 192.0.2.7."


def test_parquet_has_types_and_every_value_as_it_is(tmp_path: Path) -> None:
    table = parquet.read_table(io.BytesIO(ParquetFiles("parquet", tmp_path).render(hostile())))
    assert table.column_names == list(COLUMNS)
    assert tuple(table["account_id"].to_pylist()) == HOSTILE
    assert tuple(table["decided_by"][0].as_py()) == HOSTILE
    assert table["occurred_at"][0].as_py() == hostile().occurred_at
    assert str(table.schema.field("expires_at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("version").type) == "int64"


def test_an_event_without_accounts_is_a_row_all_the_same(tmp_path: Path) -> None:
    event = superseded(enforced())
    table = parquet.read_table(io.BytesIO(ParquetFiles("parquet", tmp_path).render(event)))
    assert table.num_rows == 1
    assert table.to_pylist()[0]["superseded_by"] == ["R-77777777", "R-88888888"]
    assert table.to_pylist()[0]["account_id"] is None
