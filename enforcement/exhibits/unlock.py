"""Unlocking: one person asks, another one's key opens; the audit log has both before anything shows."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ringfence.enforcement.casebook.cases import case
from ringfence.enforcement.casebook.database import Casebook, Writing, stamp
from ringfence.enforcement.exhibits.crypt import KeyPlace, Place, decrypt, unwrap
from ringfence.enforcement.exhibits.custodians import Custodian, custodians
from ringfence.enforcement.exhibits.records import (
    REQUEST_LIFE,
    Exhibit,
    ExhibitState,
    RequestState,
    Sealed,
    UnlockRequest,
    sealed,
    unlock_request,
)
from ringfence.enforcement.persons import same_person
from ringfence.errors import AuditError, NotAllowedError


@dataclass(frozen=True, slots=True)
class Opened:
    """What a custodian's key has opened."""

    request: UnlockRequest
    exhibits: tuple[Exhibit, ...]
    left_closed: int
    """Exhibits of the ring that were sealed when this custodian was none."""

    def as_json(self) -> dict[str, Any]:
        """Return the plaintexts and what they were opened for, as plain JSON values."""
        return {
            "request_id": self.request.request_id,
            "ring_id": self.request.ring_id,
            "requested_by": self.request.requested_by,
            "unlocked_by": self.request.unlocked_by,
            "exhibits": [one.as_json() for one in self.exhibits],
            "left_closed": self.left_closed,
        }


def request(writing: Writing, ring_id: str, reason: str) -> UnlockRequest:
    """Ask to see a ring's exhibits; another person has a day to grant it, once.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
        NotAllowedError: there is no reason, or nothing that could be opened.
    """
    case(writing.connection, ring_id)
    if not reason.strip():
        raise NotAllowedError("A request to see prompts needs a reason: whoever wrote them may ask.")
    _openable(writing.connection, ring_id, writing.now)
    request_id = f"U-{secrets.token_hex(8)}"
    writing.execute(
        "INSERT INTO unlock_requests VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
        (
            request_id,
            ring_id,
            reason.strip(),
            writing.by,
            writing.stamp,
            stamp(writing.now + REQUEST_LIFE),
        ),
    )
    writing.audit("exhibits requested", ring_id, request_id=request_id, reason=reason.strip())
    return unlock_request(writing.connection, request_id)


def unlock(book: Casebook, by: str, request_id: str, private_key: X25519PrivateKey) -> Opened:
    """Open a ring's exhibits for whoever has asked.

    What is returned was written into the audit log before; so is an attempt that is refused.

    Args:
        book: The casebook.
        by: The custodian.
        request_id: The request of another person.
        private_key: The custodian's.

    Raises:
        UnknownCaseError: there is no such request.
        NotAllowedError: the key is no custodian's or another one's, the same person has asked, or the request
            has expired or was granted.
        AuditError: what is stored is not what was sealed.
    """
    try:
        with book.writing(by) as writing:
            return _unlock(writing, request_id, private_key)
    except (NotAllowedError, AuditError) as error:
        with book.writing(by) as writing:
            asked = unlock_request(writing.connection, request_id)
            tampered = isinstance(error, AuditError)
            writing.audit("unlock refused", asked.ring_id, request_id=request_id, tampered=tampered)
        raise


def _unlock(writing: Writing, request_id: str, private_key: X25519PrivateKey) -> Opened:
    asked = unlock_request(writing.connection, request_id)
    keeper = _keeper(writing.connection, private_key)
    _check_persons(asked, keeper, writing.by)
    if (state := asked.state(writing.now)) is not RequestState.OPEN:
        raise NotAllowedError(
            f"{request_id} is {state}; a request is good for one unlock within a day. Ask again: "
            f"`ringfence exhibits request {asked.ring_id} --reason …`."
        )
    there = _openable(writing.connection, asked.ring_id, writing.now)
    found, exhibits = _open(writing.connection, there, keeper, private_key)
    writing.execute(
        "UPDATE unlock_requests SET unlocked_by = ?, unlocked_at = ? WHERE request_id = ?",
        (writing.by, writing.stamp, request_id),
    )
    writing.audit(
        "exhibits unlocked",
        asked.ring_id,
        request_id=request_id,
        requested_by=asked.requested_by,
        reason=asked.reason,
        custodian=keeper.name,
        fingerprint=keeper.fingerprint,
        exhibits=[{"seal_id": one.seal_id, "number": one.number, "digest": one.digest} for one in found],
        held=sum(one.state is ExhibitState.HELD for one in found),
    )
    return Opened(unlock_request(writing.connection, request_id), tuple(exhibits), len(there) - len(found))


