"""A ring that merged or split after something was sent: everyone who was told learns its new ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.enforcement.casebook.cases import case, ring_at
from ringfence.enforcement.casebook.content import unpacked
from ringfence.enforcement.casebook.database import Writing, read_stamp
from ringfence.enforcement.casebook.record import Recorded, raised
from ringfence.enforcement.events import Event, EventKind, Grounds, event_id
from ringfence.enforcement.outbox.queue import enqueue
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.records import Action


@dataclass(frozen=True, slots=True)
class Announced:
    """What went into the outbox about rings that go by other ids."""

    rings: tuple[str, ...] = ()
    """Rings whose new ids are told."""
    missed: tuple[str, ...] = ()
    """Sinks that had been told of one, and that the sinks file no longer has."""


def announce(writing: Writing, recorded: Recorded, sinks: Mapping[str, Sink]) -> Announced:
    """Tell of the rings that a run merged or split, in the transaction that records the run.

    Orders stand as they are; only the names change. A sink hears of a ring where an order or a reversal went
    there for it, or where it was told the ring's id as another one's new id.

    Args:
        writing: The transaction.
        recorded: What the run added.
        sinks: Name → where events go.
    """
    successors = _successors(recorded)
    if not successors:
        return Announced()
    told: list[str] = []
    missed: set[str] = set()
    heard_of = _heard_of(writing)
    for ring_id, names in sorted(successors.items()):
        to = _sent(writing, ring_id) | heard_of.get(ring_id, set())
        missed |= to - sinks.keys()
        reachable = [sinks[name] for name in sorted(to & sinks.keys())]
        if reachable:
            enqueue(writing, _event(writing, ring_id, names), reachable)
            told.append(ring_id)
    if missed:
        writing.audit("superseding untold", sinks=sorted(missed))
    return Announced(tuple(told), tuple(sorted(missed)))


def _successors(recorded: Recorded) -> dict[str, tuple[str, ...]]:
    """Return ring → the ids that it goes by from now on.

    One that split goes on under its own id as well: what is left of it was recognised, so it has not merged.
    """
    found = {old: [new] for old, new in recorded.merged}
    for new, old in recorded.split:
        found.setdefault(old, [old]).append(new)
    return {old: tuple(names) for old, names in found.items()}


def _sent(writing: Writing, ring_id: str) -> set[str]:
    """Return the sinks that got, may have got, or will get something for a ring."""
    rows = writing.execute(
        "SELECT DISTINCT sink FROM exports WHERE ring_id = ? "
        "AND (status <> 'withdrawn' OR attempts > 0 OR leased_until IS NOT NULL)",
        (ring_id,),
    )
    return {row["sink"] for row in rows}


def _heard_of(writing: Writing) -> dict[str, set[str]]:
    """Return ring → the sinks that know it as the new name of another."""
    found: dict[str, set[str]] = {}
    rows = writing.execute(
        "SELECT sink, content FROM exports JOIN events USING (event_id) WHERE kind = ?",
        (EventKind.SUPERSEDED,),
    )
    for row in rows:
        for name in unpacked(row["content"])["superseded_by"]:
            found.setdefault(name, set()).add(row["sink"])
    return found


def _event(writing: Writing, ring_id: str, names: tuple[str, ...]) -> Event:
    version = raised(writing, ring_id)
    return Event(
        event_id=event_id(ring_id, version, EventKind.SUPERSEDED, Action.NONE),
        kind=EventKind.SUPERSEDED,
        ring_id=ring_id,
        version=version,
        order_id=None,
        action=Action.NONE,
        reason="Later logs show this ring as part of another, or as several.",
        decided_by=(writing.by,),
        occurred_at=writing.now,
        expires_at=None,
        accounts=(),
        reverses=None,
        superseded_by=names,
        grounds=Grounds.of(ring_at(writing.connection, ring_id)),
        ring_opened_at=read_stamp(case(writing.connection, ring_id).opened_at),
    )
