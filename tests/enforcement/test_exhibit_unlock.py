"""One person asks, another one opens, once; what was tampered with is not shown."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from exhibit_samples import MARKER, audited, custodian, exhibits, ready, sealed_ring
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_account_verdict, give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.exhibits.custodians import add_custodian, retire_custodian
from ringfence.enforcement.exhibits.records import ExhibitState, sealed, unlock_request
from ringfence.enforcement.exhibits.seal import seal
from ringfence.enforcement.exhibits.switch import switch
from ringfence.enforcement.exhibits.unlock import request, unlock
from ringfence.errors import AuditError, NotAllowedError, UnknownCaseError
from ringfence.state import StateFolder


@pytest.fixture
def bob(book: Casebook) -> X25519PrivateKey:
    return custodian(book, "bob")


def ask(book: Casebook, by: str = "ada", ring_id: str = "R-1") -> str:
    with book.writing(by) as writing:
        return request(writing, ring_id, "Appeal 12.").request_id


def test_what_was_sealed_is_shown_and_everybody_can_see_who_asked(
    book: Casebook, bob: X25519PrivateKey
) -> None:
    done = sealed_ring(book, 5)
    asked = ask(book)
    opened = unlock(book, "bob", asked, bob)

    assert list(opened.exhibits) == exhibits(5)
    entry = audited(book, "exhibits unlocked")[0]
    assert (entry["requested_by"], entry["by"], entry["custodian"]) == ("ada", "bob", "bob")
    assert [one["digest"] for one in entry["exhibits"]] == [
        row["digest"] for row in book.read("SELECT digest FROM exhibits ORDER BY number")
    ]
    assert audited(book, "exhibits sealed")[0]["digest"] == done.digest
    everything = json.dumps([json.loads(row["entry"]) for row in book.read("SELECT entry FROM audit")])
    assert MARKER not in everything
    assert "acct_" not in everything


def test_nothing_is_sealed_until_a_person_allows_it(book: Casebook, bob: X25519PrivateKey) -> None:
    sealed_ring(book, 1)
    with book.writing("root") as writing:
        assert switch(writing, "No longer needed.", on=False)
        assert not switch(writing, "No longer needed.", on=False)
    ready_but_off(book)


def ready_but_off(book: Casebook) -> None:
    with book.writing("ada") as writing, pytest.raises(NotAllowedError, match="Exhibits are off"):
        seal(writing, "R-1", exhibits(1))


def test_without_a_custodian_nothing_is_sealed(book: Casebook) -> None:
    with pytest.raises(NotAllowedError, match="no custodian"):
        sealed_ring(book)
    assert not book.read("SELECT * FROM seals")


def test_steps_without_reason_name_or_time_are_refused(book: Casebook, bob: X25519PrivateKey) -> None:
    with book.writing("root") as writing:
        with pytest.raises(NotAllowedError, match="needs a reason"):
            switch(writing, " ", on=True)
        with pytest.raises(NotAllowedError, match="needs a reason"):
            retire_custodian(writing, "bob", " ")
        with pytest.raises(NotAllowedError, match="needs a name"):
            add_custodian(writing, " ", X25519PrivateKey.generate().public_key())
    with pytest.raises(NotAllowedError, match="a day or more"):
        sealed_ring(book, days=0)


def test_a_ring_that_has_merged_is_sealed_where_it_went(book: Casebook, bob: X25519PrivateKey) -> None:
    ready(book)
    ready(book, "R-2", "other")
    book._connection.execute("UPDATE rings SET succeeded_by = 'R-2' WHERE ring_id = 'R-1'")
    with book.writing("ada") as writing, pytest.raises(NotAllowedError, match="merged into R-2"):
        seal(writing, "R-1", exhibits(1))


def test_nothing_is_sealed_for_a_key_that_was_slipped_in(book: Casebook, bob: X25519PrivateKey) -> None:
    eve = X25519PrivateKey.generate().public_key().public_bytes_raw()
    changes = (eve, sha256(eve).hexdigest())
    book._connection.execute("UPDATE custodians SET public_key = ?, fingerprint = ?", changes)
    with pytest.raises(AuditError, match="not the one that was added"):
        sealed_ring(book)
    assert not book.read("SELECT * FROM seals")


@pytest.mark.parametrize("count", [0, 21])
def test_none_and_too_many_are_refused(book: Casebook, bob: X25519PrivateKey, count: int) -> None:
    with pytest.raises(NotAllowedError, match="1 to 20"):
        sealed_ring(book, count)


def test_a_ring_is_sealed_once_at_a_time(book: Casebook, bob: X25519PrivateKey, clock: Clock) -> None:
    sealed_ring(book, 3, days=10)
    with book.writing("ada") as writing, pytest.raises(NotAllowedError, match="3 sealed exhibits"):
        seal(writing, "R-1", exhibits(3))
    clock.go_on(days=10)
    with book.writing("ada") as writing:
        seal(writing, "R-1", exhibits(3))


def test_prompts_of_bystanders_cleared_accounts_and_rejected_rings_are_not_sealed(
    book: Casebook, bob: X25519PrivateKey
) -> None:
    ready(book)
    with book.writing("ada") as writing:
        give_account_verdict(writing, "R-1", "acct_00001", Verdict.REJECTED, "A customer of ours.")
    for prefix in ("acct", "stranger"):
        with book.writing("ada") as writing, pytest.raises(NotAllowedError, match="not, or no longer"):
            seal(writing, "R-1", exhibits(2, prefix))
    with book.writing("ada") as writing:
        give_verdict(writing, "R-1", Verdict.REJECTED, "A class of students.")
    with book.writing("ada") as writing, pytest.raises(NotAllowedError, match="is rejected"):
        seal(writing, "R-1", exhibits(1))


@pytest.mark.parametrize("asker", ["bob", " Bob", "BOB "])
def test_nobody_unlocks_what_they_asked_for(book: Casebook, bob: X25519PrivateKey, asker: str) -> None:
    sealed_ring(book)
    asked = ask(book, asker)

    for by in ("bob", "carl"):
        with pytest.raises(NotAllowedError, match="another custodian"):
            unlock(book, by, asked, bob)


def test_nobody_unlocks_with_another_ones_key(book: Casebook, bob: X25519PrivateKey) -> None:
    sealed_ring(book)
    asked = ask(book)

    with pytest.raises(NotAllowedError, match="another custodian"):
        unlock(book, "ada", asked, bob)
    with pytest.raises(NotAllowedError, match="bob's, and you are carl"):
        unlock(book, "carl", asked, bob)
    with pytest.raises(NotAllowedError, match="no custodian's"):
        unlock(book, "bob", asked, X25519PrivateKey.generate())
    assert len(audited(book, "unlock refused")) == 3


def test_a_custodian_who_came_later_or_has_retired_opens_nothing(
    book: Casebook, bob: X25519PrivateKey
) -> None:
    sealed_ring(book)
    asked, carl = ask(book), custodian(book, "carl")

    with pytest.raises(NotAllowedError, match="only since"):
        unlock(book, "carl", asked, carl)
    with book.writing("root") as writing:
        retire_custodian(writing, "bob", "Left.")
    with pytest.raises(NotAllowedError, match="has retired"):
        unlock(book, "bob", asked, bob)


def test_a_request_is_good_for_one_unlock_within_a_day(
    book: Casebook, bob: X25519PrivateKey, clock: Clock
) -> None:
    sealed_ring(book)
    first, second = ask(book), ask(book)
    unlock(book, "bob", first, bob)
    with pytest.raises(NotAllowedError, match="is unlocked"):
        unlock(book, "bob", first, bob)
    clock.go_on(hours=24)
    with pytest.raises(NotAllowedError, match="is expired"):
        unlock(book, "bob", second, bob)


def test_two_at_once_get_one_unlock(
    book: Casebook, bob: X25519PrivateKey, state: StateFolder, clock: Clock
) -> None:
    sealed_ring(book)
    asked = ask(book)

    def attempt(_number: int) -> bool:
        with Casebook.open(state.casebook, clock=clock) as mine:
            try:
                return bool(unlock(mine, "bob", asked, bob).exhibits)
            except NotAllowedError:
                return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_requests_need_a_reason_and_something_to_open(book: Casebook, bob: X25519PrivateKey) -> None:
    ready(book)
    with book.writing("ada") as writing:
        with pytest.raises(NotAllowedError, match="no exhibits"):
            request(writing, "R-1", "Appeal.")
        with pytest.raises(NotAllowedError, match="reason"):
            request(writing, "R-1", " ")
        with pytest.raises(UnknownCaseError, match="knows no ring"):
            request(writing, "R-9", "Appeal.")
        with pytest.raises(UnknownCaseError, match="no request"):
            unlock_request(writing.connection, "U-1")


def test_a_name_or_key_is_never_given_twice(book: Casebook, bob: X25519PrivateKey) -> None:
    with book.writing("root") as writing:
        for name in ("bob", "BOB"):
            with pytest.raises(NotAllowedError, match="already"):
                add_custodian(writing, name, X25519PrivateKey.generate().public_key())
        with pytest.raises(NotAllowedError, match="another custodian's"):
            add_custodian(writing, "carl", bob.public_key())


def flip(column: str, table: str) -> Callable[[sqlite3.Connection], None]:
    def change(connection: sqlite3.Connection) -> None:
        value = bytearray(connection.execute(f"SELECT {column} FROM {table}").fetchone()[0])
        value[len(value) // 2] ^= 1
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE seal_id LIKE 'S-%'", (bytes(value),))

    return change


def statement(text: str) -> Callable[[sqlite3.Connection], None]:
    return lambda connection: connection.executescript(text) and None


TAMPERINGS = {
    "a byte of a ciphertext": flip("ciphertext", "exhibits"),
    "a byte of a wrapped key": flip("wrapped", "case_keys"),
    "two exhibits swapped": statement(
        "UPDATE exhibits SET number = 99 WHERE number = 1; UPDATE exhibits SET number = 1 WHERE number = 2;"
        "UPDATE exhibits SET number = 2 WHERE number = 99"
    ),
    "a later end": statement("UPDATE seals SET expires_at = '2036-01-01T00:00:00.000000Z'"),
    "an exhibit taken out": statement("DELETE FROM exhibits WHERE number = 2"),
    "the last one taken out, and counted": statement(
        "DELETE FROM exhibits WHERE number = 5; UPDATE seals SET exhibits = 4"
    ),
    "another account": statement("UPDATE exhibits SET account_id = 'acct_00009' WHERE number = 3"),
    "another digest": statement("UPDATE exhibits SET digest = 'x' WHERE number = 3"),
    "contents swapped between cases": statement(
        "UPDATE exhibits SET (ciphertext, digest) = (SELECT ciphertext, digest FROM exhibits AS other "
        "WHERE other.number = exhibits.number AND other.seal_id <> exhibits.seal_id)"
    ),
    "sealings swapped between cases": statement(
        "UPDATE seals SET ring_id = CASE ring_id WHEN 'R-1' THEN 'R-2' ELSE 'R-1' END"
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_shows_and_nothing_else_does(book: Casebook, bob: X25519PrivateKey, tampering: str) -> None:
    sealed_ring(book, 5)
    sealed_ring(book, 5, "R-2", "other")
    asked = ask(book)
    with sqlite3.connect(book.path) as connection:
        TAMPERINGS[tampering](connection)
    connection.close()

    with pytest.raises(AuditError) as raised:
        unlock(book, "bob", asked, bob)
    assert MARKER not in str(raised.value)
    assert audited(book, "unlock refused")[0]["tampered"]
    assert not audited(book, "exhibits unlocked")


def test_what_is_printed_of_a_record_shows_no_text(book: Casebook, bob: X25519PrivateKey) -> None:
    sealed_ring(book)
    opened = unlock(book, "bob", ask(book), bob)

    assert MARKER not in repr(opened)
    with book.reading() as connection:
        found = sealed(connection, book.now)
    assert all(one.state is ExhibitState.SEALED for one in found)
    assert "ciphertext" not in repr(found) + str([one.as_json() for one in found])
