"""Is the log what was signed? Every hash is computed anew; none that is stored is believed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.enforcement.audit.checkpoints import Checkpoint, Kept, origin_of
from ringfence.enforcement.audit.log import Entry, canonical
from ringfence.enforcement.audit.merkle import MerkleTree
from ringfence.enforcement.audit.tables import TOLD, says_enough, table_faults
from ringfence.enforcement.keys import PublicKey
from ringfence.errors import AuditError

KEY_CHANGED = "signing key changed"
"""What the entry says that names the next key."""

_TRIGGERS = ("audit_keeps_entries", "audit_loses_nothing")


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint, and where it was found."""

    where: str
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the log found."""

    entries: int
    checkpoints: int
    covered: int
    """Entries, from the first, that a checkpoint which holds covers."""
    keys: tuple[str, ...]
    """Ids of the keys that signed checkpoints which hold."""
    faults: tuple[str, ...]
    """What was changed, a sentence each; none where all is well."""
    remarks: tuple[str, ...]
    """What cannot be known."""


@dataclass(slots=True)
class _Log:
    """The log as it stands."""

    tree: MerkleTree = field(default_factory=MerkleTree)
    told: list[Mapping[str, Any]] = field(default_factory=list)
    """Contents of entries that rows are held against."""
    keys: list[tuple[int, str, str]] = field(default_factory=list)
    """Where a new key was announced, the id of the one before, and its own."""
    faults: list[str] = field(default_factory=list)


def read_lines(lines: Iterable[str], name: str) -> tuple[list[Found], list[str]]:
    """Return the checkpoints of a checkpoint file, and what is wrong with its lines."""
    found: list[Found] = []
    faults = []
    for number, line in enumerate(lines, 1):
        where = f"{name}, line {number}"
        try:
            checkpoint = Kept.from_line(line).checkpoint
        except AuditError as error:
            faults.append(f"{where}: {error}")
            continue
        if found and checkpoint.size < found[-1].checkpoint.size:
            faults.append(f"{where}: it covers less than the line before; lines were moved.")
        found.append(Found(where, checkpoint))
    return found, faults


def verify_log(
    connection: sqlite3.Connection,
    found: Sequence[Found],
    keys: Mapping[str, PublicKey],
    pinned: PublicKey | None = None,
) -> Verified:
    """Hold the log against checkpoints, and the casebook's tables against the log.

    The signer of the earliest checkpoint is believed, and any other key that an entry under a checkpoint
    which holds announces.

    Args:
        connection: To the casebook; all queries must see one state.
        found: Checkpoints, of the state folder and from elsewhere.
        keys: Known public keys by id.
        pinned: A key that must have signed one of the checkpoints.
    """
    log = _read(connection)
    held, faults = _hold(log, found, {**keys, **({pinned.key_id: pinned} if pinned else {})})
    signed = {key_id for one in held for key_id in one.checkpoint.signers(keys)}
    if pinned is not None:
        signed_by_it = [one for one in held if one.checkpoint.signers({pinned.key_id: pinned})]
        if not signed_by_it:
            faults.append(f"No checkpoint that holds is signed by key {pinned.key_id}.")
        signed |= {pinned.key_id} if signed_by_it else set()
    covered = max((one.checkpoint.size for one in held), default=0)
    return Verified(
        entries=len(log.tree),
        checkpoints=len(found),
        covered=covered,
        keys=tuple(sorted(signed)),
        faults=(*_trigger_faults(connection), *log.faults, *faults, *table_faults(connection, log.told)),
        remarks=tuple(_remarks(len(log.tree), covered, bool(found))),
    )


def _read(connection: sqlite3.Connection) -> _Log:
    log = _Log()
    expected = 0
    for place, text, stored in connection.execute(
        "SELECT place, CAST(entry AS BLOB), leaf FROM audit ORDER BY place"
    ):
        entry = Entry(place, text)
        leaf = entry.leaf
        if place != expected:
            log.faults.append(f"Entry {expected} is missing: the next one is {place}.")
        if leaf != stored:
            log.faults.append(f"Entry {place} was changed: it is not what was hashed when it was written.")
        expected = place + 1
        log.tree.append(leaf)
        _note(log, entry)
    return log


def _note(log: _Log, entry: Entry) -> None:
    try:
        content = entry.content
        what = str(content["what"])
        clear = canonical(content) == entry.text
    except (ValueError, KeyError):
        log.faults.append(f"Entry {entry.place} cannot be read.")
        return
    if not clear:
        log.faults.append(f"Entry {entry.place} was not written by us: others may read it otherwise.")
    if what in TOLD and not says_enough(content):
        log.faults.append(f"Entry {entry.place}, {what!r}, does not say all that it must.")
    elif what in TOLD:
        log.told.append(content)
    elif what == KEY_CHANGED:
        log.keys.append((entry.place, str(content.get("was")), str(content.get("key"))))


def _hold(log: _Log, found: Sequence[Found], keys: Mapping[str, PublicKey]) -> tuple[list[Found], list[str]]:
    """Return the checkpoints that hold, and what is wrong with the others."""
    held: list[Found] = []
    faults: list[str] = []
    believed: set[str] = set()
    replaced: dict[str, int] = {}
    for one in sorted(found, key=lambda one: one.checkpoint.size):
        try:
            signers = set(one.checkpoint.signers(keys))
        except AuditError as error:
            faults.append(f"{one.where}: {error}")
            continue
        covered = held[-1].checkpoint.size if held else 0
        believed |= {key_id for place, _, key_id in log.keys if place < covered}
        believed = believed or signers
        ended = {key_id for key_id, size in replaced.items() if size < one.checkpoint.size}
        fault = _fault(log.tree, one.checkpoint, covered) or _signer_fault(signers, believed, ended)
        if fault is None:
            held.append(one)
            _replace(replaced, log.keys, signers, one.checkpoint.size)
        else:
            faults.append(f"{one.where}: {fault}")
    return held, faults


def _fault(tree: MerkleTree, checkpoint: Checkpoint, covered: int) -> str | None:
    size, entries = checkpoint.size, len(tree)
    if size > entries:
        return f"it covers {size} entries, and the log has {entries}: {size - entries} were cut off."
    if tree.root(size) != checkpoint.root:
        since = f"after the first {covered}, which hold, " if covered else ""
        return f"the first {size} entries are not what was signed: {since}something was changed."
    if checkpoint.origin != origin_of(tree.root(1)):
        return f"it is of another log, {checkpoint.origin}."
    return None


def _replace(
    replaced: dict[str, int], announced: Sequence[tuple[int, str, str]], by: set[str], size: int
) -> None:
    """Note how far the keys count that gave way to one which has signed by now.

    A key may have been changed because somebody else has it, so it vouches for nothing that came later.
    """
    for place, before, after in announced:
        if after in by and place < size:
            replaced.setdefault(before, size)


def _signer_fault(signers: set[str], believed: set[str], ended: set[str]) -> str | None:
    if not signers:
        return "no known key signed it. Name the key with --key if you have it from elsewhere."
    if not signers & believed:
        return f"it is signed by {', '.join(sorted(signers))}, a key that no signed entry announces."
    if not signers & believed - ended:
        return f"it is signed by {', '.join(sorted(signers))}, a key that was replaced before."
    return None


def _trigger_faults(connection: sqlite3.Connection) -> list[str]:
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    return [
        f"The trigger {name}, which keeps the log append-only, was dropped."
        for name in _TRIGGERS
        if name not in there
    ]


def _remarks(entries: int, covered: int, signed: bool) -> list[str]:
    if not entries:
        return ["The log is empty."]
    if not signed:
        return [
            "There is no checkpoint: whether somebody changed, deleted or moved entries, and computed the "
            "hashes anew, cannot be known. Make one: `ringfence audit checkpoint`."
        ]
    if covered < entries:
        return [
            f"Entries {covered} to {entries - 1} are not covered by a checkpoint that holds: of them only "
            "their own hashes are known."
        ]
    return []
