"""How exhibits are encrypted: AES-256-GCM under a case key, which HPKE (RFC 9180) wraps for each custodian.

Whatever says where an exhibit belongs (ring, sealing, number of how many, account, end) is bound to its
ciphertext: moved to another place, it does not open.
"""

from __future__ import annotations

import json
import os
from dataclasses import astuple, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ringfence.enforcement.exhibits.records import Exhibit
from ringfence.errors import AuditError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE = 12
_PAD = 1024
"""Texts are padded to a multiple of so many bytes: their length says little."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an exhibit belongs."""

    ring_id: str
    seal_id: str
    number: int
    of: int
    account_id: str
    expires_at: str

    def bound(self) -> bytes:
        """Return the associated data of the exhibit's ciphertext."""
        return _canonical("ringfence exhibit 1", *astuple(self))


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a wrapped case key belongs."""

    ring_id: str
    seal_id: str
    fingerprint: str
    """Of the custodian's public key."""
    expires_at: str

    def bound(self) -> bytes:
        """Return the HPKE info of the wrapped key."""
        return _canonical("ringfence case key 1", *astuple(self))


def new_case_key() -> bytes:
    """Return a fresh key, 32 bytes; it locks one sealing and nothing else."""
    return AESGCM.generate_key(256)


def encrypt(case_key: bytes, exhibit: Exhibit, place: Place) -> bytes:
    """Return nonce and ciphertext of an exhibit."""
    text = json.dumps(exhibit.as_json(), ensure_ascii=False).encode("utf-8", "surrogatepass")
    # JSON does not mind white space at its end.
    padded = text.ljust(-(-len(text) // _PAD) * _PAD)
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(case_key).encrypt(nonce, padded, place.bound())


def decrypt(case_key: bytes, ciphertext: bytes, place: Place) -> Exhibit:
    """Return the exhibit that was sealed for this place.

    Raises:
        AuditError: a byte was changed, or it was sealed for another place.
    """
    try:
        text = AESGCM(case_key).decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], place.bound())
    except (InvalidTag, ValueError):
        raise AuditError(
            f"Exhibit {place.number} of {place.ring_id} is not what was sealed: it was changed, moved or "
            "given another end. Nothing is shown. Compare the casebook with a copy."
        ) from None
    return Exhibit(**json.loads(text.decode("utf-8", "surrogatepass")))


def wrap(case_key: bytes, public_key: bytes, place: KeyPlace) -> bytes:
    """Return the case key, encrypted so that one custodian can read it."""
    return _SUITE.encrypt(case_key, X25519PublicKey.from_public_bytes(public_key), info=place.bound())


def unwrap(wrapped: bytes, private_key: X25519PrivateKey, place: KeyPlace) -> bytes:
    """Return the case key.

    Raises:
        AuditError: the wrapped key was changed, or belongs elsewhere.
    """
    try:
        return _SUITE.decrypt(wrapped, private_key, info=place.bound())
    except (InvalidTag, ValueError):
        raise AuditError(
            f"The case key of {place.ring_id} is not what was sealed: it was changed or moved. "
            "Nothing is shown. Compare the casebook with a copy."
        ) from None


def _canonical(*parts: str | int) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode()
