"""Exhibits end: nobody opens them any more, and their bytes leave the files; a hold postpones that."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from exhibit_samples import audited, custodian, exhibits, sealed_ring
from stopped_clock import START, Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.exhibits.expire import empty_log, expire, overwrite, shred_accounts
from ringfence.enforcement.exhibits.records import ExhibitState, sealed
from ringfence.enforcement.exhibits.unlock import request, unlock
from ringfence.enforcement.holds import digest_key, lift_hold, place_hold
from ringfence.errors import NotAllowedError
from ringfence.state import StateFolder


@pytest.fixture
def bob(book: Casebook) -> X25519PrivateKey:
    return custodian(book, "bob")


def secrets_of(book: Casebook) -> list[bytes]:
    """Pieces of all that could open or be opened, short enough to lie on one page."""
    values = [
        row[0] for row in book.read("SELECT ciphertext FROM exhibits UNION ALL SELECT wrapped FROM case_keys")
    ]
    return [value[at : at + 24] for value in values if value for at in range(0, len(value) - 24, 24)]


def in_files(state: StateFolder, wanted: list[bytes]) -> list[Path]:
    return [
        path
        for path in state.root.rglob("*")
        if path.is_file() and any(one in path.read_bytes() for one in wanted)
    ]


def states(book: Casebook) -> list[ExhibitState]:
    with book.reading() as connection:
        return [one.state for one in sealed(connection, book.now)]


def test_what_has_expired_is_not_opened_even_before_it_is_shredded(
    book: Casebook, bob: X25519PrivateKey, clock: Clock
) -> None:
    sealed_ring(book, 3, days=2)
    clock.go_on(days=1, hours=23)
    with book.writing("ada") as writing:
        asked = request(writing, "R-1", "Appeal.").request_id
    clock.go_on(hours=1)

    with pytest.raises(NotAllowedError, match="have expired"):
        unlock(book, "bob", asked, bob)
    with book.writing("ada") as writing, pytest.raises(NotAllowedError, match="have expired"):
        request(writing, "R-1", "Appeal.")


def test_shredding_takes_the_bytes_and_leaves_row_and_digest(
    book: Casebook, bob: X25519PrivateKey, clock: Clock, state: StateFolder
) -> None:
    sealed_ring(book, 20, days=2)
    gone, digests = secrets_of(book), book.read("SELECT digest FROM exhibits ORDER BY number")
    assert in_files(state, gone)
    assert expire(book, "clock").exhibits == 0
    clock.go_on(days=2)
    done = expire(book, "clock")

    assert (done.exhibits, done.keys, done.held, done.log_emptied) == (20, 1, 0, True)
    assert in_files(state, gone) == []
    assert states(book) == [ExhibitState.SHREDDED] * 20
    assert [row["digest"] for row in digests] == [
        one["digest"] for one in audited(book, "exhibits shredded")[0]["exhibits"]
    ]
    assert not book.read("SELECT * FROM exhibits WHERE account_id IS NOT NULL")


def test_a_hold_postpones_shredding_and_keeps_the_exhibit_readable(
    book: Casebook, bob: X25519PrivateKey, clock: Clock, state: StateFolder
) -> None:
    sealed_ring(book, 3, days=2)
    key = digest_key(state)
    with book.writing("law") as writing:
        hold = place_hold(writing, key, "acct_00001", "legal", "Case 7.", START.replace(year=2027))
    clock.go_on(days=3)
    done = expire(book, "clock")

    assert (done.exhibits, done.keys, done.held) == (2, 0, 1)
    assert states(book) == [ExhibitState.SHREDDED, ExhibitState.HELD, ExhibitState.SHREDDED]
    with book.writing("ada") as writing:
        asked = request(writing, "R-1", "The court asks.").request_id
    assert list(unlock(book, "bob", asked, bob).exhibits) == [exhibits(3)[1]]
    assert audited(book, "exhibits unlocked")[0]["held"] == 1
    gone = secrets_of(book)
    with book.writing("law") as writing:
        lift_hold(writing, key, hold.number, "The case is closed.")
    assert expire(book, "clock").keys == 1
    assert in_files(state, gone) == []


def test_while_another_reads_the_log_is_said_to_be_full(
    book: Casebook, bob: X25519PrivateKey, clock: Clock, state: StateFolder
) -> None:
    sealed_ring(book, 2, days=1)
    clock.go_on(days=1)
    with Casebook.open(state.casebook) as other:
        other._connection.execute("PRAGMA busy_timeout = 0")
        book._connection.execute("PRAGMA busy_timeout = 0")
        with other.reading() as connection:
            connection.execute("SELECT count(*) FROM exhibits").fetchone()
            assert not expire(book, "clock").log_emptied
    assert empty_log(book)


def test_erasing_an_account_takes_its_exhibits_unless_it_is_held(
    book: Casebook, bob: X25519PrivateKey, state: StateFolder
) -> None:
    sealed_ring(book, 3)
    gone = secrets_of(book)[:40]
    with book.writing("law") as writing:
        place_hold(writing, digest_key(state), "acct_00001", "legal", "Case 7.", START.replace(year=2027))
    overwrite(book)
    with book.writing("eve") as writing, pytest.raises(NotAllowedError, match="Held: acct_00001 by legal"):
        shred_accounts(writing, ["acct_00000", "acct_00001"])
    assert states(book) == [ExhibitState.SEALED] * 3
    with book.writing("eve") as writing:
        assert shred_accounts(writing, ["acct_00000", "acct_77777"]) == 1
    assert empty_log(book)
    assert states(book) == [ExhibitState.SHREDDED, ExhibitState.SEALED, ExhibitState.SEALED]
    assert in_files(state, gone) == []
