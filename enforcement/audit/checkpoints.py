"""Checkpoints: how long the log was and what its root was, signed (c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringfence.enforcement.audit.merkle import HASH_SIZE, Frontier
from ringfence.enforcement.audit.notes import read_note, sign_note
from ringfence.enforcement.keys import PublicKey, SigningKey
from ringfence.errors import AuditError
from ringfence.files import parse_json


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was signed of the log; not yet checked."""

    origin: str
    """Which log: drawn from its first entry."""
    size: int
    """Entries that it covers, at least one."""
    root: bytes
    note: str
    """The signed note, as it is handed on."""

    def signers(self, keys: Mapping[str, PublicKey]) -> tuple[str, ...]:
        """Return the ids of the keys, of those given, that signed it.

        Raises:
            AuditError: a signature claims to be by one of them and is not.
        """
        return read_note(self.note).signers(keys)


def origin_of(first_leaf: bytes) -> str:
    """Return the name of the log that begins with this leaf."""
    return f"ringfence/audit/{first_leaf.hex()[:16]}"


def sign_checkpoint(origin: str, size: int, root: bytes, keys: Sequence[SigningKey]) -> Checkpoint:
    """Return a checkpoint, signed by each key."""
    text = f"{origin}\n{size}\n{b64encode(root).decode()}\n"
    return Checkpoint(origin, size, root, sign_note(text, origin, keys))


def read_checkpoint(note: str) -> Checkpoint:
    """Return the checkpoint that a signed note holds.

    Raises:
        AuditError: it holds none.
    """
    lines = read_note(note).text.split("\n")
    try:
        origin, size, root = lines[:3]
        read = Checkpoint(origin, int(size), b64decode(root, validate=True), note)
    except (ValueError, Error) as error:
        raise AuditError("The note is no checkpoint: it lacks an origin, a size or a root.") from error
    # One checkpoint has one spelling: no zeros in front, no unused bits set, no lines of others.
    spelt = [read.origin, str(read.size), b64encode(read.root).decode(), ""]
    if lines != spelt or not read.origin or read.size < 1 or len(read.root) != HASH_SIZE:
        raise AuditError("The note is no checkpoint of ours.")
    return read


@dataclass(frozen=True, slots=True)
class Kept:
    """A line of the checkpoint file: a checkpoint, and what the next root takes."""

    checkpoint: Checkpoint
    frontier: Frontier

    def as_line(self) -> str:
        """Return the line."""
        parts = [part.hex() for part in self.frontier.parts]
        return _line({"frontier": parts, "note": self.checkpoint.note})

    @classmethod
    def from_line(cls, line: str) -> Kept:
        """Return what :meth:`as_line` wrote.

        Raises:
            AuditError: it is no such line, or the frontier is not the checkpoint's.
        """
        try:
            row = parse_json(line)
            checkpoint = read_checkpoint(row["note"])
            frontier = Frontier(checkpoint.size, [bytes.fromhex(part) for part in row["frontier"]])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise AuditError("The line is no checkpoint.") from error
        kept = cls(checkpoint, frontier)
        if frontier.root() != checkpoint.root or kept.as_line() != line:
            raise AuditError("The line was changed: its parts are not those of its checkpoint.")
        return kept


def _line(row: dict[str, object]) -> str:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
