"""Keys that sign security event tokens: Ed25519 (EdDSA) or RSA of at least 2048 bits (RS256).

Both sign without chance: the same token gives the same bytes. A key goes by its thumbprint (RFC 7638).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_LEAST_BITS = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and what it goes by."""

    private: Ed25519PrivateKey | RSAPrivateKey

    @classmethod
    def read(cls, pem: str) -> SigningKey:
        """Read a key as ``openssl genpkey`` writes it.

        Raises:
            ValueError: it is none, has a password, or is of another kind or too short.
        """
        try:
            key = load_pem_private_key(pem.encode(), password=None)
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("holds no private key in PEM form without a password") from error
        if isinstance(key, RSAPrivateKey):
            if key.key_size < _LEAST_BITS:
                raise ValueError(f"holds an RSA key of {key.key_size} bits; take at least {_LEAST_BITS}")
            return cls(key)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("holds a key that is neither Ed25519 nor RSA")
        return cls(key)

    @property
    def algorithm(self) -> str:
        """Its name in a token's header."""
        return "RS256" if isinstance(self.private, RSAPrivateKey) else "EdDSA"

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of some bytes."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(signed, PKCS1v15(), SHA256())
        return self.private.sign(signed)

    @property
    def key_id(self) -> str:
        """Its thumbprint."""
        return in_base64(sha256(compact(self._numbers())).digest())

    def as_jwk(self) -> dict[str, str]:
        """Return the public half as receivers read it (RFC 7517)."""
        return {**self._numbers(), "kid": self.key_id, "alg": self.algorithm, "use": "sig"}

    def _numbers(self) -> dict[str, str]:
        if isinstance(self.private, RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": in_base64(raw)}


def compact(value: dict[str, Any]) -> bytes:
    """Return a JSON object without spaces, keys in their order; the same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def in_base64(raw: bytes) -> str:
    """Return bytes as tokens write them: base64 for addresses, without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return in_base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
