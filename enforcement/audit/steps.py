"""What people do with the audit log: sign it, prove from it, check it, change the key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ringfence.enforcement.audit.checkpoints import Checkpoint, read_checkpoint
from ringfence.enforcement.audit.keeping import CheckpointFile, keep_checkpoint
from ringfence.enforcement.audit.log import entries
from ringfence.enforcement.audit.merkle import MerkleTree
from ringfence.enforcement.audit.proofs import consistency_document, inclusion_document, prove
from ringfence.enforcement.audit.verify import KEY_CHANGED, Found, Verified, read_lines, verify_log
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.keys import KeyFolder, PublicKey, SigningKey
from ringfence.errors import AuditError, UnknownCaseError
from ringfence.state import StateFolder


def verify(
    book: Casebook, state: StateFolder, files: Sequence[Path] = (), pinned: PublicKey | None = None
) -> Verified:
    """Check the log and the tables beside it.

    Args:
        book: The casebook.
        state: Where its checkpoints and keys are.
        files: Checkpoints from elsewhere: notes, checkpoint files, or folders of notes.
        pinned: A key that must have signed one of the checkpoints.

    Raises:
        CasebookError: the casebook cannot be read.
        AuditError: a checkpoint from elsewhere, or a key, cannot be read.
    """
    # Checkpoints first: one that is made meanwhile would seem to cover entries that are not there.
    lines, rest = CheckpointFile(state.checkpoints).lines()
    found, faults = read_lines(lines, state.checkpoints.name)
    for file in files:
        found += read_copies(file)
    keys = KeyFolder(state.keys).known()
    with book.reading() as connection:
        verified = verify_log(connection, found, keys, pinned)
    cut = ["The last line of the checkpoint file is cut off; it counts for nothing."] if rest else []
    return Verified(
        entries=verified.entries,
        checkpoints=verified.checkpoints,
        covered=verified.covered,
        keys=verified.keys,
        faults=(*faults, *verified.faults),
        remarks=(*cut, *verified.remarks),
    )


def read_copies(path: Path) -> list[Found]:
    """Return the checkpoints of a note, a checkpoint file, or a folder of notes.

    Raises:
        AuditError: there is none, or one cannot be read.
    """
    if path.is_dir():
        notes = [found for note in sorted(path.glob("*.note")) for found in read_copies(note)]
        if not notes:
            raise AuditError(f"{path} holds no checkpoint: no file that ends in .note.")
        return notes
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{path} cannot be read as a checkpoint.") from error
    if text.startswith("{"):
        found, faults = read_lines(text.splitlines(keepends=True), str(path))
        if faults:
            raise AuditError(faults[0])
        return found
    try:
        return [Found(str(path), read_checkpoint(text))]
    except AuditError as error:
        raise AuditError(f"{path}: {error}") from error


def prove_entry(book: Casebook, state: StateFolder, place: int) -> dict[str, Any]:
    """Return the proof that an entry is covered by the earliest checkpoint that reaches it.

    Raises:
        UnknownCaseError: there is no such entry.
        AuditError: no checkpoint reaches it, or the log is not what was signed.
    """
    checkpoint = covering(state, place)
    with book.reading() as connection:
        told = list(entries(connection, 0, checkpoint.size if checkpoint else None))
    if checkpoint is None:
        if place not in range(len(told)):
            raise UnknownCaseError(f"The log has no entry {place}: it has {len(told)}, from 0.")
        raise AuditError(f"No checkpoint covers entry {place} yet. Make one: `ringfence audit checkpoint`.")
    tree = MerkleTree(entry.leaf for entry in told)
    if len(tree) != checkpoint.size or not (proof := prove(tree, told[place], checkpoint)).holds(checkpoint):
        raise AuditError("The log is not what was signed. `ringfence audit verify` says more.")
    return inclusion_document(proof, checkpoint)


def prove_growth(book: Casebook, state: StateFolder, old: Checkpoint) -> dict[str, Any]:
    """Return the proof that the log has only grown since a checkpoint.

    Raises:
        AuditError: there is no later checkpoint, or the log is not what was signed.
    """
    last = CheckpointFile(state.checkpoints).last()
    if last is None or last.checkpoint.size < old.size:
        raise AuditError(f"There is no checkpoint of {old.size} entries or more. Make one first.")
    with book.reading() as connection:
        tree = MerkleTree(entry.leaf for entry in entries(connection, 0, last.checkpoint.size))
    sizes = (old, last.checkpoint)
    if len(tree) < last.checkpoint.size or any(tree.root(one.size) != one.root for one in sizes):
        raise AuditError("The log is not what was signed. `ringfence audit verify` says more.")
    return consistency_document(tree, old, last.checkpoint)


def covering(state: StateFolder, place: int) -> Checkpoint | None:
    """Return the earliest checkpoint of a state folder that covers an entry; None where none does.

    Raises:
        AuditError: the checkpoint file is damaged.
    """
    found, faults = read_lines(CheckpointFile(state.checkpoints).lines()[0], state.checkpoints.name)
    if faults:
        raise AuditError(faults[0])
    return next((one.checkpoint for one in found if one.checkpoint.size > place >= 0), None)


def change_key(book: Casebook, state: StateFolder, by: str, reason: str) -> tuple[PublicKey, PublicKey]:
    """Let a new key sign from now on; the old one signs the entry that names it. Return the old and the new.

    Raises:
        AuditError: a key or a checkpoint cannot be written; then the old key signs as before.
    """
    folder = KeyFolder(state.keys)
    old, new = folder.signing(), SigningKey.generate()
    with book.writing(by) as writing:
        writing.audit(KEY_CHANGED, key=new.public.key_id, was=old.public.key_id, reason=reason)
    with book.writing(by) as writing:
        keep_checkpoint(writing, state, [old])
        folder.replace(new)
        keep_checkpoint(writing, state, [new])
    return old.public, new.public
