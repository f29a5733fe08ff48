"""``ringfence audit``, as a person and as a program use it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from audit_samples import lively, rewrite, tamper
from typer.testing import CliRunner, Result

from ringfence.cli.audit import app
from ringfence.cli.state import open_casebook
from ringfence.enforcement.casebook.decide import add_note
from ringfence.errors import AuditError, RingfenceError, UsageError
from ringfence.state import StateFolder


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    lively(folder, tmp_path / "copies")
    monkeypatch.setenv("RINGFENCE_STATE", str(folder.root))
    return folder


def audit(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def said(result: Result) -> Any:
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def refused(result: Result) -> RingfenceError:
    assert isinstance(result.exception, RingfenceError), result.exception
    return result.exception


def key_of(state: StateFolder) -> Path:
    (key,) = state.keys.glob("public-*.pem")
    return key


def test_sign_and_verify(state: StateFolder, tmp_path: Path) -> None:
    made = said(audit("checkpoint", "--copy-to", tmp_path / "elsewhere", "--json"))
    (copy,) = (tmp_path / "elsewhere").iterdir()
    assert copy.read_text() == made["note"] == audit("checkpoint").stdout

    found = said(audit("verify", "--checkpoint", copy, "--key", key_of(state), "--json"))
    assert found["ok"]
    assert found["covered"] == found["entries"] == made["size"]
    assert said(audit("verify", "--checkpoint", state.checkpoints, "--json"))["checkpoints"] == 6
    text = audit("verify").stdout
    assert f"{made['size']} entries; 3 checkpoints" in text
    assert "Nothing was changed, deleted, moved or cut off there." in text


def test_what_was_changed_is_told_and_ends_with_1(state: StateFolder, tmp_path: Path) -> None:
    tamper(state, lambda connection: rewrite(connection, [b'{"what":"nothing"}']))

    result = audit("verify", "--checkpoint", tmp_path / "copies", "--json")
    assert not json.loads(result.stdout)["ok"]
    assert refused(result).exit_code == 1
    result = audit("verify")
    assert "does not hold" in str(refused(result))
    assert "were cut off" in result.output


def test_the_log_is_shown(state: StateFolder) -> None:
    everything = said(audit("log", "--json"))
    assert [entry["place"] for entry in everything] == list(range(len(everything)))
    of_ring = said(audit("log", "--ring", "R-1", "--json"))
    assert {entry["ring_id"] for entry in of_ring} == {"R-1"}
    assert len(of_ring) < len(everything)
    assert said(audit("log", "--since", "2999-01-01", "--json")) == []
    assert len(said(audit("log", "--since", "2020-01-01T00:00:00+02:00", "--json"))) == len(everything)
    assert isinstance(refused(audit("log", "--since", "noon")), UsageError)
    assert "verdict given" in audit("log").stdout


def test_the_log_shows_no_control_characters(state: StateFolder) -> None:
    with open_casebook(state.root) as book, book.writing("e\x1bve") as writing:
        add_note(writing, "R-1", "x")

    assert "e\\u001bve" in audit("log").stdout


def test_a_command_that_adds_to_the_log_signs_it(
    state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_CHECKPOINTS", str(tmp_path / "away"))
    for _time in range(2):
        with open_casebook(state.root) as book:
            pass
    assert not (tmp_path / "away").exists()

    with open_casebook(state.root) as book, book.writing("ada") as writing:
        add_note(writing, "R-1", "x")
    found = said(audit("verify", "--checkpoint", tmp_path / "away", "--json"))
    assert found["covered"] == found["entries"]
    assert len(list((tmp_path / "away").iterdir())) == 1


def test_what_was_decided_stands_where_it_cannot_be_signed(
    state: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(state.keys)
    state.keys.write_text("in the way")
    with open_casebook(state.root) as book, book.writing("ada") as writing:
        add_note(writing, "R-1", "kept all the same")

    assert "What was decided stands, but no checkpoint was made" in capsys.readouterr().err
    with sqlite3.connect(state.casebook) as connection:
        notes = connection.execute("SELECT text FROM notes").fetchall()
    connection.close()
    assert ("kept all the same",) in notes


def test_proofs_leave_the_house(state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof, growth = tmp_path / "proof.json", tmp_path / "growth.json"
    proof.write_text(audit("prove", "3").stdout, encoding="utf-8")
    growth.write_text(audit("prove", "--since", tmp_path / "copies").stdout, encoding="utf-8")
    assert "Entry 3 is one of" in audit("verify", "--proof", proof).stdout
    assert "None of the keys" in str(refused(audit("verify", "--proof", proof, "--key", other_key(tmp_path))))

    key = shutil.copy(key_of(state), tmp_path / "key.pem")
    shutil.rmtree(state.root)
    monkeypatch.delenv("RINGFENCE_STATE")
    assert said(audit("verify", "--proof", proof, "--key", key, "--json"))["ok"]
    assert "are as they were signed" in audit("verify", "--proof", growth, "--key", key).stdout
    assert isinstance(refused(audit("verify", "--proof", proof)), UsageError)
    assert isinstance(refused(audit("verify")), UsageError)


def other_key(folder: Path) -> Path:
    from ringfence.enforcement.keys import SigningKey

    path = folder / "other.pem"
    path.write_bytes(SigningKey.generate().public.pem)
    return path


def test_a_new_key(state: StateFolder) -> None:
    changed = said(audit("rotate-key", "--reason", "A year is over.", "--by", "ada", "--json"))
    assert {changed["was"], changed["key"]} <= set(said(audit("verify", "--json"))["keys"])
    assert said(audit("log", "--json"))[-1]["what"] == "signing key changed"
    assert "signs from now on" in audit("rotate-key", "--reason", "Again.").stdout


def test_words_that_cannot_be_carried_out(state: StateFolder, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty", tmp_path / "text"
    empty.mkdir()
    text.write_text("[]")
    assert isinstance(refused(audit("prove")), UsageError)
    assert isinstance(refused(audit("prove", "1", "--since", text)), UsageError)
    for words, said_of_it in (
        (("prove", "999"), "no entry 999"),
        (("verify", "--checkpoint", empty), "holds no checkpoint"),
        (("verify", "--checkpoint", text), "no signed note"),
        (("verify", "--checkpoint", tmp_path / "nothing"), "cannot be read"),
        (("verify", "--proof", text), "holds no proof"),
        (("verify", "--proof", tmp_path / "nothing"), "cannot be read"),
        (("verify", "--key", tmp_path / "nothing"), "No such file"),
    ):
        assert said_of_it in str(refused(audit(*words)))
    state.checkpoints.write_text("{}\n")
    for words in (("prove", "1"), ("verify", "--checkpoint", state.checkpoints)):
        assert isinstance(refused(audit(*words)), AuditError)


def test_the_command_imports_nothing_heavy() -> None:
    code = """
import sys, ringfence.cli.audit
heavy = {"cryptography", "pyarrow", "pandas", "numpy", "sqlite3"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
