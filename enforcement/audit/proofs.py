"""Proofs that leave the house: whoever has one checks it with a checkpoint and a key, and without the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.enforcement.audit.checkpoints import Checkpoint, read_checkpoint
from ringfence.enforcement.audit.log import Entry
from ringfence.enforcement.audit.merkle import MerkleTree, extends, includes
from ringfence.enforcement.keys import PublicKey
from ringfence.errors import AuditError

INCLUSION, CONSISTENCY = "inclusion", "consistency"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An entry, and the way from it to a checkpoint's root."""

    entry: Entry
    path: tuple[bytes, ...]

    def holds(self, checkpoint: Checkpoint) -> bool:
        """Return whether the entry stood at its place when the checkpoint was signed."""
        return includes(checkpoint.root, checkpoint.size, self.entry.place, self.entry.leaf, self.path)

    def as_json(self) -> dict[str, Any]:
        """Return the proof as plain JSON values."""
        return {
            "place": self.entry.place,
            "entry": self.entry.text.decode(),
            "path": [part.hex() for part in self.path],
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Inclusion:
        """Return the proof that :meth:`as_json` wrote.

        Raises:
            AuditError: it is none.
        """
        try:
            entry = Entry(int(row["place"]), row["entry"].encode())
            return cls(entry, tuple(bytes.fromhex(part) for part in row["path"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AuditError("This is no inclusion proof.") from error


def prove(tree: MerkleTree, entry: Entry, checkpoint: Checkpoint) -> Inclusion:
    """Return the proof that an entry is covered by a checkpoint.

    Raises:
        ValueError: the checkpoint does not reach as far.
    """
    return Inclusion(entry, tuple(tree.inclusion(entry.place, checkpoint.size)))


def inclusion_document(proof: Inclusion, checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what goes into the file that proves an entry."""
    return {"proof": INCLUSION, **proof.as_json(), "checkpoint": checkpoint.note}


def consistency_document(tree: MerkleTree, old: Checkpoint, new: Checkpoint) -> dict[str, Any]:
    """Return what goes into the file that proves that the log has only grown from one checkpoint to another.

    Raises:
        ValueError: the checkpoints are the wrong way round.
    """
    path = tree.consistency(old.size, new.size)
    return {
        "proof": CONSISTENCY,
        "path": [part.hex() for part in path],
        "old": old.note,
        "checkpoint": new.note,
    }


def check_document(document: Mapping[str, Any], keys: Mapping[str, PublicKey]) -> list[str]:
    """Check a proof of either kind; return what it shows, a sentence each.

    Raises:
        AuditError: it is no proof, shows nothing, or none of the keys signed the checkpoint.
    """
    try:
        kind, checkpoint = document["proof"], read_checkpoint(document["checkpoint"])
    except (KeyError, TypeError, AttributeError) as error:
        raise AuditError("The file holds no proof: it lacks what is proved, or the checkpoint.") from error
    signed = _signed(checkpoint, keys)
    if kind == INCLUSION:
        proof = Inclusion.from_json(document)
        if not proof.holds(checkpoint):
            raise AuditError(f"Entry {proof.entry.place} is not what the checkpoint covers.")
        return [f"Entry {proof.entry.place} is one of the {checkpoint.size} entries signed.", signed]
    if kind == CONSISTENCY:
        return [_check_growth(document, checkpoint, keys), signed]
    raise AuditError(f"There is no proof of {kind!r}: {INCLUSION} and {CONSISTENCY} are known.")


def _check_growth(document: Mapping[str, Any], checkpoint: Checkpoint, keys: Mapping[str, PublicKey]) -> str:
    try:
        old = read_checkpoint(document["old"])
        path = [bytes.fromhex(part) for part in document["path"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AuditError("This is no consistency proof.") from error
    _signed(old, keys)
    grown = extends(old.root, old.size, checkpoint.root, checkpoint.size, path)
    if not grown or old.origin != checkpoint.origin:
        raise AuditError(f"The log of {checkpoint.size} entries does not begin with the {old.size} signed.")
    return f"The first {old.size} of {checkpoint.size} entries are as they were signed."


def _signed(checkpoint: Checkpoint, keys: Mapping[str, PublicKey]) -> str:
    signers: Sequence[str] = checkpoint.signers(keys)
    if not signers:
        raise AuditError("None of the keys given signed the checkpoint. Name another one: --key FILE.")
    return f"The checkpoint is signed by key {', '.join(signers)}."
