"""An event as rows, one for each account: what the table formats write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.enforcement.events import Event
from ringfence.records import iso_time

TIMES = ("occurred_at", "expires_at")
LISTS = ("decided_by", "superseded_by", "families", "tactics")
COLUMNS = (
    "event_id",
    "kind",
    "ring_id",
    "version",
    "order_id",
    "action",
    "reason",
    "decided_by",
    "occurred_at",
    "expires_at",
    "reverses",
    "superseded_by",
    "account_id",
    "role",
    "score",
    "probability",
    "decision",
    "families",
    "tactics",
    "statement",
)
"""In the order in which they are written."""


def of_event(event: Event) -> dict[str, Any]:
    """Return what all rows of an event have in common, as plain JSON values; no column of an account."""
    return {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "ring_id": event.ring_id,
        "version": event.version,
        "order_id": event.order_id,
        "action": event.action.value,
        "reason": event.reason,
        "decided_by": list(event.decided_by),
        "occurred_at": iso_time(event.occurred_at),
        "expires_at": iso_time(event.expires_at),
        "reverses": event.reverses,
        "superseded_by": list(event.superseded_by),
        "probability": event.grounds.probability,
        "decision": event.grounds.decision.value,
        "families": [one.value for one in event.grounds.families],
        "tactics": list(event.grounds.tactics),
        "statement": " ".join(event.grounds.statements),
    }


def of_accounts(event: Event) -> Iterator[dict[str, Any]]:
    """Yield the account's columns, row by row; one row without an account where the event has none."""
    for one in event.accounts:
        yield {"account_id": one.account_id, "role": one.role.value, "score": one.score}
    if not event.accounts:
        yield {"account_id": None, "role": None, "score": None}
