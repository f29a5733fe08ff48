"""A question to the graph is written down before it is asked, without the accounts that it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ringfence.cli.audit import app as audit_app
from ringfence.cli.query import app
from ringfence.errors import StoreUnavailableError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where no store is: whatever is written was written before anything was asked."""
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RINGFENCE_STATE", raising=False)
    return tmp_path


def asked(*words: str) -> None:
    assert isinstance(CliRunner().invoke(app, list(words)).exception, StoreUnavailableError)


def log(state: Path) -> list[dict[str, Any]]:
    said = CliRunner().invoke(audit_app, ["log", "--state", str(state), "--json"]).stdout
    return [dict(entry) for entry in json.loads(said)]


def test_named_queries(home: Path) -> None:
    state = home / "state"
    for ring in ("R-1", "R-2"):
        asked("run", "ring-members", "--param", f"ring={ring}", "--state", str(state), "--by", "ada")

    first, second = log(state)
    assert (first["what"], first["query"], first["by"]) == ("query asked", "ring-members", "ada")
    assert first["digest"] != second["digest"]
    assert "R-1" not in json.dumps(first)


@pytest.mark.parametrize(
    ("cypher", "kept"),
    [
        ("MATCH (a {id: 'acct_1'}) RETURN a", "MATCH (a {id: …}) RETURN a"),
        ('RETURN "acct_1", 1.5e3, a1', "RETURN …, …, a1"),
        (r"RETURN 'it\'s acct_1' AS b", "RETURN … AS b"),
        ("RETURN 1 // acct_1\n, 2 /* acct_1\n */ AS b", "RETURN … …\n, … … AS b"),
        ("RETURN 'acct_1", "RETURN …"),
        ("RETURN a /* acct_1", "RETURN a …"),
    ],
)
def test_queries_of_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch, cypher: str, kept: str) -> None:
    monkeypatch.setenv("RINGFENCE_STATE", str(home / "state"))
    asked("--cypher", cypher)

    assert [entry["query"] for entry in log(home / "state")] == [kept]


def test_without_a_state_nothing_is_written(home: Path) -> None:
    asked("run", "hubs")

    assert list(home.iterdir()) == []
