"""No row is lost silently, none is counted twice, and nothing private reaches the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import TS, Outcome, Row, load, load_files, put, written

from ringfence.errors import InputError
from ringfence.graphbuild.templates.miner import PromptMiner
from ringfence.loaders import chunks
from ringfence.schema import TABLES

COLUMNS = tuple(column.name for column in TABLES["requests"].columns if column.name != "template_id")
SECRET = "xylophone-marmalade-7731"


def request(number: int, **values: str) -> Row:
    fixed = {
        "request_id": f"r{number}",
        "account_id": f"acct{number % 3}",
        "ts": TS,
        "input_tokens": str(number),
    }
    return {**fixed, "ip": f"192.0.2.{number}", "model": "m-é", "stop_reason": 'say "end"', **values}


ROWS = [request(n) for n in range(8)]
ROWS += [request(2), request(3, model="other"), request(8, ts="yesterday"), request(9, ip="nowhere")]
SUFFIXES = [".csv", ".csv.gz", ".tsv.zst", ".ndjson", ".jsonl.zst", ".json.gz", ".parquet"]


def reasons(out: Outcome) -> list[tuple[str | None, str]]:
    return sorted((r["column"], r["reason"]) for r in out.rejections())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("plain")
    put(folder / "in/requests.csv", written(ROWS, COLUMNS, ".csv"))
    return load(folder / "in")


def test_the_plain_file_is_what_it_should_be(plain: Outcome) -> None:
    assert plain.counts("requests.csv") == (12, 7, 4, 1)
    assert plain.column("requests", "request_id") == ["r0", "r1", "r2", "r4", "r5", "r6", "r7"]
    assert plain.refused() == [
        ("requests.csv", 5, "request_id"),
        ("requests.csv", 11, "request_id"),
        ("requests.csv", 12, "ts"),
        ("requests.csv", 13, "ip"),
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_rows(tmp_path: Path, plain: Outcome, suffix: str) -> None:
    put(tmp_path / f"in/requests{suffix}", written(ROWS, COLUMNS, suffix))
    out = load(tmp_path / "in")
    assert out.rows("requests") == plain.rows("requests")
    assert out.rows("accounts") == plain.rows("accounts")
    assert out.counts(f"requests{suffix}") == (12, 7, 4, 1)
    assert reasons(out) == reasons(plain)


def test_a_folder_of_parts_in_all_formats_gives_the_same_rows(tmp_path: Path, plain: Outcome) -> None:
    for number, suffix in enumerate(SUFFIXES):
        rows = ROWS[number * 2 : number * 2 + 2]
        put(tmp_path / f"in/requests/{number}/part{suffix}", written(rows, COLUMNS, suffix))
    out = load(tmp_path / "in")
    assert out.rows("requests") == plain.rows("requests")
    assert all(file.balanced for file in out.loaded.files)
    assert sum(file.rows_in for file in out.loaded.files) == len(ROWS)


@pytest.mark.parametrize("suffix", [".csv", ".ndjson"])
def test_small_pieces_change_nothing(
    tmp_path: Path, plain: Outcome, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 64)
    put(tmp_path / f"in/requests{suffix}", written(ROWS, COLUMNS, suffix))
    assert load(tmp_path / "in").rows("requests") == plain.rows("requests")


def test_accounts_are_made_from_events_once_and_labels_of_strangers_are_refused(tmp_path: Path) -> None:
    out = load_files(
        tmp_path,
        accounts_csv="account_id,plan\na,pro\n",
        logins_csv=f"account_id,ts\na,{TS}\nb,{TS}\nb,{TS}\n",
        transfers_csv="from_account_id,to_account_id\nb,c\n",
        labels_csv="account_id,label\nc,ring\nstranger,benign\na,odd\n",
    )
    assert out.rows("accounts") == [
        {"account_id": "b"},
        {"account_id": "c"},
        {"account_id": "a", "plan": "pro"},
    ]
    assert (out.loaded.made_accounts, out.loaded.rows["accounts"]) == (2, 3)
    assert out.column("labels", "account_id") == ["c"]
    assert out.refused() == [("labels.csv", 3, "account_id"), ("labels.csv", 4, "label")]


@pytest.mark.parametrize(
    "content", ["account_id,ts,ip\n", "", pa.table({"account_id": [""], "ts": [""]})[:0]]
)
def test_an_empty_world_has_empty_tables(tmp_path: Path, content: str | pa.Table) -> None:
    suffix = "ndjson" if content == "" else "csv" if isinstance(content, str) else "parquet"
    out = load_files(tmp_path, **{f"logins_{suffix}": content})
    assert out.rows("logins") == out.rows("accounts") == out.rows("labels") == []


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    suffix=st.sampled_from([".csv", ".ndjson", ".csv.gz", ".ndjson.zst", ".parquet"]),
    spoil=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_spoilt_bytes_lose_no_row_silently(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, spoil: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("spoilt")
    path = folder / f"in/requests{suffix}"
    put(path, written(ROWS, COLUMNS, suffix))
    data = bytearray(path.read_bytes())
    for place, octet in spoil:
        data[place % len(data)] = octet
    path.write_bytes(data)
    try:
        out = load(folder / "in")
    except InputError:
        # Damage that shows as such stops the run, which is no loss in silence.
        return
    (file,) = out.loaded.files
    assert file.balanced
    assert file.rejected == len(out.rejections())
    assert file.loaded == len(out.rows("requests"))
    if suffix == ".ndjson":
        assert file.rows_in == sum(bool(line.strip()) for line in bytes(data).split(b"\n"))


def bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".parquet"])
def test_prompt_text_never_reaches_the_disk(tmp_path: Path, suffix: str) -> None:
    rows = [request(n, prompt=f"{SECRET} {n}", system_prompt=SECRET) for n in range(50)]
    rows += [request(60, ts="bad", prompt=SECRET), request(3, prompt=SECRET, model="other")]
    put(tmp_path / f"in/requests{suffix}", written(rows, COLUMNS, suffix))
    out = load(tmp_path / "in", templater=PromptMiner())
    assert out.balance(f"requests{suffix}").rejected == 3
    # Pages are compressed; what they say is put beside them to be searched, too.
    (out.work.root / "rows.txt").write_text(str(out.rows("requests")))
    assert SECRET.encode() not in bytes_below(out.work.root)
    assert b"r10" in bytes_below(out.work.root), "what may be written is found by the same search"


@pytest.mark.parametrize("mapping", [None, "values", "constants"])
def test_senders_are_counted_as_the_tables_will_name_them(tmp_path: Path, mapping: str | None) -> None:
    text = "Name the three largest lakes of {} and say which river feeds each of them, for a friend of mine."
    rows = [request(n, prompt=text.format(f"{chr(97 + n % 26)}land{n}")) for n in range(60)]
    spellings = ["old0", "old1", "old2"] if mapping == "values" else ["k1", " k1", "k1 "]
    rows = [{**row, "account_id": spellings[n % 3]} for n, row in enumerate(rows)]
    put(tmp_path / "in/requests.csv", written(rows, COLUMNS, ".csv"))
    told = {
        None: None,
        "values": 'values.account_id = { old0 = "k1", old1 = "k1", old2 = "k1" }',
        "constants": 'constants = { account_id = "k1" }',
    }[mapping]
    if told is not None:
        columns = "\n".join(f'columns.{name} = "{name}"' for name in COLUMNS if f"{name} =" not in told)
        told = f'[[table]]\nname = "requests"\nsource = "requests.csv"\n{told}\n{columns}'
    miner = PromptMiner(wordings=True)
    out = load(tmp_path / "in", told, templater=miner)
    assert set(out.column("requests", "account_id")) == {"k1"}
    assert set(out.column("requests", "template_id")) != {None}
    assert [found.skeleton for found in miner.told() if found.skeleton] == []


def test_ids_of_a_provider_that_look_like_ours_stay_theirs(tmp_path: Path) -> None:
    rows = [
        request(1, template_id="\ue000abc"),
        request(2, template_id="\ue000123"),
        request(3, prompt="hello there"),
    ]
    rows += [request(4, prompt="hello there")]
    put(tmp_path / "in/requests.csv", written(rows, (*COLUMNS, "template_id"), ".csv"))
    out = load(tmp_path / "in", templater=PromptMiner())
    ids = out.column("requests", "template_id")
    assert ids[:2] == ["?\ue000abc", "?\ue000123"]
    assert ids[2] == ids[3] != None  # noqa: E711


def test_rejects_say_where_and_why_and_no_value(tmp_path: Path) -> None:
    bad = [
        request(1, ts=f"ts-{SECRET}"),
        request(2, ip=f"ip-{SECRET}"),
        request(3, input_tokens=f"in-{SECRET}"),
        {**request(4), "request_id": None, "user_agent": SECRET},
    ]
    text = str(written(bad, COLUMNS, ".csv")) + f"{SECRET},too,few\n" + f'{SECRET},"open\n'
    out = load_files(tmp_path, requests_csv=text)
    assert out.counts("requests.csv") == (6, 0, 6, 0)
    assert {frozenset(r) for r in out.rejections()} == {
        frozenset(["file", "table", "line", "column", "reason"])
    }
    assert [r["line"] for r in out.rejections()] == [2, 3, 4, 5, 6, 7]
    assert SECRET not in json.dumps(out.rejections())
    assert SECRET.encode() not in bytes_below(out.work.root)
