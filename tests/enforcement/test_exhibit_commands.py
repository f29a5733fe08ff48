"""What people type: keys that are theirs to keep, and files that are nobody else's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from exhibit_samples import MARKER, PASSPHRASE, audited, ready
from typer.testing import CliRunner

from ringfence.cli import app
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.exhibits.custodians import (
    LEAST_PASSPHRASE,
    make_key,
    read_private_key,
    read_public_key,
)
from ringfence.errors import InputError, NotAllowedError, OutputError, RingfenceError, UsageError
from ringfence.state import StateFolder


@pytest.fixture(autouse=True)
def _as_ada(state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_STATE", str(state.root))
    monkeypatch.setenv("RINGFENCE_USER", "ada")
    monkeypatch.setenv("RINGFENCE_CUSTODIAN_PASSPHRASE", PASSPHRASE)
    monkeypatch.chdir(tmp_path)


def said(*words: str) -> Result:
    return CliRunner().invoke(app, ["exhibits", *words])


def refused(error: type[RingfenceError], *words: str) -> str:
    raised = said(*words).exception
    assert isinstance(raised, error), raised
    return str(raised)


@pytest.fixture
def logs(book: Casebook, tmp_path: Path) -> str:
    ready(book)
    (tmp_path / "logs").mkdir()
    rows = [f"r{n},acct_{n:05},2026-02-01T10:00:00Z,\x1b[31m{MARKER} {n}\n" for n in range(25)]
    (tmp_path / "logs" / "requests.csv").write_text("request_id,account_id,ts,prompt\n" + "".join(rows))
    return "logs"


def test_from_leave_to_seal_to_shreds(book: Casebook, logs: str, tmp_path: Path) -> None:
    assert "as it was" in said("enable", "--reason", "Appeals.").stdout
    assert "theirs" not in said("custodian", "add", "bob", "--key", "bob.pem", "--by", "root").stdout
    dry = json.loads(said("seal", "R-1", logs, "--most", "3", "--dry-run", "--json").stdout)
    assert (dry["seen"], dry["exhibits"]) == (25, 3)
    assert not book.read("SELECT * FROM seals")
    assert "3 prompts of 3 accounts" in said("seal", "R-1", logs, "--most", "3").stdout
    asked = json.loads(said("request", "R-1", "--reason", "Appeal.", "--json").stdout)["request_id"]
    listed = said("list", "--ring", "R-1").stdout
    assert listed.count("sealed") == 3
    assert asked in listed
    out = ["--out", "plain.json", "--plaintext-ok"]
    assert "in the clear" in said("unlock", asked, "--key", "bob.pem", "--by", "bob", *out).stdout
    assert (tmp_path / "plain.json").stat().st_mode & 0o777 == 0o600
    told = json.loads((tmp_path / "plain.json").read_text())
    assert (told["requested_by"], told["unlocked_by"], len(told["exhibits"])) == ("ada", "bob", 3)
    assert json.loads(said("expire", "--json").stdout)["exhibits"] == 0
    assert "off" in said("disable", "--reason", "Done.").stdout
    assert json.loads(said("list", "--json").stdout)["enabled"] is False
    assert "Exhibits are off" in refused(NotAllowedError, "seal", "R-1", logs)


def test_what_is_shown_cannot_steer_a_terminal(logs: str) -> None:
    said("custodian", "add", "bob", "--key", "bob.pem", "--by", "root")
    said("seal", "R-1", logs)
    asked = json.loads(said("request", "R-1", "--reason", "Appeal.", "--json").stdout)["request_id"]
    shown = said("unlock", asked, "--key", "bob.pem", "--by", "bob").stdout

    assert "\x1b" not in shown
    assert shown.count(f"\\u001b[31m{MARKER}") == 20


def test_plaintext_never_goes_where_it_was_not_meant_to(
    logs: str, state: StateFolder, tmp_path: Path
) -> None:
    said("custodian", "add", "bob", "--key", "bob.pem", "--by", "root")
    said("seal", "R-1", logs)
    asked = json.loads(said("request", "R-1", "--reason", "Appeal.", "--json").stdout)["request_id"]
    words = ["unlock", asked, "--key", "bob.pem", "--by", "bob", "--out"]
    assert "--plaintext-ok" in refused(UsageError, *words, "plain.json")
    inside = str(state.root / "keys" / "plain.json")
    assert "in the state folder" in refused(UsageError, *words, inside, "--plaintext-ok")
    assert "Nothing was unlocked" in refused(OutputError, *words, "logs/requests.csv", "--plaintext-ok")
    assert "Nothing was unlocked" in refused(OutputError, *words, "no/where.json", "--plaintext-ok")
    words[-2] = "ada"
    assert "another custodian" in refused(NotAllowedError, *words, "plain.json", "--plaintext-ok")
    assert not (tmp_path / "plain.json").exists()


def test_keys_are_not_kept_in_the_state_folder_nor_overwritten(
    book: Casebook, state: StateFolder, tmp_path: Path
) -> None:
    inside = str(state.root / "bob.pem")
    assert "in the state folder" in refused(UsageError, "custodian", "add", "bob", "--key", inside)
    assert "either --key" in refused(UsageError, "custodian", "add", "bob")
    said("custodian", "add", "bob", "--key", "bob.pem")
    assert "never overwritten" in refused(OutputError, "custodian", "add", "carl", "--key", "bob.pem")
    assert "already" in refused(NotAllowedError, "custodian", "add", "bob", "--key", "other.pem")
    assert not (tmp_path / "other.pem").exists()
    assert [one["custodian"] for one in audited(book, "custodian added")] == ["bob"]


def test_a_custodian_may_send_a_public_key_and_retire(book: Casebook, tmp_path: Path) -> None:
    public = X25519PrivateKey.generate().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "carl.pub").write_bytes(pem)
    added = json.loads(said("custodian", "add", "carl", "--public-key", "carl.pub", "--json").stdout)
    assert book.read("SELECT public_key FROM custodians")[0][0] == public.public_bytes_raw()
    assert added["fingerprint"] in said("custodian", "list").stdout
    assert "retired" in said("custodian", "retire", "carl", "--reason", "Left.").stdout
    assert "already" in refused(NotAllowedError, "custodian", "retire", "carl", "--reason", "Left.")
    assert "Did you mean 'carl'" in refused(
        RingfenceError, "custodian", "retire", "karl", "--reason", "Left."
    )
    assert json.loads(said("custodian", "list", "--json").stdout)[0]["retired_at"]


def test_a_passphrase_is_asked_for_where_none_is_set(book: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGFENCE_CUSTODIAN_PASSPHRASE")
    typed = f"{PASSPHRASE}\n{PASSPHRASE}\n"
    done = CliRunner().invoke(app, ["exhibits", "custodian", "add", "bob", "--key", "bob.pem"], input=typed)

    assert done.exit_code == 0, done.output
    assert PASSPHRASE not in done.output
    assert read_private_key(Path("bob.pem"), PASSPHRASE)


def private_pem(key: X25519PrivateKey | Ed25519PrivateKey, passphrase: str | None) -> bytes:
    how = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def test_keys_that_are_none_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(InputError, match="Cannot read"):
        read_private_key(path, PASSPHRASE)
    with pytest.raises(NotAllowedError, match=f"{LEAST_PASSPHRASE} characters"):
        make_key(path, "short")
    make_key(path, PASSPHRASE)
    with pytest.raises(NotAllowedError, match="does not open"):
        read_private_key(path, PASSPHRASE + "x")
    path.write_bytes(private_pem(X25519PrivateKey.generate(), None))
    with pytest.raises(InputError, match="not encrypted"):
        read_private_key(path, PASSPHRASE)
    path.write_bytes(private_pem(Ed25519PrivateKey.generate(), PASSPHRASE))
    with pytest.raises(InputError, match="another kind"):
        read_private_key(path, PASSPHRASE)
    path.write_text("nothing")
    for read in (lambda: read_private_key(path, PASSPHRASE), lambda: read_public_key(path)):
        with pytest.raises(InputError, match="in PEM form"):
            read()
    public = Ed25519PrivateKey.generate().public_key()
    path.write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(InputError, match="another kind"):
        read_public_key(path)
    with pytest.raises(OutputError, match="Cannot write"):
        make_key(tmp_path / "no" / "where.pem", PASSPHRASE)
