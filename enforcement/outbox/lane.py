"""The way to one sink: which rings may have something to go, in which turn."""

from __future__ import annotations

import time
from collections import deque

from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.outbox.lease import Claim, Terms, claim, halted, rings_waiting

_AHEAD = 32
"""Exports that a sender has in hand at once, at least, so that no thread waits for the next transaction."""

_LOOK_AGAIN = 1.0
"""Seconds between two looks at everything that waits, while some of it is on its way."""


class Lane:
    """Rings in turn. All of the outbox is looked at once in a while, a ring alone when its turn comes."""

    def __init__(self, sink: str, threads: int) -> None:
        """Name the sink, and how many threads send to it."""
        self._sink, self._most = sink, max(_AHEAD, 2 * threads)
        self._turn: deque[str] = deque()
        self._looked = float("-inf")

    def free(self, ring_id: str) -> None:
        """Put a ring last in turn: what was in hand of it is settled."""
        self._turn.append(ring_id)

    def take(self, writing: Writing, held: int, terms: Terms) -> list[Claim]:
        """Take what may go now, one export a ring, as far as there is room.

        Args:
            writing: The transaction.
            held: How many of the sink's exports the sender has in hand.
            terms: On what terms.
        """
        taken: list[Claim] = []
        if halted(writing.connection, self._sink):
            self._turn.clear()
            return taken
        if not self._turn and (not held or time.monotonic() - self._looked > _LOOK_AGAIN):
            self._turn.extend(rings_waiting(writing.connection, self._sink))
            self._looked = time.monotonic()
        while self._turn and held + len(taken) < self._most:
            one = claim(writing, self._sink, self._turn.popleft(), terms)
            if one is not None:
                taken.append(one)
        return taken
