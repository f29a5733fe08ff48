"""Signing keys: Ed25519, made when first needed, changed without forgetting who signed what came before.

``signing.pem`` signs. ``public-<key id>.pem`` stays for every key there ever was; whoever has one can check
what that key signed, with any tool.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ringfence.errors import AuditError


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked with."""

    raw: bytes
    """32 bytes, as RFC 8032 writes it."""

    @property
    def key_id(self) -> str:
        """Names the key: 16 hexadecimal digits of its SHA-256."""
        return sha256(self.raw).hexdigest()[:16]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Return whether the key's owner signed the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def pem(self) -> bytes:
        """The key as other tools read it."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def from_pem(cls, text: bytes, where: str = "The public key") -> PublicKey:
        """Return the key that a PEM file holds.

        Raises:
            AuditError: it holds none of ours.
        """
        try:
            key = load_pem_public_key(text)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise AuditError(f"{where} is no public key in PEM format.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise AuditError(f"{where} is no Ed25519 key; those sign here.")
        return cls(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new key."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> PublicKey:
        """What its signatures are checked with."""
        return PublicKey(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes: the same for the same message."""
        return self.private.sign(message)


class KeyFolder:
    """The signing keys of a state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def _path(self) -> Path:
        return self._folder / "signing.pem"

    def signing(self) -> SigningKey:
        """Return the key that signs; make one where there is none. Of two processes at once, one makes it.

        Raises:
            AuditError: the key cannot be read or made.
        """
        try:
            if not self._path.exists():
                self._make()
            return _read_private(self._path)
        except OSError as error:
            raise AuditError(f"{self._path}: {error.strerror or error}. Nothing was signed.") from error

    def replace(self, key: SigningKey) -> None:
        """Let another key sign from now on; the old one's private half is gone, its public half stays.

        Raises:
            AuditError: the folder cannot be written.
        """
        try:
            self._keep_public(key.public)
            with self._private_file(key) as written:
                written.replace(self._path)
        except OSError as error:
            raise AuditError(
                f"{self._folder}: {error.strerror or error}. The old key signs as before."
            ) from error

    def known(self) -> dict[str, PublicKey]:
        """Return every key there ever was, by its id.

        Raises:
            AuditError: a file is no key.
        """
        files = sorted(self._folder.glob("public-*.pem"))
        return by_id(PublicKey.from_pem(file.read_bytes(), str(file)) for file in files)

    def _make(self) -> None:
        key = SigningKey.generate()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keep_public(key.public)
        # A link fails where somebody else was first; theirs is the key then.
        with self._private_file(key) as written, suppress(FileExistsError):
            os.link(written, self._path)
        if _read_private(self._path).public != key.public:
            self._public_path(key.public).unlink(missing_ok=True)

    def _keep_public(self, key: PublicKey) -> None:
        self._public_path(key).write_bytes(key.pem)

    def _public_path(self, key: PublicKey) -> Path:
        return self._folder / f"public-{key.key_id}.pem"

    def _private_file(self, key: SigningKey) -> _Passing:
        """Write a private key into a file of its own, which its owner alone can read."""
        text = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with NamedTemporaryFile(dir=self._folder, prefix=".signing.", delete=False) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return _Passing(Path(file.name))


class _Passing:
    """A file that is gone afterwards, unless it was renamed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_raised: object) -> None:
        self._path.unlink(missing_ok=True)


def by_id(keys: Iterable[PublicKey]) -> dict[str, PublicKey]:
    """Return keys by their ids."""
    return {key.key_id: key for key in keys}


def _read_private(path: Path) -> SigningKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuditError(f"{path} is no private key in PEM format. Restore a copy.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditError(f"{path} is no Ed25519 key; those sign here.")
    return SigningKey(key)
