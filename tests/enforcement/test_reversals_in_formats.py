"""What consumers are left with after real orders and their reversals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from case_samples import accounts, confirmed, recorded, ring, targets_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from set_receiver import AUDIENCE, ISSUER, verified
from stix_reading import complaints
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.events import Event
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Order, Request
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.enforcement.sinks.risc import Risc
from ringfence.enforcement.sinks.stix import StixFiles
from ringfence.enforcement.sinks.stix_objects import Producer
from ringfence.errors import PolicyError
from ringfence.records import Action, Ring


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Risc]:
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(key)
    entry = {"folder": "tokens", "issuer": ISSUER, "audience": AUDIENCE, "key_file": "key"}
    with closing(Risc.from_settings("tokens", entry, tmp_path)) as sink:
        yield sink


@pytest.fixture
def bundles(tmp_path: Path) -> StixFiles:
    return StixFiles("bundles", tmp_path / "bundles", Producer("Example AI", "amber"))


def order(book: Casebook, found: Ring, action: Action, sink: Sink, who: slice = slice(None)) -> Order:
    with book.writing("ada") as writing:
        request = Request(found.ring_id, action, targets_of(found)[who], "They share cards.")
        return place(writing, request, {sink.name: sink})


def undo(book: Casebook, placed: Order, sink: Sink, who: list[str] | None = None) -> None:
    # As if the sender had them: what was never tried is withdrawn, and nobody is told.
    with book.writing("sender") as writing:
        writing.execute("UPDATE exports SET status = 'delivered', attempts = 1")
    with book.writing("grace") as writing:
        reverse(writing, placed.order_id, "An appeal was right.", {sink.name: sink}, who)


def sent(book: Casebook) -> list[bytes]:
    return [row["body"] for row in book.read("SELECT body FROM exports ORDER BY number")]


@pytest.mark.parametrize("hours", [0, 1, -1], ids=["at once", "later", "clock set back"])
def test_an_account_is_free_in_stix_when_the_last_order_on_it_is_revoked(
    hours: int, book: Casebook, clock: Clock, bundles: StixFiles
) -> None:
    found = confirmed(book, ring("R-1", accounts(3)))
    suspended = order(book, found, Action.SUSPEND, bundles)
    clock.go_on(hours=hours)
    order(book, found, Action.BAN, bundles, slice(0, 1))
    clock.go_on(hours=hours)
    undo(book, suspended, bundles, ["acct_00001"])
    clock.go_on(hours=hours)
    undo(book, suspended, bundles)
    last: dict[str, dict[str, Any]] = {}
    for body in sent(book):
        bundle = json.loads(body)
        assert complaints(bundle) == []
        for one in bundle["objects"]:
            kept = last.setdefault(one["id"], one)
            assert kept.get("created") == one.get("created"), one["type"]
            last[one["id"]] = max(kept, one, key=lambda each: each.get("modified", ""))
    names = {one["id"]: one.get("user_id") for one in last.values()}
    held = {
        (names[one["source_ref"]], one["labels"][0])
        for one in last.values()
        if one.get("relationship_type") == "related-to" and not one.get("revoked")
    }
    assert held == {("acct_00000", "ban")}
    groupings = [one for one in last.values() if one["type"] == "grouping"]
    assert [one["labels"][1] for one in groupings if one.get("revoked")] == ["suspend"]


def test_an_account_is_enabled_by_tokens_when_nothing_disables_it_any_more(
    book: Casebook, tokens: Risc
) -> None:
    found = confirmed(book, ring("R-1", accounts(2)))
    suspended = order(book, found, Action.SUSPEND, tokens)
    banned = order(book, found, Action.BAN, tokens, slice(0, 1))
    undo(book, suspended, tokens)
    undo(book, banned, tokens)
    told = [
        (claims["sub_id"]["sub"], next(iter(claims["events"])).rpartition("/")[2])
        for body in sent(book)
        for claims in (verified(line.decode(), tokens.jwks()) for line in body.splitlines())
    ]
    assert told == [
        ("acct_00000", "account-disabled"),
        ("acct_00001", "account-disabled"),
        ("acct_00000", "account-disabled"),
        ("acct_00001", "account-enabled"),
        ("acct_00000", "account-enabled"),
    ]


def two_rings_with_one_account_in_both(book: Casebook) -> tuple[Ring, Ring]:
    first = ring("R-1", [*accounts(9, "a"), "zz_both"])
    second = ring("R-2", [*accounts(9, "b"), "zz_both"])
    recorded(book, first, second)
    with book.writing("ada") as writing:
        for one in (first, second):
            give_verdict(writing, one.ring_id, Verdict.CONFIRMED, "Same cards.")
    return first, second


def last_said(book: Casebook, tokens: Risc) -> dict[str, str]:
    """Return account → what was said of it last, of all that was delivered or will be."""
    rows = book.read("SELECT body FROM exports WHERE status <> 'withdrawn' ORDER BY number")
    return {
        claims["sub_id"]["sub"]: next(iter(claims["events"])).rpartition("/")[2]
        for row in rows
        for claims in (verified(line.decode(), tokens.jwks()) for line in row["body"].splitlines())
    }


@pytest.mark.parametrize("bit_by_bit", [False, True])
def test_nobody_stays_disabled_by_an_order_that_never_went_out(
    bit_by_bit: bool, book: Casebook, tokens: Risc
) -> None:
    first, second = two_rings_with_one_account_in_both(book)
    suspended = order(book, first, Action.SUSPEND, tokens)
    with book.writing("sender") as writing:
        writing.execute("UPDATE exports SET status = 'delivered', attempts = 1")
    banned = order(book, second, Action.BAN, tokens)
    sinks: dict[str, Sink] = {"tokens": tokens}
    with book.writing("grace") as writing:
        reverse(writing, suspended.order_id, "An appeal was right.", sinks)
        if bit_by_bit:
            reverse(writing, banned.order_id, "An appeal was right.", sinks, ["zz_both"])
        reverse(writing, banned.order_id, "An appeal was right.", sinks)
    assert set(last_said(book, tokens).values()) == {"account-enabled"}


def test_a_sink_is_not_told_of_orders_that_it_never_heard_of(book: Casebook, tokens: Risc) -> None:
    first, second = two_rings_with_one_account_in_both(book)
    suspended = order(book, first, Action.SUSPEND, tokens)
    with book.writing("ada") as writing:
        place(writing, Request("R-2", Action.BAN, targets_of(second), "They share cards."), {})
    undo(book, suspended, tokens)
    assert last_said(book, tokens)["zz_both"] == "account-enabled"


def test_a_reversal_never_happens_before_what_it_undoes(book: Casebook, clock: Clock, tokens: Risc) -> None:
    suspended = order(book, confirmed(book, ring("R-1", accounts(2))), Action.SUSPEND, tokens)
    clock.go_on(hours=-1)
    undo(book, suspended, tokens)
    times = [row["occurred_at"] for row in book.read("SELECT occurred_at FROM events ORDER BY rowid")]
    assert times == sorted(times)


def test_a_sink_that_cannot_write_an_event_down_is_named(book: Casebook, tokens: Risc) -> None:
    class Odd(Risc):
        def render(self, event: Event) -> bytes:
            raise ValueError(f"odd: {event.kind}")

    tokens.__class__ = Odd
    with pytest.raises(PolicyError, match=r"tokens cannot write.*R-1 \(ValueError: odd"):
        order(book, confirmed(book, ring("R-1", accounts(2))), Action.SUSPEND, tokens)
    assert book.read("SELECT 1 FROM orders") == []
