"""What is sealed opens in its place, with its key, byte for byte, and nowhere else."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.enforcement.exhibits.crypt import KeyPlace, Place, decrypt, encrypt, new_case_key, unwrap, wrap
from ringfence.enforcement.exhibits.records import Exhibit
from ringfence.errors import AuditError

PLACE = Place("R-1", "S-1", 3, 20, "acct_00001", "2026-08-01T00:00:00.000000Z")
KEY_PLACE = KeyPlace("R-1", "S-1", "ab" * 32, "2026-08-01T00:00:00.000000Z")
EXHIBIT = Exhibit("acct_00001", "2026-02-01T10:00:00Z", "r1", "You are a tutor.", "Explain every step.")


@settings(max_examples=60, deadline=None)
@given(st.none() | st.text(max_size=3_000), st.none() | st.text(max_size=3_000))
def test_any_text_comes_back_as_it_was(system: str | None, prompt: str | None) -> None:
    key, exhibit = new_case_key(), replace(EXHIBIT, system_prompt=system, prompt=prompt)
    ciphertext = encrypt(key, exhibit, PLACE)

    assert decrypt(key, ciphertext, PLACE) == exhibit
    assert (len(ciphertext) - 28) % 1024 == 0


def test_every_changed_byte_is_noticed() -> None:
    key = new_case_key()
    ciphertext = encrypt(key, EXHIBIT, PLACE)

    for place in range(len(ciphertext)):
        changed = ciphertext[:place] + bytes([ciphertext[place] ^ 1]) + ciphertext[place + 1 :]
        with pytest.raises(AuditError, match="not what was sealed"):
            decrypt(key, changed, PLACE)


@pytest.mark.parametrize("length", [0, 5, 11, 12, 27, 500])
def test_what_is_cut_off_is_noticed(length: int) -> None:
    key = new_case_key()

    with pytest.raises(AuditError):
        decrypt(key, encrypt(key, EXHIBIT, PLACE)[:length], PLACE)


@pytest.mark.parametrize(
    "other",
    [
        replace(PLACE, ring_id="R-2"),
        replace(PLACE, seal_id="S-2"),
        replace(PLACE, number=4),
        replace(PLACE, of=19),
        replace(PLACE, account_id="acct_00002"),
        replace(PLACE, expires_at="2027-08-01T00:00:00.000000Z"),
    ],
)
def test_it_opens_in_no_other_place(other: Place) -> None:
    key = new_case_key()

    with pytest.raises(AuditError):
        decrypt(key, encrypt(key, EXHIBIT, PLACE), other)


def test_a_wrapped_key_opens_for_its_custodian_in_its_place_only() -> None:
    key, bob, eve = new_case_key(), X25519PrivateKey.generate(), X25519PrivateKey.generate()
    wrapped = wrap(key, bob.public_key().public_bytes_raw(), KEY_PLACE)

    assert unwrap(wrapped, bob, KEY_PLACE) == key
    for private, place in (
        (eve, KEY_PLACE),
        (bob, replace(KEY_PLACE, ring_id="R-2")),
        (bob, replace(KEY_PLACE, expires_at="2027-01-01")),
    ):
        with pytest.raises(AuditError):
            unwrap(wrapped, private, place)
    for at in range(len(wrapped)):
        with pytest.raises(AuditError):
            unwrap(wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :], bob, KEY_PLACE)


def test_a_wrapped_key_is_hpke_as_rfc_9180_has_it() -> None:
    key, bob = new_case_key(), X25519PrivateKey.generate()
    wrapped = wrap(key, bob.public_key().public_bytes_raw(), KEY_PLACE)

    assert hpke_base_open(wrapped, bob, KEY_PLACE.bound()) == key


def hpke_base_open(wrapped: bytes, private: X25519PrivateKey, info: bytes) -> bytes:
    """RFC 9180, sections 4.1 and 5.1, by hand: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""
    enc, ciphertext = wrapped[:32], wrapped[32:]
    kem, suite = b"KEM" + b"\x00\x20", b"HPKE" + b"\x00\x20" + b"\x00\x01" + b"\x00\x02"
    shared = private.exchange(X25519PublicKey.from_public_bytes(enc))
    extracted = labelled_extract(b"", b"eae_prk", shared, kem)
    context = enc + private.public_key().public_bytes_raw()
    secret = labelled_expand(extracted, b"shared_secret", context, 32, kem)
    schedule = (
        b"\x00"
        + labelled_extract(b"", b"psk_id_hash", b"", suite)
        + labelled_extract(b"", b"info_hash", info, suite)
    )
    base = labelled_extract(secret, b"secret", b"", suite)
    key = labelled_expand(base, b"key", schedule, 32, suite)
    nonce = labelled_expand(base, b"base_nonce", schedule, 12, suite)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


def labelled_extract(salt: bytes, label: bytes, secret: bytes, suite: bytes) -> bytes:
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + secret, sha256).digest()


def labelled_expand(key: bytes, label: bytes, info: bytes, length: int, suite: bytes) -> bytes:
    # One block of 32 bytes is all that is ever asked for here.
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.new(key, info + b"\x01", sha256).digest()[:length]
