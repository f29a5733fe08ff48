"""What goes wrong, told clearly, with nothing half-written and a way back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import SCRIPT, ringfence

from ringfence.errors import UsageError
from ringfence.pipeline.run import RunRequest, run
from ringfence.stores.local import LocalServer
from ringfence.stores.neo4j import Neo4jStore


def write_logs(folder: Path) -> Path:
    """Write six accounts, of which three share a card."""
    folder.mkdir()
    rows = [f"p{i},a{i},{'shared' if i < 3 else f'own{i}'},2026-03-0{i + 1}" for i in range(6)]
    (folder / "payments.csv").write_text("\n".join(["payment_id,account_id,instrument_id,ts", *rows]) + "\n")
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return write_logs(tmp_path / "logs")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The output of a run on the logs, and what it said."""
    folder = tmp_path_factory.mktemp("ran")
    words = ("run", write_logs(folder / "logs"), "--out", folder / "out", "--neo4j", "none")
    return folder / "out", ringfence(*words).stdout


def test_a_small_folder_runs(ran: tuple[Path, str]) -> None:
    assert "6 accounts" in ran[1]
    assert "No account is labelled" in ran[1]


def test_the_output_of_another_run_is_replaced_only_when_asked(
    ran: tuple[Path, str], logs: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(ran[0], tmp_path / "out")
    (out / "notes.txt").write_text("seen")

    said = ringfence("run", logs, "--out", out, "--neo4j", "none", code=1).stderr
    assert "is not empty" in said
    assert "--force" in said
    assert (out / "notes.txt").exists()

    ringfence("run", logs, "--out", out, "--neo4j", "none", "--force")
    assert not (out / "notes.txt").exists()


def test_a_folder_that_no_run_made_is_never_replaced(logs: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "keep.txt").write_text("keep me")

    said = ringfence("run", logs, "--out", mine, "--neo4j", "none", "--force", code=1).stderr
    assert "not ours" in said
    assert [path.name for path in mine.iterdir()] == ["keep.txt"]


@pytest.mark.parametrize("out", ["logs", ".", "logs/out"])
def test_what_is_read_is_never_written(logs: Path, tmp_path: Path, out: str) -> None:
    before = (logs / "payments.csv").read_bytes()

    ringfence("run", logs, "--out", tmp_path / out, "--neo4j", "none", "--force", code=1)
    assert (logs / "payments.csv").read_bytes() == before
    assert [path.name for path in logs.iterdir()] == ["payments.csv"]


def test_a_failed_run_leaves_nothing_behind(logs: Path, tmp_path: Path) -> None:
    (logs / "requests.csv").write_text("request_id,account,ts\n")

    said = ringfence("run", logs, "--out", tmp_path / "out", "--neo4j", "none", code=1).stderr
    assert "account_id" in said
    assert "Did you mean 'account'" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs"]


def test_too_many_refused_rows_are_an_exit_code(logs: Path, tmp_path: Path) -> None:
    with (logs / "payments.csv").open("a") as file:
        file.write("p9,a9,card,yesterday\n")

    words = ("run", logs, "--neo4j", "none", "--json")
    strict = ringfence(*words, "--out", tmp_path / "strict", code=3).stdout
    assert json.loads(strict)["rows"] == {"in": 7, "loaded": 6, "rejected": 1, "duplicates": 0}
    refused = json.loads((tmp_path / "strict" / "rejected" / "payments.ndjson").read_text())
    assert (refused["file"], refused["line"], refused["column"]) == ("payments.csv", 8, "ts")
    ringfence(*words, "--out", tmp_path / "lax", "--max-rejected", "0.5")


def test_wrong_words_are_a_usage_error(logs: Path) -> None:
    assert "--out" in ringfence("run", logs, code=2).stderr


def test_dry_run_says_what_feeds_what_and_writes_nothing(logs: Path, tmp_path: Path) -> None:
    (logs / "notes.txt").write_text("hello")

    said = ringfence("run", logs, "--out", tmp_path / "out", "--dry-run", "--json").stdout
    assert json.loads(said) == {
        "files": [{"file": "payments.csv", "table": "payments"}],
        "unused_files": ["notes.txt"],
    }
    assert not (tmp_path / "out").exists()


def test_a_killed_run_leaves_no_output(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    head = "payment_id,account_id,instrument_id\n"
    rows = "".join(f"p{i},a{i % 9000},c{i % 7000}\n" for i in range(400_000))
    (logs / "payments.csv").write_text(head + rows)
    running = subprocess.Popen([SCRIPT, "run", logs, "--out", tmp_path / "out", "--neo4j", "none"])
    while not list(tmp_path.glob(".out.*.partial/.work/tables/payments/*")):
        assert running.poll() is None
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "out").exists()

    ringfence("run", logs, "--out", tmp_path / "out", "--neo4j", "none")
    assert (tmp_path / "out" / "manifest.json").exists()


def test_no_answer_from_the_store_keeps_the_output(logs: Path, tmp_path: Path) -> None:
    nobody = "bolt://neo4j:secret-word@127.0.0.1:9"
    done = ringfence("run", logs, "--out", tmp_path / "out", "--neo4j", nobody, "--json", code=4)

    assert "127.0.0.1:9" in json.loads(done.stdout)["store_error"]
    assert (tmp_path / "out" / "report.html").exists()
    assert "secret-word" not in done.stdout + done.stderr


def test_a_store_that_cannot_be_is_refused_before_any_work(logs: Path, tmp_path: Path) -> None:
    ringfence("run", logs, "--out", tmp_path / "out", "--neo4j", "neo5j", code=2)
    assert not (tmp_path / "out").exists()
    for where in ("neo5j", "http://127.0.0.1:7474", "bolt://127.0.0.1:9"):
        with pytest.raises(UsageError):
            run(RunRequest(logs, tmp_path / "out", neo4j=where))
        assert not (tmp_path / "out").exists()


@pytest.mark.neo4j
def test_another_graph_in_the_store_is_replaced_only_when_asked(
    logs: Path, tmp_path: Path, neo4j_server: LocalServer
) -> None:
    where = ("--neo4j", neo4j_server.address)
    ringfence("run", logs, "--out", tmp_path / "one", *where, "--force", server=neo4j_server)
    (logs / "payments.csv").write_text("payment_id,account_id,instrument_id\nq1,b1,c1\n")

    said = ringfence("run", logs, "--out", tmp_path / "two", *where, server=neo4j_server, code=4).stderr
    assert f"ringfence neo4j load {tmp_path / 'two'} --force" in said
    ringfence("neo4j", "load", tmp_path / "two", *where, "--force", server=neo4j_server)
    with Neo4jStore(neo4j_server.address, neo4j_server.user, neo4j_server.password) as store:
        assert store.counts()["Account"] == 1
