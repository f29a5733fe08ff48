"""A copied key file is worth little without its passphrase, and other tools open it with one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from exhibit_samples import PASSPHRASE

from ringfence.enforcement.exhibits.custodians import make_key, read_private_key
from ringfence.enforcement.exhibits.key_files import ROUNDS
from ringfence.errors import NotAllowedError

OPENSSL = shutil.which("openssl")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "bob.pem"
    make_key(path, PASSPHRASE)
    return path


def test_its_passphrase_opens_it_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "bob.pem"
    public = make_key(path, f"{PASSPHRASE} ü")
    assert read_private_key(path, f"{PASSPHRASE} ü").public_key() == public
    with pytest.raises(NotAllowedError, match="does not open"):
        read_private_key(path, PASSPHRASE)


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
def test_a_guess_costs_as_much_as_it_should(key_file: Path) -> None:
    told = subprocess.run(
        [str(OPENSSL), "asn1parse", "-in", key_file], capture_output=True, text=True, check=True
    )
    rounds = int(re.findall(r"INTEGER +:([0-9A-F]+)", told.stdout)[0], 16)
    assert rounds == ROUNDS
    assert rounds >= 600_000
    assert "hmacWithSHA256" in told.stdout
    assert "aes-256-cbc" in told.stdout


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
def test_openssl_reads_the_same_key(key_file: Path) -> None:
    plain = subprocess.run(
        [str(OPENSSL), "pkey", "-in", key_file, "-passin", f"pass:{PASSPHRASE}"],
        capture_output=True,
        check=True,
    ).stdout
    ours = read_private_key(key_file, PASSPHRASE)
    assert load_pem_private_key(plain, None).public_key() == ours.public_key()  # type: ignore[comparison-overlap]


def test_salt_and_start_are_drawn_anew(tmp_path: Path) -> None:
    make_key(tmp_path / "a.pem", PASSPHRASE)
    make_key(tmp_path / "b.pem", PASSPHRASE)
    one, other = ((tmp_path / name).read_bytes().splitlines()[2] for name in ("a.pem", "b.pem"))
    assert one != other
