"""The receiving side: what was touched, is old, or came before is never applied."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
import standardwebhooks
from outbox_samples import OTHER_SECRET, SECRET
from stopped_clock import Clock

from ringfence.enforcement.receiver import TOLERANCE, Inbox, Message, RejectedError
from ringfence.enforcement.sinks.text import safe_json
from ringfence.testing.sink_contract import enforced

SEED, MUTATIONS = 20260302, 600
KEY = "key_0123456789abcdef"
BODY = safe_json({"type": "ring.enforced", "data": enforced().as_json()}).encode()


@pytest.fixture
def inbox(tmp_path: Path, clock: Clock) -> Iterator[Inbox]:
    with Inbox.open(tmp_path / "inbox.db", [SECRET], clock=clock) as opened:
        yield opened


def signed(clock: Clock, *secrets: str, key: str = KEY, body: bytes = BODY, **ago: float) -> dict[str, str]:
    when = clock.now - timedelta(**ago)
    signatures = [
        standardwebhooks.Webhook(one).sign(key, when, body.decode()) for one in secrets or (SECRET,)
    ]
    return {
        "Webhook-Id": key,
        "Webhook-Timestamp": str(int(when.timestamp())),
        "Webhook-Signature": " ".join(signatures),
    }


def took(inbox: Inbox, message: Message) -> bool:
    with inbox.taking(message) as first:
        return first


def test_what_was_signed_is_taken_once(inbox: Inbox, clock: Clock) -> None:
    message = inbox.verify(signed(clock), BODY)

    assert message.key == KEY
    assert message.event == enforced()
    assert not inbox.seen(message)
    assert took(inbox, message)
    assert inbox.seen(message)
    assert not took(inbox, message), "replayed, or sent again since no answer came"


def test_it_is_remembered_by_the_next_process(inbox: Inbox, clock: Clock, tmp_path: Path) -> None:
    message = inbox.verify(signed(clock), BODY)
    took(inbox, message)

    with Inbox.open(tmp_path / "inbox.db", [SECRET], clock=clock) as other:
        assert not took(other, message)


def test_every_replay_is_told(inbox: Inbox, clock: Clock) -> None:
    deliveries = [signed(clock, key=f"key_{number}") for number in range(100)]
    assert all(took(inbox, inbox.verify(headers, BODY)) for headers in deliveries)

    Random(SEED).shuffle(deliveries)
    assert not any(took(inbox, inbox.verify(headers, BODY)) for headers in deliveries)


def test_every_touched_delivery_is_rejected(inbox: Inbox, clock: Clock) -> None:
    draw, rejected = Random(SEED), 0
    for _mutation in range(MUTATIONS):
        headers, body = touched(signed(clock), BODY, draw)
        with pytest.raises(RejectedError):
            inbox.verify(headers, body)
        rejected += 1
    assert rejected == MUTATIONS


def touched(headers: dict[str, str], body: bytes, draw: Random) -> tuple[dict[str, str], bytes]:
    """Change one header or the body in one place."""
    where = draw.choice(["body", "body", *headers])
    if where == "body":
        return headers, change(body, draw)
    text = change(headers[where].encode(), draw).decode("latin-1")
    return {**headers, where: text}, body


def change(held: bytes, draw: Random) -> bytes:
    place = draw.randrange(len(held))
    how = draw.choice(["flip", "drop", "insert", "cut", "swap"])
    if how == "flip":
        return held[:place] + bytes([held[place] ^ (1 << draw.randrange(8))]) + held[place + 1 :]
    if how == "drop":
        return held[:place] + held[place + 1 :]
    if how == "insert":
        return held[:place] + draw.choice([b" ", b"=", b".", b"0", b",", b"\xff"]) + held[place:]
    if how == "cut":
        return held[:place]
    other = (held[place] + 1 + draw.randrange(255)) % 256
    return held[:place] + bytes([other]) + held[place + 1 :]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Webhook-Timestamp", "{}.0"),
        ("Webhook-Timestamp", "+{}"),
        ("Webhook-Timestamp", "0{}"),
        ("Webhook-Timestamp", " {}"),
        ("Webhook-Timestamp", "nan"),
        ("Webhook-Timestamp", "9" * 400),
        ("Webhook-Timestamp", "١٢٣"),
        ("Webhook-Signature", "{}="),
        ("Webhook-Signature", "v1a{}"),
        ("Webhook-Signature", "v1,"),
        ("Webhook-Signature", "nonsense"),
        ("Webhook-Signature", "\udce9{}"),
        ("Webhook-Id", "{} "),
        ("Webhook-Id", ""),
    ],
)
def test_a_header_that_might_mean_the_same_is_rejected(
    inbox: Inbox, clock: Clock, header: str, value: str
) -> None:
    headers = signed(clock)

    with pytest.raises(RejectedError):
        inbox.verify({**headers, header: value.format(headers[header])}, BODY)


def test_a_body_that_is_no_text_is_rejected(inbox: Inbox, clock: Clock) -> None:
    with pytest.raises(RejectedError, match="not what was signed"):
        inbox.verify(signed(clock), b"\xff" + BODY)


@pytest.mark.parametrize("missing", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_missing_header_is_rejected(inbox: Inbox, clock: Clock, missing: str) -> None:
    headers = {name: value for name, value in signed(clock).items() if name != missing}

    with pytest.raises(RejectedError, match="header is missing"):
        inbox.verify(headers, BODY)


def test_every_stale_or_early_delivery_is_rejected(inbox: Inbox, clock: Clock) -> None:
    for seconds in range(TOLERANCE + 1, TOLERANCE + 201):
        for ago in (seconds, -seconds):
            with pytest.raises(RejectedError, match="300 s ago"):
                inbox.verify(signed(clock, seconds=ago), BODY)
    for ago in (TOLERANCE, -TOLERANCE):
        inbox.verify(signed(clock, seconds=ago), BODY)


def test_one_of_several_secrets_is_enough(inbox: Inbox, clock: Clock, tmp_path: Path) -> None:
    both = signed(clock, OTHER_SECRET, SECRET)
    inbox.verify(both, BODY)
    with pytest.raises(RejectedError, match="No signature is right"):
        inbox.verify(signed(clock, OTHER_SECRET), BODY)

    with Inbox.open(tmp_path / "other.db", [f"whsec_{OTHER_SECRET}", SECRET], clock=clock) as rotating:
        for secret in (SECRET, OTHER_SECRET):
            rotating.verify(signed(clock, secret), BODY)


def test_another_body_under_a_key_is_rejected(inbox: Inbox, clock: Clock) -> None:
    took(inbox, inbox.verify(signed(clock), BODY))
    other = BODY.replace(b"acct_00001", b"acct_99999")

    with pytest.raises(RejectedError, match="one key is one body"):
        took(inbox, inbox.verify(signed(clock, body=other), other))


def test_what_could_not_be_applied_is_not_remembered(inbox: Inbox, clock: Clock) -> None:
    message = inbox.verify(signed(clock), BODY)

    def apply() -> None:
        with inbox.taking(message):
            inbox.connection.execute("CREATE TABLE banned (account TEXT)")
            inbox.connection.execute("INSERT INTO no_such_table VALUES (1)")

    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        apply()
    assert took(inbox, message)
    with pytest.raises(sqlite3.OperationalError, match="no such table: banned"):
        inbox.connection.execute("SELECT * FROM banned")


def test_a_failure_to_begin_is_told_as_it_is(inbox: Inbox, clock: Clock) -> None:
    message = inbox.verify(signed(clock), BODY)
    with inbox.taking(message), pytest.raises(sqlite3.OperationalError), inbox.taking(message):
        pass


def test_a_secret_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of 5 bytes"):
        Inbox.open(tmp_path / "inbox.db", [base64.b64encode(b"short").decode()])


@pytest.mark.parametrize(
    "touched",
    [
        {"Webhook-Id": "key_\ud800"},
        {"Webhook-Id": "key\n"},
        {"Webhook-Timestamp": "\u0661\u0667\u0667"},
        {"Webhook-Timestamp": "1e9"},
        {"Webhook-Signature": "v1,\udcff"},
        {"webhook-id": "another"},
        {"WEBHOOK-TIMESTAMP": "1"},
    ],
)
def test_headers_that_no_sender_writes_are_refused(
    inbox: Inbox, clock: Clock, touched: dict[str, str]
) -> None:
    with pytest.raises(RejectedError):
        inbox.verify({**signed(clock), **touched}, BODY)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"[" * 100_000])
def test_what_is_signed_and_is_no_object_is_refused(inbox: Inbox, clock: Clock, body: bytes) -> None:
    with pytest.raises(RejectedError, match="is signed, and"):
        inbox.verify(signed(clock, body=body), body)
