"""Draining the outbox: take what is due, send it, write down what came of it.

One thread writes, several send. A transaction takes exports and writes down outcomes by the dozen, and none
is open while anything is sent.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from random import Random, SystemRandom
from secrets import token_hex
from typing import Any

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.outbox.attempt import attempt
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.lane import Lane
from ringfence.enforcement.outbox.lease import Claim, Terms, put_back, renew
from ringfence.enforcement.outbox.settle import Outcome, Result, settle
from ringfence.enforcement.sinks.protocol import Sink, SupportsThreads
from ringfence.progress import Tick, silent

LEASE = 120.0
"""Seconds that a sender holds an export without renewing."""

_SURE = 0.8
"""Share of its lease after which a sender begins nothing more with it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of draining the outbox, in attempts."""

    delivered: int = 0
    failed: int = 0
    """They wait for another attempt."""
    dead: int = 0
    """They wait for a person."""
    halted: int = 0
    """Answered by "nothing any more": the sink was halted."""
    withdrawn: int = 0
    """Taken back while on their way, and not arrived as far as anybody knows."""
    overtaken: int = 0
    """Another sender had them by the time that these failed."""

    def __add__(self, other: Delivered) -> Delivered:
        mine, its = asdict(self), asdict(other)
        return Delivered(**{name: mine[name] + its[name] for name in mine})

    def as_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return asdict(self)


def deliver(
    book: Casebook,
    sinks: Mapping[str, Sink],
    *,
    by: str,
    backoff: Backoff | None = None,
    lease: float = LEASE,
    draw: Random | None = None,
    tick: Tick = silent,
) -> Delivered:
    """Send what is due until nothing is; safe to run several times at once, and to be killed at any moment.

    Args:
        book: The casebook; used by this thread alone.
        sinks: Name → where events go; exports to other sinks are left as they are.
        by: Who sends, for the audit log.
        backoff: How long to wait after an attempt that failed.
        lease: Seconds that an export stays out of other senders' reach if this one dies; at least a few
            seconds, at most a quarter of an hour.
        draw: Where chance comes from.
        tick: Told how far it is.

    Raises:
        CasebookError: the casebook is locked, full or damaged. What was sent and not written down will be
            sent again.
    """
    backoff = backoff or Backoff()
    name = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
    terms = Terms(sender=name, seconds=lease, longest_wait=backoff.longest)
    with _Sender(book, sinks, by, backoff, terms, draw or SystemRandom()) as sender:
        sender.drain(tick)
    return sender.done


class _Sender:
    """One sender at work."""

    def __init__(
        self,
        book: Casebook,
        sinks: Mapping[str, Sink],
        by: str,
        backoff: Backoff,
        terms: Terms,
        draw: Random,
    ) -> None:
        self._book, self._sinks, self._by = book, sinks, by
        self._backoff, self._terms, self._draw = backoff, terms, draw
        self._counts: Counter[Result] = Counter()
        self._pools = {
            name: ThreadPoolExecutor(most_at_once(sink), thread_name_prefix=f"to {name}")
            for name, sink in sinks.items()
        }
        self._lanes = {name: Lane(name, most_at_once(sink)) for name, sink in sinks.items()}
        self._in_hand: dict[str, tuple[Claim, Future[None]]] = {}
        self._came: SimpleQueue[Outcome | Claim] = SimpleQueue()
        self._unwritten: list[Outcome] = []
        self._unsent: list[Claim] = []
        self._renewed = time.monotonic()

    @property
    def done(self) -> Delivered:
        return Delivered(**{result.value: count for result, count in self._counts.items()})

    def __enter__(self) -> _Sender:
        return self

    def __exit__(self, *_raised: object) -> None:
        """Stop: what no thread has begun goes back at once, what is on its way is waited for."""
        for claimed, future in self._in_hand.values():
            if future.cancel():
                self._unsent.append(claimed)
        for pool in self._pools.values():
            pool.shutdown()
        self._collect(0)
        if self._unwritten or self._unsent:
            self._step(taking=False)

    def drain(self, tick: Tick) -> None:
        """Send until nothing is due."""
        waiting = self._waiting()
        while True:
            self._step(taking=True)
            if not self._in_hand:
                tick(1.0)
                return
            tick(self._counts.total() / max(waiting, 1))
            self._collect(self._terms.seconds / 3)

    def _waiting(self) -> int:
        rows = self._book.read(
            "SELECT sink, count(*) AS waiting FROM exports WHERE status = 'waiting' GROUP BY sink"
        )
        return sum(row["waiting"] for row in rows if row["sink"] in self._sinks)

    def _step(self, *, taking: bool) -> None:
        """Write down what came, and take what may go next, in one transaction."""
        began, terms = time.monotonic(), self._terms
        renewing = bool(self._in_hand) and began - self._renewed > terms.seconds / 3
        with self._book.writing(self._by) as writing:
            results = [
                settle(writing, one, self._backoff, self._draw, terms.sender) for one in self._unwritten
            ]
            put_back(writing, self._unsent, terms.sender)
            for claimed in (*(one.claim for one in self._unwritten), *self._unsent):
                self._lanes[claimed.sink].free(claimed.ring_id)
            kept = renew(writing, terms) if renewing else None
            taken = self._take(writing) if taking else []
        self._counts.update(results)
        self._unwritten, self._unsent = [], []
        self._drop_lost(kept)
        if renewing or not self._in_hand:
            self._renewed = began
        for one in taken:
            self._in_hand[one.key] = (one, self._pools[one.sink].submit(self._send, one))

    def _take(self, writing: Writing) -> list[Claim]:
        held = Counter(claimed.sink for claimed, _ in self._in_hand.values())
        taken: list[Claim] = []
        for name, lane in self._lanes.items():
            taken += lane.take(writing, held[name], self._terms)
        return taken

    def _drop_lost(self, kept: frozenset[str] | None) -> None:
        """Forget what another sender took when this one was held up for longer than its lease."""
        if kept is None:
            return
        for key, (_, future) in list(self._in_hand.items()):
            if key not in kept and future.cancel():
                del self._in_hand[key]

    def _send(self, claimed: Claim) -> None:
        """Send, in a thread of its own, unless the lease may have run out while it waited for its turn."""
        if time.monotonic() - self._renewed > self._terms.seconds * _SURE:
            self._came.put(claimed)
        else:
            self._came.put(attempt(self._sinks[claimed.sink], claimed))

    def _collect(self, seconds: float) -> None:
        """Wait for something to come, then take all that came."""
        try:
            self._keep(self._came.get(timeout=seconds) if seconds else self._came.get_nowait())
            while True:
                self._keep(self._came.get_nowait())
        except Empty:
            return

    def _keep(self, came: Outcome | Claim) -> None:
        if isinstance(came, Claim):
            self._unsent.append(came)
            del self._in_hand[came.key]
        else:
            self._unwritten.append(came)
            del self._in_hand[came.claim.key]


def most_at_once(sink: Sink) -> int:
    """Return how many threads may send to a sink at once."""
    return sink.most_at_once if isinstance(sink, SupportsThreads) else 1
