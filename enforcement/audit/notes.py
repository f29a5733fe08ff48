"""Signed notes as C2SP defines them (c2sp.org/signed-note), so that other tools can check ours.

A note is a text, an empty line, and a line a signature: an em dash, the signer's name, and in Base64 four
bytes that name the key and the signature.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ringfence.enforcement.keys import PublicKey, SigningKey
from ringfence.errors import AuditError

_ED25519 = b"\x01"
_MARK = "— "
_HINT_SIZE = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line of a note."""

    name: str
    hint: bytes
    """Four bytes that say which key it might be; only checking tells."""
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text with signatures, not yet checked."""

    text: str
    """Ends in a line feed; all of it is signed."""
    signatures: tuple[Signature, ...]

    def signers(self, keys: Mapping[str, PublicKey]) -> tuple[str, ...]:
        """Return the ids of the keys, of those given, that signed the note.

        Raises:
            AuditError: a signature claims to be by one of them and is not.
        """
        found = []
        for line in self.signatures:
            for key_id, key in keys.items():
                if key_hint(line.name, key) != line.hint:
                    continue
                if not key.verifies(line.signature, self.text.encode()):
                    raise AuditError(f"The signature by key {key_id} is not of this text.")
                found.append(key_id)
        return tuple(found)


def key_hint(name: str, key: PublicKey) -> bytes:
    """Return the four bytes that stand for a signer's key."""
    return sha256(name.encode() + b"\n" + _ED25519 + key.raw).digest()[:_HINT_SIZE]


def sign_note(text: str, name: str, keys: Sequence[SigningKey]) -> str:
    """Return a text, which must end in a line feed, with a signature by each key."""
    lines = [
        f"{_MARK}{name} {b64encode(key_hint(name, key.public) + key.sign(text.encode())).decode()}\n"
        for key in keys
    ]
    return f"{text}\n{''.join(lines)}"


def read_note(written: str) -> Note:
    """Return the note that a text is.

    Raises:
        AuditError: it is none.
    """
    text, gap, lines = written.rpartition("\n\n")
    if not gap or not lines.endswith("\n") or not _is_text(written):
        raise AuditError("This is no signed note: it lacks the empty line or what follows it.")
    return Note(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))


def _is_text(written: str) -> bool:
    """Return whether it can be written as UTF-8, which halves of pairs cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in written)


def _signature(line: str) -> Signature:
    words = line.removeprefix(_MARK).split(" ")
    try:
        name, encoded = words
        told = b64decode(encoded, validate=True)
    except (ValueError, Error) as error:
        raise AuditError("A signature line of the note cannot be read.") from error
    # Base64 leaves bits unused: one signature has one spelling here.
    if not line.startswith(_MARK) or b64encode(told).decode() != encoded or len(told) <= _HINT_SIZE:
        raise AuditError("A signature line of the note cannot be read.")
    return Signature(name, told[:_HINT_SIZE], told[_HINT_SIZE:])
