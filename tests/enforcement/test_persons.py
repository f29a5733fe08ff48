"""One person does not pass for two by how a name is spelt."""

from __future__ import annotations

import pytest
from case_samples import accounts, confirmed, ring, targets_of
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from exhibit_samples import custodian, sealed_ring
from outbox_samples import ToldSink, sinks_of

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.exhibits.custodians import add_custodian
from ringfence.enforcement.exhibits.unlock import request, unlock
from ringfence.enforcement.orders.place import approve, place
from ringfence.enforcement.orders.records import Request
from ringfence.enforcement.persons import same_person
from ringfence.errors import NotAllowedError
from ringfence.records import Action

SPELLINGS = [
    "ada",
    "Ada",
    " ADA\t",
    "a d a",
    "ada\u200b",
    "ada\u00ad",
    "\ufeffada",
    "\u202eada",
    "ada\u3164",
    "\u0430da",
    "\u0391da",
    "\uff21\uff44\uff41",
    "\u00e1da",
    "ad\u0430\u0301",
    "\U0001d41ada",
]


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_spellings_of_one_name_are_one_person(spelt: str) -> None:
    assert same_person("ada", spelt)
    assert same_person(spelt, "Ada")


@pytest.mark.parametrize(
    ("one", "other"), [("ada", "adam"), ("ada", "bob"), ("李娜", "王芳"), ("анна", "инна"), ("a.b", "a.c")]
)
def test_other_names_are_other_persons(one: str, other: str) -> None:
    assert not same_person(one, other)


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_nobody_approves_their_own_ban_under_another_spelling(book: Casebook, spelt: str) -> None:
    found = confirmed(book, ring("R-1", accounts(4)))
    sinks = sinks_of(ToldSink("here"))
    with book.writing("ada") as writing:
        asked = Request("R-1", Action.BAN, targets_of(found), "Cards.", approvals=1)
        order_id = place(writing, asked, sinks).order_id
    with pytest.raises(NotAllowedError, match="somebody else"), book.writing(spelt) as writing:
        approve(writing, order_id, sinks)


@pytest.mark.parametrize("spelt", ["root", "Root "])
def test_nobody_sees_what_a_custodian_of_their_own_making_unlocks(book: Casebook, spelt: str) -> None:
    """Whoever adds a custodian may have kept the key."""
    key = custodian(book, "bob")
    sealed_ring(book)
    with book.writing(spelt) as writing:
        asked = request(writing, "R-1", "An appeal.").request_id
    with pytest.raises(NotAllowedError, match="has added bob"):
        unlock(book, "bob", asked, key)


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_nobody_unlocks_for_themselves_under_another_spelling(book: Casebook, spelt: str) -> None:
    key = custodian(book, "ada")
    with pytest.raises(NotAllowedError, match="never given twice"), book.writing("root") as writing:
        add_custodian(writing, spelt, X25519PrivateKey.generate().public_key())
    sealed_ring(book)
    with book.writing(spelt) as writing:
        asked = request(writing, "R-1", "An appeal.").request_id
    with pytest.raises(NotAllowedError, match="another custodian"):
        unlock(book, "ada", asked, key)
