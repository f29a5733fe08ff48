"""The life of a ring: which state may follow which, and what people may decide."""

from __future__ import annotations

from enum import StrEnum

from ringfence.errors import NotAllowedError


class State(StrEnum):
    """Where a ring stands."""

    NEW = "new"
    IN_REVIEW = "in review"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WATCH = "watch"
    ENFORCED = "enforced"
    REVERSED = "reversed"


class Verdict(StrEnum):
    """A person's decision on a ring or an account."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WATCH = "watch"


FOLLOWS: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.IN_REVIEW, State.CONFIRMED, State.REJECTED, State.WATCH}),
    State.IN_REVIEW: frozenset({State.CONFIRMED, State.REJECTED, State.WATCH}),
    State.CONFIRMED: frozenset({State.IN_REVIEW, State.REJECTED, State.WATCH, State.ENFORCED}),
    State.REJECTED: frozenset({State.IN_REVIEW}),
    State.WATCH: frozenset({State.IN_REVIEW, State.CONFIRMED, State.REJECTED}),
    State.ENFORCED: frozenset({State.REVERSED}),
    State.REVERSED: frozenset({State.IN_REVIEW}),
}
"""State → the states that may follow it. Runs change none: they add versions."""

_WAYS = {
    State.REJECTED: "Take it up again first: `ringfence rings assign`.",
    State.ENFORCED: "Reverse what was ordered first: `ringfence enforce reverse`.",
    State.REVERSED: "Take it up again first: `ringfence rings assign`.",
}


def check_step(ring_id: str, state: State, to: State) -> None:
    """Refuse a step that the ring's life does not have.

    Raises:
        NotAllowedError: it has none from ``state`` to ``to``.
    """
    if to not in FOLLOWS[state]:
        way = _WAYS.get(state, "")
        raise NotAllowedError(f"{ring_id} is {state}; it cannot become {to}. {way}".rstrip())
