"""How fast the outbox delivers: events a second to a receiver on this machine, in a process of its own.

Ringfence: from waiting in the casebook to delivered, signed, with the outcome and its audit entry on disk, by
eight connections. The peer is a loop that posts the same bodies with httpx over one kept connection, signs
nothing and remembers nothing: what a script would do. Both take turns in one run; the median of the rounds.

The receiver reads each request to its end and answers 200, and does nothing else: neither waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
from machine import machine

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.casebook.reading import FinishedRun
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.events import Event, EventKind, Grounds, Target, event_id
from ringfence.enforcement.outbox.deliver import deliver
from ringfence.enforcement.outbox.queue import enqueue
from ringfence.enforcement.sinks.webhook import Webhook
from ringfence.records import Action, Decision, Evidence, Family, Member, Ring, Role

_SECRET_VARIABLE = "RINGFENCE_BENCHMARK_SECRET"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Receiving(asyncio.Protocol):
    """Answers 200 to each request that has come whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._held = transport, b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if len(self._held) < end + 4 + length:
                return
            self._held = self._held[end + 4 + length :]
            assert isinstance(self._transport, asyncio.WriteTransport)
            self._transport.write(_ANSWER)


def _receive(told: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Receiving, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def receiver() -> Iterator[int]:
    """Run a receiver in a process of its own; yield its port."""
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_receive, args=(its,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def fill(book: Casebook, sink: Webhook, rings: int, events: int) -> None:
    """Put events of rings of 20 accounts into the outbox, ring by ring in turn."""
    members = [tuple(Member(f"acct_{r:04}_{n:02}", 0.95, Role.CORE) for n in range(20)) for r in range(rings)]
    found = [_ring(f"R-{number}", its) for number, its in enumerate(members)]
    with book.writing("benchmark") as writing:
        record_run(writing, FinishedRun("run", Path("run"), 20 * rings, tuple(found), {}))
        for number in range(events):
            _queue(writing, found[number % rings], 2 + number // rings, sink)


def _ring(ring_id: str, members: tuple[Member, ...]) -> Ring:
    evidence = tuple(
        Evidence(family, f"20 of 20 accounts share 3 {family} entities.", 4.0, 0.9, (f"{family}:1",))
        for family in (Family.NETWORK, Family.PAYMENT)
    )
    day = datetime(2026, 2, 1, tzinfo=UTC)
    return Ring(
        ring_id, 0.97, Decision.RING, len(members), day, day, 7.2, members, evidence, (), Action.SUSPEND
    )


def _queue(writing: Writing, ring: Ring, version: int, sink: Webhook) -> None:
    event = Event(
        event_id=event_id(ring.ring_id, version, EventKind.ENFORCED, Action.SUSPEND),
        kind=EventKind.ENFORCED,
        ring_id=ring.ring_id,
        version=version,
        order_id=None,
        action=Action.SUSPEND,
        reason="They share cards and hours.",
        decided_by=("ada", "grace"),
        occurred_at=writing.now,
        expires_at=None,
        accounts=tuple(Target(one.account_id, one.role, one.score) for one in ring.members),
        reverses=None,
        superseded_by=(),
        grounds=Grounds.of(ring),
    )
    enqueue(writing, event, [sink])


def ours(port: int, rings: int, events: int) -> tuple[float, list[bytes]]:
    """Return Ringfence's events a second, and the bodies that it sent."""
    table = {
        "url": f"http://127.0.0.1:{port}/",
        "allow_private": True,
        "secret_env": _SECRET_VARIABLE,
    }
    with tempfile.TemporaryDirectory() as folder:
        sink = Webhook.from_settings("receiver", table, Path(folder))
        with Casebook.open(Path(folder) / "casebook.db") as book:
            fill(book, sink, rings, events)
            began = time.perf_counter()
            done = deliver(book, {"receiver": sink}, by="benchmark")
            took = time.perf_counter() - began
            assert done.delivered == events, done
            bodies = [row["body"] for row in book.read("SELECT body FROM exports ORDER BY number")]
        sink.close()
    return events / took, bodies


def theirs(port: int, bodies: list[bytes]) -> float:
    """Return the events a second of a plain loop."""
    with httpx.Client(headers={"content-type": "application/json"}) as client:
        began = time.perf_counter()
        for body in bodies:
            client.post(f"http://127.0.0.1:{port}/", content=body).raise_for_status()
        return len(bodies) / (time.perf_counter() - began)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--rings", type=int, nargs="+", default=[500, 50])
    parser.add_argument("--rounds", type=int, default=5)
    said = parser.parse_args()
    os.environ[_SECRET_VARIABLE] = base64.b64encode(os.urandom(32)).decode()
    print(f"{machine()}\n\n{said.events:,} events, median (least, most) of {said.rounds} rounds in turn.\n")
    print("| events of | bytes an event | Ringfence, events/s | httpx loop, events/s |\n|---|---|---|---|")
    for rings in said.rings:
        rates: list[tuple[float, float]] = []
        with receiver() as port:
            for _round in range(said.rounds):
                rate, bodies = ours(port, rings, said.events)
                rates.append((rate, theirs(port, bodies)))
        mine, peer = zip(*rates, strict=True)
        size = statistics.mean(len(body) for body in bodies)
        print(f"| {rings:,} rings | {size:,.0f} | {_told(mine)} | {_told(peer)} |", flush=True)


def _told(rates: tuple[float, ...]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f}, {max(rates):,.0f})"


if __name__ == "__main__":
    main()