def _keeper(connection: sqlite3.Connection, private_key: X25519PrivateKey) -> Custodian:
    raw = private_key.public_key().public_bytes_raw()
    for one in custodians(connection):
        if one.public_key == raw:
            if one.retired_at is not None:
                raise NotAllowedError(f"{one.name} has retired as a custodian; ask another one.")
            return one
    raise NotAllowedError("That key is no custodian's. `ringfence exhibits custodian list` shows theirs.")


def _check_persons(asked: UnlockRequest, keeper: Custodian, by: str) -> None:
    if same_person(asked.requested_by, keeper.name) or same_person(asked.requested_by, by):
        raise NotAllowedError(
            f"{asked.requested_by} has asked for {asked.request_id}; another custodian must unlock it."
        )
    if same_person(asked.requested_by, keeper.added_by):
        raise NotAllowedError(
            f"{asked.requested_by} has asked, has added {keeper.name} as a custodian, and may have kept the "
            "key. Somebody else must ask, or a custodian whom somebody else has added must unlock it."
        )
    if not same_person(keeper.name, by):
        raise NotAllowedError(f"The key is {keeper.name}'s, and you are {by}. Nobody uses another one's key.")


def _openable(connection: sqlite3.Connection, ring_id: str, now: datetime) -> list[Sealed]:
    """Return what may be opened.

    Raises:
        NotAllowedError: nothing may.
        AuditError: an exhibit is missing.
    """
    there = sealed(connection, now, ring_id)
    if not there:
        raise NotAllowedError(
            f"{ring_id} has no exhibits. `ringfence exhibits seal {ring_id} LOGS` takes some."
        )
    for (seal_id, of), group in groupby(there, key=lambda one: (one.seal_id, one.of)):
        if [one.number for one in group] != list(range(1, of + 1)):
            raise AuditError(f"Exhibits of {ring_id} are missing: {seal_id} had {of}. Compare with a copy.")
    openable = [one for one in there if one.openable]
    if not openable:
        raise NotAllowedError(f"All exhibits of {ring_id} have expired; what has expired is not opened.")
    return openable


def _open(
    connection: sqlite3.Connection, there: list[Sealed], keeper: Custodian, private_key: X25519PrivateKey
) -> tuple[list[Sealed], list[Exhibit]]:
    """Return the exhibits that the key opens, as they are stored and as they were sent."""
    wrapped = {
        row["seal_id"]: row["wrapped"]
        for row in connection.execute(
            "SELECT seal_id, wrapped FROM case_keys WHERE custodian = ? AND wrapped IS NOT NULL",
            (keeper.name,),
        )
    }
    found = [one for one in there if one.seal_id in wrapped]
    if not found:
        raise NotAllowedError(
            f"These exhibits were not sealed for {keeper.name}, a custodian only since. Ask another one."
        )
    keys = {one.seal_id: unwrap(wrapped[one.seal_id], private_key, _key_place(one, keeper)) for one in found}
    return found, [_decrypt(keys[one.seal_id], one) for one in found]


def _key_place(one: Sealed, keeper: Custodian) -> KeyPlace:
    return KeyPlace(one.ring_id, one.seal_id, keeper.fingerprint, one.expires_at)


def _decrypt(case_key: bytes, one: Sealed) -> Exhibit:
    # Openable exhibits are not shredded, so account and ciphertext are there.
    account_id, ciphertext = one.account_id or "", one.ciphertext or b""
    place = Place(one.ring_id, one.seal_id, one.number, one.of, account_id, one.expires_at)
    exhibit = decrypt(case_key, ciphertext, place)
    if one.digest != sha256(ciphertext).hexdigest():
        raise AuditError(
            f"The digest of exhibit {one.number} of {one.ring_id} was changed. Compare with a copy."
        )
    return exhibit
