"""The doctor finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from case_samples import accounts, recorded, ring
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from exhibit_samples import custodian, ordered, sealed_ring
from stopped_clock import START, Clock
from typer.testing import CliRunner

from ringfence.cli import app
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.health.checks import Check, Finding
from ringfence.enforcement.health.doctor import check_state
from ringfence.enforcement.holds import digest_key
from ringfence.pipeline.enforcement.doctor import examine
from ringfence.state import StateFolder


@pytest.fixture
def healthy(book: Casebook, state: StateFolder) -> StateFolder:
    recorded(book, ring("R-1", accounts(4)))
    digest_key(state)
    state.sinks.write_text('[sinks.desk]\nkind = "jsonl"\nfolder = "out"\n')
    return state


def findings(state: StateFolder) -> dict[str, Check]:
    return {one.name: one for one in check_state(state, START + timedelta(minutes=1))}


def test_all_is_well(healthy: StateFolder) -> None:
    assert {one.finding for one in findings(healthy).values()} == {Finding.OK}


def test_nothing_is_changed_by_looking(healthy: StateFolder, book: Casebook) -> None:
    book.close()
    before = {p: p.read_bytes() for p in healthy.root.rglob("*") if p.is_file() and "-shm" not in p.name}
    findings(healthy)

    after = {p: p.read_bytes() for p in healthy.root.rglob("*") if p.is_file() and "-shm" not in p.name}
    assert {p: b for p, b in after.items() if b} == {p: b for p, b in before.items() if b}


def wide_keys(state: StateFolder) -> None:
    (state.keys / "accounts.key").chmod(0o644)


def wide_casebook(state: StateFolder) -> None:
    state.casebook.chmod(0o644)


def wide_folder(state: StateFolder) -> None:
    state.root.chmod(0o777)


def written(name: str, text: str) -> Callable[[StateFolder], None]:
    return lambda state: (state.root / name).write_text(text) and None


def changed(statement: str) -> Callable[[StateFolder], None]:
    def change(state: StateFolder) -> None:
        connection = sqlite3.connect(state.casebook)
        connection.executescript(statement)
        connection.close()

    return change


def damaged(state: StateFolder) -> None:
    connection = sqlite3.connect(state.casebook)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = bytearray(state.casebook.read_bytes())
    whole[8192:16384] = bytes(range(256)) * 32
    state.casebook.write_bytes(bytes(whole))


def no_database(state: StateFolder) -> None:
    for path in state.casebook.parent.iterdir():
        path.unlink()
    state.casebook.write_text("not a database, and long enough to be looked at " * 20)


def gone(state: StateFolder) -> None:
    state.casebook.unlink()


WRONG: dict[str, tuple[Callable[[StateFolder], None], str, Finding, str]] = {
    "a key that others read": (wide_keys, "keys", Finding.FAIL, "chmod 600"),
    "a casebook that others read": (wide_casebook, "casebook", Finding.WARN, "chmod 600"),
    "a folder that others write": (wide_folder, "state folder", Finding.WARN, "chmod go-w"),
    "a policy that is none": (written("policy.toml", "mode = 7"), "policy", Finding.FAIL, "Correct"),
    "a sinks file that is none": (written("sinks.toml", "[["), "sinks", Finding.FAIL, "Correct"),
    "no sink": (written("sinks.toml", ""), "sinks", Finding.WARN, "sinks init"),
    "a secret that is not there": (
        written(
            "sinks.toml",
            '[sinks.desk]\nkind = "webhook"\nurl = "https://example.org/h"\nsecret_env = "RF_NONE_SUCH"\n',
        ),
        "sink desk",
        Finding.FAIL,
        "secret",
    ),
    "a folder that is a file": (
        written("sinks.toml", '[sinks.desk]\nkind = "jsonl"\nfolder = "sinks.toml"\n'),
        "sink desk",
        Finding.WARN,
        "before the next",
    ),
    "damage": (damaged, "casebook", Finding.FAIL, "Restore"),
    "no database at all": (no_database, "casebook", Finding.FAIL, "Restore"),
    "no casebook": (gone, "casebook", Finding.WARN, "rings record"),
    "rows that refer to nothing": (changed("DELETE FROM rings"), "casebook", Finding.FAIL, "Restore"),
    "a later schema": (changed("PRAGMA user_version = 999"), "schema", Finding.FAIL, "Update"),
    "an earlier schema": (changed("PRAGMA user_version = 1"), "schema", Finding.WARN, "up to date"),
    "a clock that went back": (
        changed("UPDATE runs SET recorded_at = '2026-03-01T12:02:01.000000Z'"),
        "clock",
        Finding.FAIL,
        "Set the clock",
    ),
    "a lock of a dead owner": (
        changed(
            "INSERT INTO locks VALUES ('scoring', 't', 'h1', 7, '2026-03-01T10:00:00.000000Z', "
            "'2026-03-01T11:00:00.000000Z')"
        ),
        "leases",
        Finding.WARN,
        "takes over",
    ),
    "a sink that stopped us": (
        changed("INSERT INTO halts VALUES ('desk', '410', '2026-03-01T10:00:00.000000Z')"),
        "outbox",
        Finding.WARN,
        "outbox retry",
    ),
    "the brake": (
        changed(
            "INSERT INTO brake (run_id, share, median, at) "
            "SELECT run_id, 0.5, 0.1, '2026-03-01T10:00:00.000000Z' FROM runs"
        ),
        "brake",
        Finding.WARN,
        "--release",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_found(healthy: StateFolder, book: Casebook, wrong: str) -> None:
    spoil, name, finding, advice = WRONG[wrong]
    book.close()
    spoil(healthy)
    found = findings(healthy)

    assert found[name].finding is finding
    assert advice in found[name].advice
    # One thing is wrong, and one thing is said to be.
    assert [one.name for one in found.values() if one.finding is not Finding.OK] == [name]


def test_letters_leases_and_exhibits_that_wait_are_found(
    healthy: StateFolder, book: Casebook, clock: Clock
) -> None:
    key: X25519PrivateKey = custodian(book, "bob")
    assert key
    clock.now = START - timedelta(days=2)
    sealed_ring(book, 2, "R-2", "two", days=1)
    ordered(book, "R-3", "three")
    ordered(book, "R-4", "four")
    book._connection.execute("UPDATE exports SET status = 'dead' WHERE number = 1")
    book._connection.execute("UPDATE exports SET leased_by = 'x', leased_until = 1 WHERE number = 2")
    found = findings(healthy)

    assert found["outbox"].found == "1 dead letters"
    assert "1 events in the hand" in found["leases"].found
    assert found["exhibits"].found == "2 are past their end"


def test_a_casebook_that_may_not_be_written_is_not_called_damaged(state: StateFolder) -> None:
    state.casebook.parent.mkdir(parents=True)
    Casebook.open(state.casebook).close()
    state.casebook.parent.chmod(0o500)
    try:
        if os.access(state.casebook.parent, os.W_OK):
            pytest.skip("this user may write everywhere")
        found = next(one for one in check_state(state, START) if one.name == "casebook")
    finally:
        state.casebook.parent.chmod(0o700)

    assert found.finding is Finding.FAIL
    assert "who may write there" in found.advice


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    found = check_state(StateFolder(tmp_path / "nowhere"), START)

    assert [(one.name, one.finding) for one in found] == [("state folder", Finding.FAIL)]


def test_the_machine_is_looked_at_without_a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    found = {one.name: one for one in examine(None)}
    assert {one.finding for one in found.values()} == {Finding.OK}
    assert set(found) == {"python", "packages", "neo4j", "time"}

    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "file"))
    assert {one.name: one for one in examine(None)}["neo4j"].finding is Finding.FAIL


def test_the_command_fails_where_something_does(healthy: StateFolder) -> None:
    run = CliRunner()
    words = ["doctor", "--state", str(healthy.root)]
    well = run.invoke(app, words)
    assert well.exit_code == 0, well.stdout
    wide_keys(healthy)
    ill = run.invoke(app, words)
    assert ill.exit_code == 1
    assert "chmod 600" in ill.stdout
    told = json.loads(run.invoke(app, [*words, "--json"]).stdout)
    assert [one["name"] for one in told if one["finding"] == "fail"] == ["keys"]
