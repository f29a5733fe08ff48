"""Sealing: sample prompts of a ring, encrypted for the custodians, into the casebook."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from ringfence.enforcement.casebook.cases import case
from ringfence.enforcement.casebook.database import Writing, stamp
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.exhibits.crypt import KeyPlace, Place, encrypt, new_case_key, wrap
from ringfence.enforcement.exhibits.custodians import Custodian, check_logged, custodians
from ringfence.enforcement.exhibits.records import DAYS, MOST, Exhibit, ExhibitState, sealed
from ringfence.enforcement.exhibits.switch import check_enabled
from ringfence.enforcement.orders.records import cleared
from ringfence.errors import NotAllowedError
from ringfence.files import digest_json
from ringfence.records import Role


@dataclass(frozen=True, slots=True)
class Sealing:
    """What came of sealing a ring's exhibits."""

    seal_id: str
    ring_id: str
    exhibits: int
    accounts: int
    """Accounts that they are of."""
    custodians: tuple[str, ...]
    """Who can open them."""
    expires_at: str
    digest: str
    """Of the exhibits' digests, in their order; the audit log has it, too."""

    def as_json(self) -> dict[str, Any]:
        """Return the sealing as plain JSON values."""
        return {
            "seal_id": self.seal_id,
            "ring_id": self.ring_id,
            "exhibits": self.exhibits,
            "accounts": self.accounts,
            "custodians": list(self.custodians),
            "expires_at": self.expires_at,
            "digest": self.digest,
        }


def check_sealable(connection: sqlite3.Connection, ring_id: str, now: datetime, most: int, days: int) -> None:
    """Refuse what could not be sealed, before any prompt is read.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
        NotAllowedError: nobody has allowed exhibits, there is no custodian, the ring was rejected or has
            merged, it has exhibits already, or the numbers are off.
        AuditError: a custodian's key is not the one that was added.
    """
    check_enabled(connection)
    found = case(connection, ring_id)
    if not 1 <= most <= MOST:
        raise NotAllowedError(f"A ring has 1 to {MOST} exhibits, not {most}.")
    if days < 1:
        raise NotAllowedError(f"Exhibits are kept for a day or more, not {days}.")
    if found.succeeded_by is not None:
        raise NotAllowedError(f"{ring_id} has merged into {found.succeeded_by}. Seal exhibits of that one.")
    if found.state is State.REJECTED:
        raise NotAllowedError(f"{ring_id} is rejected; prompts of cleared accounts are not kept.")
    keepers = custodians(connection, active=True)
    if not keepers:
        raise NotAllowedError(
            "There is no custodian, so nobody could open what is sealed. `ringfence exhibits custodian add`."
        )
    check_logged(connection, keepers)
    standing = [one for one in sealed(connection, now, ring_id) if one.state is ExhibitState.SEALED]
    if standing:
        raise NotAllowedError(
            f"{ring_id} has {len(standing)} sealed exhibits until {standing[-1].expires_at}; "
            "no more are taken before that."
        )


def accounts_of(connection: sqlite3.Connection, ring_id: str) -> frozenset[str]:
    """Return the accounts whose prompts may be sealed: all of a ring but bystanders and cleared ones."""
    rows = connection.execute(
        "SELECT account_id FROM members WHERE ring_id = ? AND role <> ?", (ring_id, Role.BYSTANDER)
    )
    return frozenset(row["account_id"] for row in rows) - cleared(connection, ring_id)


def seal(writing: Writing, ring_id: str, exhibits: Sequence[Exhibit], days: int = DAYS) -> Sealing:
    """Encrypt exhibits under a fresh case key, wrap the key for every custodian, and keep no more than that.

    Args:
        writing: The transaction.
        ring_id: The ring.
        exhibits: What is to be sealed, at most :data:`MOST`.
        days: How long they are kept for.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
        NotAllowedError: as :func:`check_sealable` says, or an exhibit is of an account whose prompts are not
            to be sealed.
        AuditError: a custodian's key is not the one that was added.
    """
    check_sealable(writing.connection, ring_id, writing.now, len(exhibits), days)
    strangers = {one.account_id for one in exhibits} - accounts_of(writing.connection, ring_id)
    if strangers:
        raise NotAllowedError(
            f"{len(strangers)} of the accounts are not, or no longer, to be sealed. Try again."
        )
    seal_id = f"S-{secrets.token_hex(8)}"
    expires_at = stamp(writing.now + timedelta(days=days))
    writing.execute(
        "INSERT INTO seals VALUES (?, ?, ?, ?, ?, ?)",
        (seal_id, ring_id, len(exhibits), writing.by, writing.stamp, expires_at),
    )
    keepers = custodians(writing.connection, active=True)
    case_key = new_case_key()
    _write_keys(writing, case_key, keepers, ring_id, seal_id, expires_at)
    digests = _write_exhibits(writing, case_key, exhibits, ring_id, seal_id, expires_at)
    done = Sealing(
        seal_id,
        ring_id,
        len(exhibits),
        len({one.account_id for one in exhibits}),
        tuple(one.name for one in keepers),
        expires_at,
        digest_json(digests),
    )
    writing.audit(
        "exhibits sealed",
        ring_id,
        seal_id=seal_id,
        exhibits=done.exhibits,
        accounts=done.accounts,
        custodians={one.name: one.fingerprint for one in keepers},
        expires_at=expires_at,
        digest=done.digest,
    )
    return done


def _write_keys(
    writing: Writing,
    case_key: bytes,
    keepers: Sequence[Custodian],
    ring_id: str,
    seal_id: str,
    expires_at: str,
) -> None:
    for keeper in keepers:
        place = KeyPlace(ring_id, seal_id, keeper.fingerprint, expires_at)
        wrapped = wrap(case_key, keeper.public_key, place)
        writing.execute("INSERT INTO case_keys VALUES (?, ?, ?)", (seal_id, keeper.name, wrapped))


def _write_exhibits(
    writing: Writing,
    case_key: bytes,
    exhibits: Sequence[Exhibit],
    ring_id: str,
    seal_id: str,
    expires_at: str,
) -> list[str]:
    digests = []
    for number, exhibit in enumerate(exhibits, 1):
        place = Place(ring_id, seal_id, number, len(exhibits), exhibit.account_id, expires_at)
        ciphertext = encrypt(case_key, exhibit, place)
        digest = sha256(ciphertext).hexdigest()
        writing.execute(
            "INSERT INTO exhibits VALUES (?, ?, ?, ?, ?, NULL)",
            (seal_id, number, exhibit.account_id, ciphertext, digest),
        )
        digests.append(digest)
    return digests
