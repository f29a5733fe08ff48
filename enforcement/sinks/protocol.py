"""What a sink is: it turns an event into bytes once, and sends those bytes as often as it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from ringfence.enforcement.events import Event


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to hand an event to a sink."""

    key: str
    """Idempotency key: the same in every attempt; a receiver that has seen it does nothing again."""
    ring_id: str
    number: int
    """Place in the outbox: rises within a ring."""
    body: bytes
    """What :meth:`Sink.render` made, byte for byte, in every attempt."""
    occurred_at: datetime
    attempt: int
    """1 for the first."""


class Sink(Protocol):
    """A place that orders go to."""

    @property
    def name(self) -> str:
        """What the sinks file calls it."""

    @property
    def media_type(self) -> str:
        """Of the bytes that it sends."""

    def render(self, event: Event) -> bytes:
        """Return what is to be sent: the same bytes for the same event, on any machine, at any time."""

    def send(self, delivery: Delivery) -> str:
        """Hand the bytes over and return a receipt: what the other side, or the file system, said.

        Returning means that the other side has it for good. A second call with the same key changes nothing
        where the other side honours keys.

        Raises:
            TryAgainError: it did not work, or nobody knows whether it did.
            RefusedError: the other side will never take it; a person must look.
            GoneError: the other side wants nothing any more.
        """

    def close(self) -> None:
        """Let go of connections and files."""


@runtime_checkable
class SupportsThreads(Protocol):
    """A sink whose :meth:`Sink.send` may be called by several threads at once; others get one."""

    @property
    def most_at_once(self) -> int:
        """How many threads, from 1."""


class TryAgainError(Exception):
    """The other side did not take it, or nobody knows whether it did."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        """Say why, and after how many seconds the other side asks to be tried again, if it does."""
        super().__init__(reason)
        self.after = after


class RefusedError(Exception):
    """The other side will never take it."""


class GoneError(Exception):
    """The other side wants nothing any more; no event goes there until a person says so."""
