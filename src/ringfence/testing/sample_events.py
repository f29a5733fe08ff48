"""Events to test sinks with: an order, its reversal, a ring that goes by other ids, and hostile texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ringfence.enforcement.events import Event, EventKind, Grounds, Target, event_id
from ringfence.records import Action, Decision, Family, Role

MOMENT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)

HOSTILE = (
    '=HYPERLINK("http://evil.test","pay")',
    " \t'=1+1",
    "＝cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2+3",
    "a;=1+1",
    "<script>alert(1)</script> & </td>",
    "line\r\nfeed\x00\x1b[31m\x7f\x9b",
    "\u202eevil\u2066\u200b\ufeff\u2028",
    "quote ' \" ` , ; | \\ \\u0041 %n {x} ${y} ]]>",
    "naïve 東京 🦊 مرحبا",
)
"""What an account may call itself, and a person may write."""


def enforced(version: int = 8191, action: Action = Action.BAN, accounts: tuple[str, ...] = ()) -> Event:
    """Return an event that asks for an action."""
    names = accounts or ("acct_00001", "acct_00002", "acct_00003")
    ring = "R-5f0c2a19"
    return Event(
        event_id=event_id(ring, version, EventKind.ENFORCED, action),
        kind=EventKind.ENFORCED,
        ring_id=ring,
        version=version,
        order_id="O-77aa01",
        action=action,
        reason="They share cards and hours.",
        decided_by=("ada", "grace"),
        occurred_at=MOMENT,
        expires_at=MOMENT + timedelta(days=30),
        accounts=tuple(Target(name, (Role.CORE, Role.MEMBER)[i % 2], 0.95) for i, name in enumerate(names)),
        reverses=None,
        superseded_by=(),
        grounds=Grounds(
            decision=Decision.RING,
            probability=0.97,
            size=len(names) + 2,
            families=(Family.PAYMENT, Family.NETWORK),
            statements=("3 of 3 accounts share 2 cards.", "3 of 3 accounts share 192.0.2.7."),
            entities=("instrument:card_000017", "ip:192.0.2.7", "ip:2001:db8::7", "device:dev_000005"),
            tactics=("reasoning traces",),
            first_seen=MOMENT - timedelta(days=20),
            last_seen=MOMENT - timedelta(days=1),
        ),
        ring_opened_at=MOMENT - timedelta(days=2),
    )


def reversal(event: Event, version: int = 8192) -> Event:
    """Return the event that undoes another for its first account."""
    return replace(
        event,
        event_id=event_id(event.ring_id, version, EventKind.REVERSED, event.action),
        kind=EventKind.REVERSED,
        version=version,
        order_id="O-77aa02",
        reason="An appeal was right.",
        occurred_at=event.occurred_at + timedelta(days=2),
        expires_at=None,
        accounts=event.accounts[:1],
        reverses=event.event_id,
        reverses_at=event.occurred_at,
        reverses_all=False,
    )


def superseded(event: Event, version: int = 8193) -> Event:
    """Return the event that says that a ring goes by other ids."""
    return replace(
        event,
        event_id=event_id(event.ring_id, version, EventKind.SUPERSEDED, Action.NONE),
        kind=EventKind.SUPERSEDED,
        version=version,
        order_id=None,
        action=Action.NONE,
        reason="The ring split.",
        occurred_at=event.occurred_at + timedelta(days=3),
        expires_at=None,
        accounts=(),
        superseded_by=("R-77777777", "R-88888888"),
    )


def hostile() -> Event:
    """Return an event whose every free text is hostile."""
    event = enforced(accounts=HOSTILE)
    said = replace(
        event.grounds,
        statements=HOSTILE,
        entities=tuple(f"instrument:{one}" for one in HOSTILE),
        tactics=HOSTILE,
    )
    return replace(event, reason=" ".join(HOSTILE), decided_by=HOSTILE, grounds=said)
