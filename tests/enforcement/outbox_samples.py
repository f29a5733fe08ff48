"""Outboxes to try things on: sinks that do as they are told, and rings with many events."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Mapping

from case_samples import accounts, confirmed, recorded, ring, targets_of

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.casebook.decide import give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.events import Event
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Order, Request
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.sinks.protocol import Delivery, Sink
from ringfence.records import Action, Ring

SECRET = base64.b64encode(bytes(range(32))).decode()
OTHER_SECRET = base64.b64encode(bytes(range(32, 64))).decode()


class ToldSink:
    """Keeps what it is sent, unless it is told to do something else first."""

    media_type = "application/json"

    def __init__(self, name: str = "place", most_at_once: int = 1) -> None:
        self.name, self.most_at_once = name, most_at_once
        self.got: list[Delivery] = []
        self.before: Callable[[Delivery], None] = lambda _delivery: None
        self._guard = threading.Lock()

    def render(self, event: Event) -> bytes:
        return f"{event.ring_id} {event.version} {event.kind} {event.reverses}".encode()

    def send(self, delivery: Delivery) -> str:
        self.before(delivery)
        with self._guard:
            self.got.append(delivery)
        return "got it"

    def close(self) -> None:
        pass

    @property
    def bodies(self) -> list[str]:
        return [one.body.decode() for one in self.got]


class PlainSink(ToldSink):
    """Says nothing of threads."""

    def __init__(self, name: str = "place") -> None:
        super().__init__(name)
        del self.most_at_once


def sinks_of(*sinks: Sink) -> dict[str, Sink]:
    return {sink.name: sink for sink in sinks}


def a_ring(book: Casebook, name: str = "R-1", size: int = 12) -> Ring:
    """Record and confirm a ring; its accounts bear its name."""
    return confirmed(book, ring(name, accounts(size, name)))


def order_on(
    writing: Writing,
    found: Ring,
    members: Iterable[int],
    sinks: Mapping[str, Sink],
    action: Action = Action.BAN,
) -> Order:
    """Order something on some members of a ring."""
    chosen = targets_of(found)
    request = Request(found.ring_id, action, tuple(chosen[one] for one in members), "They share cards.")
    return place(writing, request, sinks)


def fill(book: Casebook, sinks: Mapping[str, Sink], rings: int, events: int) -> int:
    """Put ``events`` events of each of ``rings`` rings into the outbox; return how many.

    Every fourth lets one of the two accounts go that the third was about.
    """
    names = [f"R-{number:03}" for number in range(rings)]
    made = [ring(name, accounts(2 * events, name)) for name in names]
    recorded(book, *made)
    with book.writing("ada") as writing:
        for name in names:
            give_verdict(writing, name, Verdict.CONFIRMED, "Same cards, same hours.")
        last: dict[str, Order] = {}
        for step in range(events):
            for found in made:
                if step % 4 == 3:
                    account = f"{found.ring_id}_{2 * step - 2:05}"
                    reverse(writing, last[found.ring_id].order_id, "An appeal was right.", sinks, [account])
                else:
                    last[found.ring_id] = order_on(writing, found, (2 * step, 2 * step + 1), sinks)
    return rings * events
