"""``ringfence sinks``: list, check and init, as a person runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from ringfence.cli import app
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.sinks.open import KINDS
from ringfence.errors import OutputError, PolicyError, UsageError
from ringfence.state import StateFolder

EXAMPLE = (files("ringfence.enforcement.sinks") / "example.toml").read_text()
TWO = """
[sinks.tables]
kind = "parquet"
folder = "exports"

[sinks.hook]
kind = "webhook"
url = "https://user-7:pass@hooks.example.com:8443/s3cr3t-path?token=s3cr3t"
secret_env = "RF_TEST_UNSET"
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["sinks", *map(str, words)])


def told(*words: object) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def write(state: StateFolder, text: str) -> Path:
    state.root.mkdir(parents=True, exist_ok=True)
    state.sinks.write_text(text)
    return state.sinks


class TestList:
    def test_it_says_where_each_goes_and_no_secret(self, state: StateFolder) -> None:
        write(state, TWO)
        shown = run("list", "--state", state.root)
        assert str(state.root / "exports") in shown.stdout
        assert "https://hooks.example.com:8443\n" in shown.stdout
        assert told("list", "--state", state.root) == [
            {
                "name": "tables",
                "kind": "parquet",
                "where": str(state.root / "exports"),
                "halted": None,
            },
            {"name": "hook", "kind": "webhook", "where": "https://hooks.example.com:8443", "halted": None},
        ]
        for secret in ("s3cr3t", "user-7", "pass@"):
            assert secret not in shown.output

    def test_a_sink_that_wanted_nothing_any_more_is_marked(self, state: StateFolder, book: Casebook) -> None:
        write(state, TWO)
        with book.writing("outbox") as writing:
            writing.execute("INSERT INTO halts VALUES ('hook', ?, ?)", ("410 \x1b[31mGone", writing.stamp))
        assert [one["halted"] for one in told("list", "--state", state.root)] == [None, "410 \x1b[31mGone"]
        shown = run("list", "--state", state.root).stdout
        assert "410 \\u001b[31mGone" in shown

    def test_without_sinks_it_says_so(self, state: StateFolder) -> None:
        assert "sent nowhere" in run("list", "--state", state.root).stdout
        assert told("list", "--state", state.root) == []

    def test_it_needs_to_know_which_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RINGFENCE_STATE", raising=False)
        assert isinstance(run("list").exception, UsageError)


class TestCheck:
    def test_all_that_is_off_is_told_at_once(self, state: StateFolder) -> None:
        write(state, TWO + '[sinks.more]\nkind = "csv"\n')
        done = run("check", "--state", state.root)
        assert isinstance(done.exception, PolicyError)
        assert "folder is missing" in str(done.exception)
        assert "'hook': url" in str(done.exception)
        assert "tables (parquet)" in done.stdout
        assert "hook (webhook) → https://hooks.example.com:8443: off" in done.stdout
        assert "s3cr3t" not in done.output + str(done.exception)

    def test_with_json_the_problems_are_data_and_the_command_fails_all_the_same(
        self, state: StateFolder
    ) -> None:
        write(state, TWO)
        done = run("check", "--state", state.root, "--json")
        assert isinstance(done.exception, PolicyError)
        tables, hook = json.loads(done.stdout)
        assert tables["problem"] is None
        assert "'hook'" in hook["problem"]

    def test_a_file_of_its_own_may_be_checked(self, tmp_path: Path) -> None:
        (tmp_path / "other.toml").write_text('[sinks.a]\nkind = "csv"\nfolder = "out"\n')
        done = run("check", "--file", tmp_path / "other.toml")
        assert "1 of 1 can be used." in done.stdout
        assert not (tmp_path / "out").exists()

    def test_no_file_is_told(self, state: StateFolder) -> None:
        done = run("check", "--state", state.root)
        assert isinstance(done.exception, PolicyError)
        assert "sinks init" in str(done.exception)

    def test_secrets_that_others_can_read_are_warned_of(self, state: StateFolder) -> None:
        entry = '[sinks.hook]\nkind = "webhook"\nurl = "https://hooks.example.com/"\n'
        write(state, entry + 'secret_file = ["a", "b"]\nca_file = "ca"\n')
        for name, mode in {"a": 0o600, "b": 0o644}.items():
            (state.root / name).write_text(webhook_secret())
            (state.root / name).chmod(mode)
        shutil.copy(certifi.where(), state.root / "ca")
        done = run("check", "--state", state.root)
        assert done.exit_code == 0
        assert f"can read {state.root / 'b'}" in done.stderr
        assert done.stderr.count("can read") == 1

    def test_folders_that_take_no_files_are_warned_of(self, state: StateFolder) -> None:
        write(state, '[sinks.a]\nkind = "csv"\nfolder = "sinks.toml"\n')
        assert "is a file" in run("check", "--state", state.root).stderr
        write(state, '[sinks.a]\nkind = "csv"\nfolder = "sinks.toml/below"\n')
        assert "cannot be written to" in run("check", "--state", state.root).stderr


class TestInit:
    def test_it_writes_a_file_that_can_be_used_at_once(self, state: StateFolder) -> None:
        assert "sinks check" in run("init", "--state", state.root).stdout
        assert run("check", "--state", state.root).exit_code == 0
        (only,) = told("list", "--state", state.root)
        assert only == {
            "name": "files",
            "kind": "csv",
            "where": str(state.root / "exports"),
            "halted": None,
        }

    def test_it_never_overwrites(self, state: StateFolder) -> None:
        write(state, "# mine\n")
        done = run("init", "--state", state.root)
        assert isinstance(done.exception, OutputError)
        assert state.sinks.read_text() == "# mine\n"

    def test_a_folder_that_cannot_be_made_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = run("init", "--state", tmp_path / "file" / "below")
        assert isinstance(done.exception, OutputError)

    def test_a_dry_run_prints_and_writes_nothing(self, state: StateFolder) -> None:
        assert run("init", "--state", state.root, "--dry-run").stdout == EXAMPLE
        assert told("init", "--state", state.root, "--dry-run")["written"] is False
        assert not state.root.exists()

    def test_whatever_is_commented_out_can_be_used_when_it_is_not(self, state: StateFolder) -> None:
        write(state, uncommented())
        (state.root / "hook.secret").write_text(webhook_secret())
        (state.root / "login.pem").write_bytes(pem())
        (state.root / "taxii.token").write_text("s3cr3t")
        for one in state.root.iterdir():
            one.chmod(0o600)
        checked = told("check", "--state", state.root)
        assert [one for one in checked if one["problem"] or one["warnings"]] == []

    def test_every_kind_is_explained(self) -> None:
        assert {one["kind"] for one in tomllib.loads(uncommented())["sinks"].values()} == set(KINDS)


def uncommented() -> str:
    return re.sub("^#(?! )", "", EXAMPLE, flags=re.MULTILINE)


def webhook_secret() -> str:
    return "whsec_" + b64encode(bytes(range(32))).decode()


def pem() -> bytes:
    made = Ed25519PrivateKey.generate()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_the_command_exits_by_the_error(tmp_path: Path) -> None:
    words = [str(Path(sys.executable).with_name("ringfence")), "sinks", "check", "--state", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 2
    assert done.stderr.startswith("ringfence: There is no sinks file")
