"""A sink that writes plain JSON, and what orders, cases and the outbox come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from case_samples import targets_of

from ringfence.enforcement.casebook.content import unpacked
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.events import Event
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Order, Request
from ringfence.enforcement.sinks.protocol import Delivery, Sink
from ringfence.records import Action, Ring

Seen = TypeVar("Seen")


class PlainSink:
    """Turns events into JSON and keeps what it is handed."""

    media_type = "application/json"

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[bytes] = []

    def render(self, event: Event) -> bytes:
        return json.dumps(event.as_json(), sort_keys=True).encode()

    def send(self, delivery: Delivery) -> str:
        self.got.append(delivery.body)
        return "kept"

    def close(self) -> None:
        pass


def seen(book: Casebook, function: Callable[..., Seen], *values: Any, **more: Any) -> Seen:
    """Return what a function reads from the casebook."""
    with book.reading() as connection:
        return function(connection, *values, **more)


def sinks(*names: str) -> dict[str, Sink]:
    return {name: PlainSink(name) for name in names}


def ordered(
    book: Casebook,
    found: Ring,
    action: Action = Action.SUSPEND,
    to: dict[str, Sink] | None = None,
    by: str = "ada",
    **more: Any,
) -> Order:
    """Order an action on all of a ring's accounts but bystanders."""
    asked = Request(found.ring_id, action, more.pop("targets", targets_of(found)), "Same cards.", **more)
    with book.writing(by) as writing:
        return place(writing, asked, sinks("hook") if to is None else to)


def told(book: Casebook, ring_id: str | None = None) -> list[dict[str, Any]]:
    """Return the events of a ring, or all, in their order."""
    rows = book.read(
        "SELECT content FROM events WHERE ? IS NULL OR ring_id = ? ORDER BY rowid", (ring_id, ring_id)
    )
    return [unpacked(row["content"]) for row in rows]


def queued(book: Casebook) -> list[tuple[str, str, str]]:
    """Return ring, kind and sink of all that the outbox holds, in its order, but what was withdrawn."""
    rows = book.read(
        "SELECT exports.ring_id, kind, sink FROM exports JOIN events USING (event_id) "
        "WHERE status <> 'withdrawn' ORDER BY number"
    )
    return [tuple(row) for row in rows]


def delivered(book: Casebook) -> None:
    """Mark all that waits as delivered, as the sender does."""
    with book.writing("outbox") as writing:
        writing.execute("UPDATE exports SET status = 'delivered', attempts = 1 WHERE status = 'waiting'")
