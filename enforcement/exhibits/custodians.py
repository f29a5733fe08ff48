"""Custodians: people who can open exhibits for others. The casebook holds their public keys only."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.exhibits.key_files import encrypted_pem
from ringfence.enforcement.persons import same_person
from ringfence.errors import (
    AuditError,
    InputError,
    NotAllowedError,
    OutputError,
    UnknownCaseError,
    near_names,
)

LEAST_PASSPHRASE = 16
"""Characters; the file may be copied, and then only the passphrase stands before it."""


@dataclass(frozen=True, slots=True)
class Custodian:
    """A person who can open exhibits for others."""

    name: str
    public_key: bytes = field(repr=False)
    """X25519, 32 bytes."""
    fingerprint: str
    """SHA-256 of the public key."""
    added_by: str
    added_at: str
    retired_at: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the custodian as plain JSON values."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "added_by": self.added_by,
            "added_at": self.added_at,
            "retired_at": self.retired_at,
        }


def custodians(connection: sqlite3.Connection, *, active: bool = False) -> list[Custodian]:
    """Return the custodians by name; with ``active``, without those that have retired."""
    rows = connection.execute(
        "SELECT * FROM custodians WHERE NOT ? OR retired_at IS NULL ORDER BY name", (active,)
    )
    return [Custodian(**dict(row)) for row in rows]


def add_custodian(writing: Writing, name: str, public_key: X25519PublicKey) -> Custodian:
    """Write down a custodian's public key; what is sealed from now on can be opened with its other half.

    Raises:
        NotAllowedError: there is no name, or name or key is known already.
    """
    raw = public_key.public_bytes_raw()
    if not name.strip():
        raise NotAllowedError("A custodian needs a name: the one that they act under (--by).")
    known = custodians(writing.connection)
    if any(same_person(one.name, name) for one in known):
        raise NotAllowedError(f"{name} is, or was, a custodian already; a name is never given twice.")
    if any(one.public_key == raw for one in known):
        raise NotAllowedError("That key is another custodian's. Make one for each person.")
    fingerprint = sha256(raw).hexdigest()
    writing.execute(
        "INSERT INTO custodians VALUES (?, ?, ?, ?, ?, NULL)",
        (name.strip(), raw, fingerprint, writing.by, writing.stamp),
    )
    writing.audit("custodian added", custodian=name.strip(), fingerprint=fingerprint)
    return Custodian(name.strip(), raw, fingerprint, writing.by, writing.stamp, None)


def check_logged(connection: sqlite3.Connection, keepers: Iterable[Custodian]) -> None:
    """Refuse to seal for a key that nobody is on record to have added: it may be an intruder's.

    Raises:
        AuditError: the audit log does not have a custodian as the casebook has them.
    """
    rows = connection.execute(
        "SELECT json_extract(entry, '$.custodian') AS name, "
        "json_extract(entry, '$.fingerprint') AS fingerprint "
        "FROM (SELECT CAST(entry AS TEXT) AS entry FROM audit) "
        "WHERE json_extract(entry, '$.what') = 'custodian added'"
    )
    logged = {(row["name"], row["fingerprint"]) for row in rows}
    for one in keepers:
        if (one.name, sha256(one.public_key).hexdigest()) not in logged:
            raise AuditError(
                f"The key of {one.name} is not the one that was added: somebody has changed the casebook. "
                "Nothing was sealed. `ringfence audit verify` says more."
            )


def retire_custodian(writing: Writing, name: str, reason: str) -> Custodian:
    """Let a custodian open nothing any more; nothing is sealed for them from now on.

    Raises:
        UnknownCaseError: there is none of that name.
        NotAllowedError: there is no reason, or they have retired already.
    """
    known = {one.name: one for one in custodians(writing.connection)}
    if name not in known:
        raise UnknownCaseError(f"There is no custodian {name!r}.{near_names(name, known)}")
    if not reason.strip():
        raise NotAllowedError("Retiring a custodian needs a reason.")
    if known[name].retired_at is not None:
        raise NotAllowedError(f"{name} has retired already.")
    writing.execute("UPDATE custodians SET retired_at = ? WHERE name = ?", (writing.stamp, name))
    writing.audit("custodian retired", custodian=name, reason=reason.strip())
    return next(one for one in custodians(writing.connection) if one.name == name)


def make_key(path: Path, passphrase: str) -> X25519PublicKey:
    """Make a key pair, write the private key encrypted into a new file, and return the public key.

    Raises:
        NotAllowedError: the passphrase is too short.
        OutputError: the file is there already, or cannot be written.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise NotAllowedError(f"The passphrase must have {LEAST_PASSPHRASE} characters or more.")
    private = X25519PrivateKey.generate()
    text = encrypted_pem(private, passphrase)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError as error:
        raise OutputError(
            f"{path} is there already. A key is never overwritten; name another file."
        ) from error
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error
    return private.public_key()


def read_private_key(path: Path, passphrase: str) -> X25519PrivateKey:
    """Return a custodian's private key.

    Raises:
        InputError: the file cannot be read, or holds no such key.
        NotAllowedError: the passphrase does not open it.
    """
    text = _read(path)
    try:
        key = serialization.load_pem_private_key(text, passphrase.encode())
    except TypeError as error:
        raise InputError(
            f"{path} is not encrypted: whoever copies it can open exhibits. Retire it."
        ) from error
    except ValueError as error:
        if b"ENCRYPTED PRIVATE KEY" not in text:
            raise InputError(f"{path} holds no private key in PEM form.") from error
        raise NotAllowedError(f"The passphrase does not open {path}.") from error
    if not isinstance(key, X25519PrivateKey):
        raise InputError(f"{path} holds another kind of key; custodians have X25519 keys.")
    return key


def read_public_key(path: Path) -> X25519PublicKey:
    """Return a public key that a custodian has sent.

    Raises:
        InputError: the file cannot be read, or holds no such key.
    """
    try:
        key = serialization.load_pem_public_key(_read(path))
    except ValueError as error:
        raise InputError(f"{path} holds no public key in PEM form.") from error
    if not isinstance(key, X25519PublicKey):
        raise InputError(f"{path} holds another kind of key; custodians have X25519 keys.")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.") from error
