"""An outbox drained in one thread that a test sees into."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from outbox_samples import ToldSink, a_ring, order_on, sinks_of

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.deliver import Delivered, deliver
from ringfence.enforcement.outbox.lane import Lane
from ringfence.enforcement.outbox.lease import Terms
from ringfence.enforcement.sinks.protocol import Delivery

BACKOFF = Backoff(first=10.0, longest=1000.0, most=3)


def drained(book: Casebook, *sinks: Any, **options: Any) -> Delivered:
    return deliver(book, sinks_of(*sinks), by="sender", backoff=BACKOFF, draw=Random(1), **options)


def exports(book: Casebook, **having: object) -> list[dict[str, Any]]:
    rows = [dict(row) for row in book.read("SELECT * FROM exports ORDER BY number")]
    return [row for row in rows if all(row[name] == value for name, value in having.items())]


def audited(book: Casebook, what: str) -> list[dict[str, Any]]:
    entries = [json.loads(row["entry"]) for row in book.read("SELECT entry FROM audit ORDER BY place")]
    return [entry for entry in entries if entry["what"] == what]


def one_order(book: Casebook, *sinks: Any, ring: str = "R-1", members: tuple[int, ...] = (0, 1, 2)) -> str:
    found = a_ring(book, ring)
    with book.writing("ada") as writing:
        return order_on(writing, found, members, sinks_of(*sinks)).order_id


def failing(error: Exception, times: int = 1000) -> Callable[[Delivery], None]:
    left = [times]

    def fail(_delivery: Delivery) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return fail


def other_sender(book: Casebook) -> list[Any]:
    with book.writing("other") as writing:
        return Lane("place", 1).take(writing, 0, Terms("other", 60.0, BACKOFF.longest))


def three_orders(book: Casebook, sink: ToldSink) -> list[str]:
    found = a_ring(book)
    with book.writing("ada") as writing:
        return [
            order_on(writing, found, (member, member + 1), sinks_of(sink)).order_id for member in (0, 2, 4)
        ]
