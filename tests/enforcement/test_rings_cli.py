"""``ringfence rings`` as a person types it: every command, for people and for programs."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from case_samples import accounts, ring
from run_folder import write_run
from typer.testing import CliRunner

from ringfence.cli import rings as commands
from ringfence.cli.rings_complete import ring_ids, states, verdicts
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.life import State
from ringfence.errors import NotAllowedError, OutputError, StaleVersionError, UnknownCaseError, UsageError
from ringfence.state import ENVIRONMENT, StateFolder

RUNNER = CliRunner()
# Colours a terminal, renames its window, and reads as another word.
WILD = "=cmd()\x1b[31m\x1b]0;owned\x07\u202eerif"


@pytest.fixture(autouse=True)
def _named(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(state.root))
    monkeypatch.setenv("RINGFENCE_USER", "ada")


def rings(*words: str | Path, code: int = 0) -> str:
    done = RUNNER.invoke(commands.app, [*map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def said(*words: str | Path) -> Any:
    return json.loads(rings(*words, "--json"))


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    out = write_run(
        tmp_path / "out", ring("R-1", accounts(5), ["flatmate"]), ring("R-2", [WILD, *accounts(5, "other")])
    )
    assert "2 new, 0 changed, 0 as before" in rings("record", out)
    return out


def test_a_run_is_recorded_once(recorded: Path, tmp_path: Path) -> None:
    assert "nothing was added" in rings("record", recorded)
    later = write_run(tmp_path / "later", ring("R-9", [*accounts(5), WILD, *accounts(5, "other")]), seed=2)
    tried = said("record", later, "--dry-run")
    assert (tried["dry_run"], tried["merged"]) == (True, [["R-1", "R-2"]])
    assert len(said("list")) == 2
    assert "R-1 has merged into R-2" in rings("record", later)
    split = write_run(tmp_path / "split", ring("R-8", accounts(5)), ring("R-9", accounts(6, "other")), seed=3)
    assert "has split from R-2" in rings("record", split)
    listed = rings("list", "--merged")
    assert "merged into R-2" in listed
    assert "seen before" in listed


def test_a_dry_run_makes_nothing(tmp_path: Path, state: StateFolder) -> None:
    out = write_run(tmp_path / "out", ring("R-1", accounts(5)))
    assert "Rings would be recorded: 1 new" in rings("record", out, "--dry-run")
    assert not state.root.exists()
    with pytest.raises(UnknownCaseError, match="rings record"):
        rings("list")
    with pytest.raises(OutputError, match="no finished run"):
        rings("record", tmp_path)


def test_from_list_to_verdict_and_back(recorded: Path, tmp_path: Path) -> None:
    assert [row["ring_id"] for row in said("list", "--account", "acct_00001")] == ["R-1"]
    assert "R-1 is with bob, in review" in rings("assign", "R-1", "bob")
    assert [row["ring_id"] for row in said("list", "--assignee", "bob")] == ["R-1"]
    assert [row["ring_id"] for row in said("list", "--state-is", "new")] == ["R-2"]
    assert "No ring" in rings("list", "--state-is", "enforced")
    tried = said("verdict", "R-1", "confirmed", "--reason", "Same cards.", "--dry-run")
    assert tried["state"] == "confirmed"
    assert said("show", "R-1")["state"] == "in review"
    assert "R-1 would be confirmed" in rings("verdict", "R-1", "confirmed", "--reason", "x", "--dry-run")
    assert "R-1 is confirmed" in rings(
        "verdict", "R-1", "confirmed", "--reason", "Same cards.", "--version", "2"
    )
    with pytest.raises(StaleVersionError, match="version 3, not 2"):
        rings("verdict", "R-1", "rejected", "--reason", "No.", "--version", "2")
    assert "acct_00001 is decided on" in rings(
        "verdict", "R-1", "rejected", "--reason", "A student.", "--account", "acct_00001"
    )
    assert "Noted" in rings("note", "R-1", "Ask support.")
    assert said("note", "R-1", " Asked. ")["text"] == "Asked."
    later = write_run(tmp_path / "later", ring("R-1", accounts(7), ["flatmate"]), seed=2)
    rings("record", later)
    assert "changed since the verdict" in rings("list")
    told = rings("diff", "R-1", "--since", "1")
    assert "came: acct_00005, acct_00006" in told
    assert "confirmed by ada: Same cards." in told
    assert "Nothing that matters changed" in rings("diff", "R-1", "--since", "1", "--to", "1")
    assert said("diff", "R-1", "--since", "2")["came"] == ["acct_00005", "acct_00006"]
    shown = rings("show", "R-1", "--members")
    for words in (
        "Same cards.",
        "Ask support.",
        "Share network",
        "flatmate",
        "grew by 2 accounts",
        "cleared",
    ):
        assert words in shown
    assert "members" not in said("show", "R-1")["told"]
    assert len(said("show", "R-1", "--members")["told"]["members"]) == 8
    with pytest.raises(NotAllowedError, match="reason"):
        rings("verdict", "R-1", "rejected", "--reason", " ")


def test_wrong_words_are_told_with_near_ones(recorded: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'confirmed'"):
        rings("verdict", "R-1", "confirm", "--reason", "x")
    with pytest.raises(UsageError, match="Did you mean 'in review'"):
        rings("list", "--state-is", "review")
    with pytest.raises(UnknownCaseError, match="Did you mean"):
        rings("show", "R-11")
    with pytest.raises(UsageError, match="is no time"):
        rings("labels", "--out", "x.csv", "--before", "soon")
    with pytest.raises(UnknownCaseError, match="names account"):
        rings("account", "nobody")


def test_an_account_tells_all_that_names_it(recorded: Path, tmp_path: Path) -> None:
    rings("verdict", "R-1", "confirmed", "--reason", "Same cards.")
    assert rings("account", "acct_00001").startswith("acct_00001")
    path = tmp_path / "appeals.ndjson"
    row = {"appeal_id": "A-1", "account_id": "acct_00001", "ts": "2026-03-01", "text": "\x1b[2JNot me."}
    path.write_text(json.dumps({**row, "outcome": "upheld"}) + "\n")
    tried = said("appeals", path, "--dry-run")
    assert (len(tried["heard"]), tried["rescored"]) == (1, [])
    told = rings("appeals", path)
    assert "1 taken in, 0 known before, 0 refused" in told
    assert "Not scored again" in told
    found = said("account", "acct_00001")
    assert [one["verdict"] for one in found["verdicts"]] == ["rejected"]
    assert [one["outcome"] for one in found["appeals"]] == ["upheld"]
    shown = rings("account", "acct_00001")
    assert "A-1" in shown
    assert "\\u001b[2JNot me." in shown
    (tmp_path / "bad.ndjson").write_text("{\n")
    assert "1 refused" in rings("appeals", tmp_path / "bad.ndjson", code=1)
    path.write_text(json.dumps({**row, "appeal_id": "A-2", "account_id": "acct_00002"}) + "\n")
    assert len(said("appeals", path)["heard"]) == 1
    assert "appealed (1)" in rings("list")
    assert "1 open appeal." in rings("show", "R-1")
    out = tmp_path / "labels.csv"
    assert "4 ring and 1 benign" in rings("labels", "--out", out)
    with out.open(newline="") as stream:
        assert {row["account_id"]: row["label"] for row in csv.DictReader(stream)}["acct_00001"] == "benign"
    assert said("labels", "--out", out, "--before", "2020-01-01") == {
        "file": str(out),
        "ring": 0,
        "benign": 0,
    }


def test_what_a_terminal_would_obey_is_spelt_out(recorded: Path) -> None:
    rings("note", "R-2", f"{WILD}\nnext")
    rings("assign", "R-2", WILD)
    rings("verdict", "R-2", "confirmed", "--reason", WILD)
    for words in (("show", "R-2", "--members"), ("list",), ("account", WILD)):
        told = rings(*words)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told), words
        assert "\\u001b" in told
    raw = RUNNER.invoke(commands.app, ["show", "R-2", "--members", "--json"]).stdout
    assert raw.isascii()
    assert "\x1b" not in raw
    assert WILD in {one["account_id"] for one in json.loads(raw)["told"]["members"]}


def test_shells_propose_rings_and_states(
    recorded: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ring_ids("R-") == [("R-1", "new, 6 accounts"), ("R-2", "new, 6 accounts")]
    assert ring_ids("R-2") == [("R-2", "new, 6 accounts")]
    assert states("re") == ["rejected", "reversed"]
    assert verdicts("") == ["confirmed", "rejected", "watch"]
    state.casebook.write_bytes(b"no casebook " * 100)
    for beside in ("-wal", "-shm"):
        state.casebook.with_name(state.casebook.name + beside).unlink(missing_ok=True)
    assert ring_ids("") == []
    monkeypatch.delenv(ENVIRONMENT)
    assert ring_ids("") == []


def test_the_installed_command_says_what_is_wrong(recorded: Path, state: StateFolder) -> None:
    script = Path(sys.executable).with_name("ringfence")
    done = subprocess.run(
        [script, "rings", "show", "R-3"], capture_output=True, text=True, env=dict(os.environ), timeout=60
    )
    assert done.returncode == 1
    assert "knows no ring 'R-3'" in done.stderr
    with Casebook.open(state.casebook, make=False) as book:
        assert {row["state"] for row in book.read("SELECT state FROM rings")} == {State.NEW}
