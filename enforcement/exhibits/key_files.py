"""A custodian's private key as a file: PKCS #8, encrypted (RFC 8018), as ``openssl pkey`` reads it.

``cryptography`` writes such files with 2,048 rounds between a guess and its test, and cannot be told
otherwise: a copied file would fall to a machine that guesses. So the few lines around its own primitives are
written here; it reads them as any other.
"""

from __future__ import annotations

import os
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ROUNDS = 600_000
"""Of PBKDF2, as OWASP asks for with SHA-256: a fifth of a second for whoever has the passphrase."""

_SALT = 16
_INTEGER, _OCTETS, _NULL, _SEQUENCE = 0x02, 0x04, 0x05, 0x30
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
_AES256_CBC = bytes.fromhex("060960864801650304012a")


def encrypted_pem(key: X25519PrivateKey, passphrase: str) -> bytes:
    """Return a private key, encrypted under a passphrase."""
    salt, start = os.urandom(_SALT), os.urandom(16)
    stretched = PBKDF2HMAC(SHA256(), 32, salt, ROUNDS).derive(passphrase.encode())
    padder = PKCS7(128).padder()
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    encryptor = Cipher(AES256(stretched), CBC(start)).encryptor()
    locked = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    rounds = _der(_INTEGER, ROUNDS.to_bytes(4, "big").lstrip(b"\0"))
    digest = _der(_SEQUENCE, _HMAC_SHA256, _der(_NULL))
    stretching = _der(_SEQUENCE, _PBKDF2, _der(_SEQUENCE, _der(_OCTETS, salt), rounds, digest))
    cipher = _der(_SEQUENCE, _AES256_CBC, _der(_OCTETS, start))
    how = _der(_SEQUENCE, _PBES2, _der(_SEQUENCE, stretching, cipher))
    text = b64encode(_der(_SEQUENCE, how, _der(_OCTETS, locked)))
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    label = b"ENCRYPTED PRIVATE KEY"
    return b"\n".join([b"-----BEGIN " + label + b"-----", *lines, b"-----END " + label + b"-----", b""])


def _der(tag: int, *parts: bytes) -> bytes:
    """Return a value in the distinguished encoding; none here has 256 bytes or more."""
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 0x80 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body
