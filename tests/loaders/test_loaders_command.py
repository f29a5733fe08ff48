"""Bad input as a user meets it: a clear message, an exit code, and nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from loading import TS, put

from ringfence.cli import main

LOGINS = "account_id,ts,ip\n" + "".join(f"a{n},{TS},192.0.2.{n}\n" for n in range(5))


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["ringfence", "run", *map(str, words), "--neo4j", "none"])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_console_script_says_what_is_wrong_and_leaves_nothing(tmp_path: Path) -> None:
    put(tmp_path / "january/request.csv", LOGINS)
    script = Path(sys.executable).with_name("ringfence")
    command = [script, "run", tmp_path / "january", "--out", tmp_path / "out", "--neo4j", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "request.csv: Did you mean 'requests'?" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["january"]


BAD = {
    "a truncated Parquet file": (
        {"logins.parquet": pa.table({"account_id": ["a"], "ts": [TS]})},
        "logins.parquet is not",
    ),
    "a truncated gzip file": ({"logins.csv.gz": LOGINS}, "logins.csv.gz is not a whole gzip file"),
    "a truncated zstd file": ({"logins.ndjson.zst": LOGINS}, "logins.ndjson.zst is not a whole zstd file"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_damaged_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    files, says = BAD[what]
    for name, content in files.items():
        put(tmp_path / "in" / name, content)
        whole = (tmp_path / "in" / name).read_bytes()
        (tmp_path / "in" / name).write_bytes(whole[:-10])
    assert run(monkeypatch, tmp_path / "in", "--out", tmp_path / "out") == 1
    assert says in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (
            "acount_id,ts,ip",
            "logins.csv has no column account_id, which logins needs. Did you mean 'acount_id'",
        ),
        ("account_id,time", "no column ts, which logins needs. It has: account_id, time."),
        (
            "sub,iat," + "very long text " * 99,
            "It has: sub, iat and 1 more.",
        ),
    ],
)
def test_a_missing_column_is_named_with_those_that_are_near(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    header: str,
    says: str,
) -> None:
    put(tmp_path / "in/logins.csv", header + "\n")
    assert run(monkeypatch, tmp_path / "in", "--out", tmp_path / "out") == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("januray", "Did you mean 'january'"),
        ("january/logins.csv", "name the folder"),
        ("empty", "It is empty"),
    ],
)
def test_a_place_that_is_no_folder_of_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, says: str
) -> None:
    put(tmp_path / "january/logins.csv", LOGINS)
    (tmp_path / "empty").mkdir()
    assert run(monkeypatch, tmp_path / place, "--out", tmp_path / "out") == 1
    assert says in capsys.readouterr().err


def test_words_that_are_off_are_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, tmp_path, "--out", tmp_path / "out", "--colour", "red") == 2


@pytest.mark.parametrize(("limit", "code"), [("0", 3), ("0.5", 0)])
def test_too_many_refused_rows_are_an_exit_code_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, code: int
) -> None:
    put(tmp_path / "in/logins.csv", LOGINS + "a,yesterday,192.0.2.1\n")
    put(tmp_path / "in/labels.csv", "account_id,label\nstranger,ring\na1,benign\n")
    words = (tmp_path / "in", "--out", tmp_path / "out", "--max-rejected", limit)
    assert run(monkeypatch, *words) == code
    refused = [path.read_text() for path in sorted((tmp_path / "out/rejected").iterdir())]
    assert [json.loads(text)["column"] for text in refused] == ["account_id", "ts"]
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["rows"] == {"in": 8, "loaded": 6, "rejected": 2, "duplicates": 0}


def test_a_world_of_one_account_is_a_run_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "in/logins.csv", f"account_id,ts\na,{TS}\n")
    assert run(monkeypatch, tmp_path / "in", "--out", tmp_path / "out") == 0
    assert (tmp_path / "out/rings.jsonl").read_text() == ""


def test_an_empty_world_is_a_run_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in/logins.csv", "account_id,ts\n")
    assert run(monkeypatch, tmp_path / "in", "--out", tmp_path / "out") == 0
    assert json.loads((tmp_path / "out/manifest.json").read_text())["rows"]["in"] == 0
