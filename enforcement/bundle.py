"""Signed archives: files, their digests in a manifest, and a signature over the manifest.

A plain zip: ``MANIFEST.json`` has the SHA-256 of every other file, ``MANIFEST.sig`` is the Ed25519 signature
over its bytes, and ``keys/`` has the public keys. Any zip tool, ``sha256sum`` and ``openssl`` can check
it without us.
"""

from __future__ import annotations

import json
import re
import stat
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ringfence.enforcement.keys import PublicKey, SigningKey, by_id
from ringfence.errors import AuditError
from ringfence.files import parse_json

MANIFEST, SIGNATURE, KEYS = "MANIFEST.json", "MANIFEST.sig", "keys/"

MOST_BYTES = 1 << 31
"""An archive that claims to hold more than this is not unpacked."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*/?")
"""Names that stay within a folder, wherever an archive is unpacked."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a signed archive holds; every file is what its manifest says."""

    files: Mapping[str, bytes]
    """All but the manifest, its signature and the keys."""
    manifest: Mapping[str, Any]
    signer: PublicKey
    keys: Mapping[str, PublicKey]
    """Keys that came along, by their ids; the manifest vouches for them."""


def pack(
    files: Mapping[str, bytes], about: Mapping[str, Any], key: SigningKey, known: Iterable[PublicKey] = ()
) -> bytes:
    """Return an archive: the same bytes for the same files and keys.

    Args:
        files: Name within the archive → contents.
        about: Goes into the manifest.
        key: Signs.
        known: Other public keys to bring along.
    """
    keys = {f"{KEYS}{one.key_id}.pem": one.pem for one in (*known, key.public)}
    inside = {**files, **keys}
    digests = {name: sha256(content).hexdigest() for name, content in sorted(inside.items())}
    manifest = json_bytes({**about, "key": key.public.key_id, "files": digests})
    inside |= {MANIFEST: manifest, SIGNATURE: key.sign(manifest)}
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(inside):
            entry = ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr, entry.compress_type = 3, _MODE, ZIP_DEFLATED
            archive.writestr(entry, inside[name])
    return written.getvalue()


def unpack(archive: bytes, pinned: PublicKey | None = None) -> Bundle:
    """Return what an archive holds, after the signature and every digest were checked.

    Args:
        archive: Its bytes.
        pinned: The key that must have signed it; the one that came along where none is given.

    Raises:
        AuditError: it is no archive of ours, or anything in it was changed.
    """
    inside = _read(archive)
    try:
        manifest_bytes, signature = inside.pop(MANIFEST), inside.pop(SIGNATURE)
    except KeyError as error:
        raise AuditError(f"The archive has no {error.args[0]}: it is no signed archive of ours.") from error
    manifest = _manifest(manifest_bytes)
    keys = by_id(
        PublicKey.from_pem(content, name) for name, content in inside.items() if name.startswith(KEYS)
    )
    signer = pinned or keys.get(manifest["key"])
    if signer is None:
        raise AuditError(f"The key {manifest['key']} that signed did not come along. Name it: --key PEM.")
    if not signer.verifies(signature, manifest_bytes):
        raise AuditError(f"The manifest is not what key {signer.key_id} signed.")
    _check_files(inside, manifest["files"])
    files = {name: content for name, content in inside.items() if not name.startswith(KEYS)}
    return Bundle(files, manifest, signer, keys)


def _read(archive: bytes) -> dict[str, bytes]:
    try:
        with ZipFile(BytesIO(archive)) as opened:
            _check_entries(opened.infolist())
            listed = [entry for entry in opened.infolist() if not entry.is_dir()]
            names = [entry.filename for entry in listed]
            if len(set(names)) < len(names):
                raise AuditError("The archive has two files of one name.")
            if sum(entry.file_size for entry in listed) > MOST_BYTES:
                raise AuditError(f"The archive unpacks to more than {MOST_BYTES >> 30} GiB; it was not read.")
            return {entry.filename: opened.read(entry) for entry in listed}
    except (
        BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise AuditError(f"The archive is damaged: {error}.") from error


def _check_entries(listed: Iterable[ZipInfo]) -> None:
    """Refuse what no archive of ours has, before any of it is unpacked here or elsewhere."""
    for entry in listed:
        if not _NAME.fullmatch(entry.filename) or entry.orig_filename != entry.filename:
            raise AuditError(f"The archive has {entry.orig_filename!r}, which is no name of ours.")
        if not entry.is_dir() and stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise AuditError(f"{entry.filename} is no plain file in the archive.")
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise AuditError(f"{entry.filename} is packed in a way that is not ours; it was not unpacked.")


def _manifest(content: bytes) -> dict[str, Any]:
    try:
        manifest = parse_json(content)
        assert isinstance(manifest["files"], dict)
        assert isinstance(manifest["key"], str)
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        raise AuditError(f"{MANIFEST} cannot be read.") from error
    return dict(manifest)


def _check_files(inside: Mapping[str, bytes], digests: Mapping[str, str]) -> None:
    if missing := sorted(digests.keys() - inside.keys()):
        raise AuditError(f"{missing[0]} is missing from the archive.")
    if strange := sorted(inside.keys() - digests.keys()):
        raise AuditError(f"{strange[0]} is not in the manifest: somebody put it into the archive.")
    for name, content in inside.items():
        if sha256(content).hexdigest() != digests[name]:
            raise AuditError(f"{name} was changed: it is not what the manifest says.")


def json_bytes(value: Any) -> bytes:
    """Return a JSON value as people and programs read it: the same bytes for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
