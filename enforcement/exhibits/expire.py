"""Shredding: what has expired, or is of an account that is erased, can be opened by nobody any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.exhibits.records import ExhibitState, Sealed, sealed
from ringfence.enforcement.holds import check_erasable


@dataclass(frozen=True, slots=True)
class Shredded:
    """What came of shredding."""

    exhibits: int
    keys: int
    """Wrapped case keys that lock nothing any more."""
    held: int
    """Exhibits past their end that a legal hold keeps."""
    log_emptied: bool
    """Whether SQLite's write-ahead log is empty, too; not where another process was reading."""

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        return asdict(self)


def expire(book: Casebook, by: str) -> Shredded:
    """Shred the exhibits that have expired, unless a hold stands on their account.

    Rows and digests stay; ciphertexts, accounts and keys are overwritten in the file, and the write-ahead log
    is emptied. A copy of the file, or a disk that moves blocks by itself, may still have them.

    Raises:
        CasebookError: another process holds the casebook, or the disk is full.
    """
    overwrite(book)
    with book.writing(by) as writing:
        there = sealed(writing.connection, writing.now)
        over = [one for one in there if one.state is ExhibitState.EXPIRED]
        keys = _shred(writing, over, "expired")
    held = sum(one.state is ExhibitState.HELD for one in there)
    return Shredded(len(over), keys, held, empty_log(book))


def shred_accounts(writing: Writing, account_ids: Iterable[str]) -> int:
    """Shred the exhibits of accounts that are erased; return how many. :func:`overwrite` comes before.

    Raises:
        NotAllowedError: one of the accounts is held.
    """
    asked = frozenset(account_ids)
    check_erasable(writing.connection, asked, writing.now)
    theirs = [one for one in sealed(writing.connection, writing.now) if one.account_id in asked]
    _shred(writing, theirs, "account erased")
    return len(theirs)


def overwrite(book: Casebook) -> None:
    """Have SQLite overwrite what is deleted on this connection; outside of a transaction."""
    book.read("PRAGMA secure_delete = ON")


def empty_log(book: Casebook) -> bool:
    """Move the write-ahead log into the file and empty it; return whether nobody stood in the way."""
    return not book.read("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]


def _shred(writing: Writing, exhibits: list[Sealed], why: str) -> int:
    """Shred exhibits and the keys that lock nothing any more; return how many keys."""
    if not exhibits:
        return 0
    for one in exhibits:
        writing.execute(
            "UPDATE exhibits SET ciphertext = NULL, account_id = NULL, shredded_at = ? "
            "WHERE seal_id = ? AND number = ?",
            (writing.stamp, one.seal_id, one.number),
        )
    keys = writing.execute(
        "UPDATE case_keys SET wrapped = NULL WHERE wrapped IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM exhibits WHERE exhibits.seal_id = case_keys.seal_id AND ciphertext IS NOT NULL)"
    ).rowcount
    for ring_id in dict.fromkeys(one.ring_id for one in exhibits):
        writing.audit(
            "exhibits shredded",
            ring_id,
            why=why,
            exhibits=[
                {"seal_id": one.seal_id, "number": one.number, "digest": one.digest}
                for one in exhibits
                if one.ring_id == ring_id
            ],
        )
    return keys
