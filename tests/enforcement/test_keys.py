"""Signing keys: made once, readable by their owner alone, changed without forgetting."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ringfence.enforcement.keys import KeyFolder, PublicKey, SigningKey
from ringfence.errors import AuditError


def test_a_key_is_made_when_first_needed_and_stays(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    assert folder.known() == {}

    key = folder.signing().public

    assert folder.signing().public == key
    assert folder.known() == {key.key_id: key}
    assert (tmp_path / "keys" / "signing.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {
        "signing.pem",
        f"public-{key.key_id}.pem",
    }


def test_another_key_signs_and_the_old_one_stays_known(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    old, new = folder.signing(), SigningKey.generate()
    signature = old.sign(b"then")

    folder.replace(new)

    assert folder.signing().public == new.public
    assert folder.known().keys() == {old.public.key_id, new.public.key_id}
    assert folder.known()[old.public.key_id].verifies(signature, b"then")
    assert (tmp_path / "signing.pem").stat().st_mode & 0o777 == 0o600


def make(folder: Path) -> str:
    return KeyFolder(folder).signing().public.key_id


def test_of_many_processes_at_once_one_makes_the_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        made = pool.map(make, [tmp_path] * 16)

    assert len(set(made)) == 1
    assert KeyFolder(tmp_path).known().keys() == set(made)


def test_a_signature_is_of_one_message_by_one_key() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(b"this")

    assert key.public.verifies(signature, b"this")
    assert not key.public.verifies(signature, b"that")
    assert not key.public.verifies(signature[:-1], b"this")
    assert not other.public.verifies(signature, b"this")
    assert key.sign(b"this") == signature
    assert "private" not in repr(key)


def test_the_vector_of_rfc_8032() -> None:
    """Section 7.1, test 2."""
    key = PublicKey(bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )

    assert key.verifies(signature, b"\x72")
    assert PublicKey.from_pem(key.pem) == key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_another_tool_checks_what_we_sign(tmp_path: Path) -> None:
    key = SigningKey.generate()
    for name, content in (("key", key.public.pem), ("text", b"said"), ("sig", key.sign(b"said"))):
        (tmp_path / name).write_bytes(content)

    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "text"]
    assert subprocess.run([*words, "-sigfile", "sig"], cwd=tmp_path, capture_output=True).returncode == 0


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text, said in ((b"nothing", "no private key in PEM"), (private, "no Ed25519 key")):
        (tmp_path / "signing.pem").write_bytes(text)
        with pytest.raises(AuditError, match=said):
            KeyFolder(tmp_path).signing()
    for text, said in ((b"nothing", "no public key in PEM"), (public, "no Ed25519 key")):
        (tmp_path / "public-0.pem").write_bytes(text)
        with pytest.raises(AuditError, match=said):
            KeyFolder(tmp_path).known()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(AuditError, match="Nothing was signed"):
        KeyFolder(tmp_path / "file" / "keys").signing()
    with pytest.raises(AuditError, match="The old key signs as before"):
        KeyFolder(tmp_path / "file").replace(SigningKey.generate())
