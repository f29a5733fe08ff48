"""What enforcement systems are told: an event for each order, reversal, and ring that became another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from ringfence.records import Action, Decision, Family, Ring, Role, iso_time, read_iso_time


class EventKind(StrEnum):
    """What happened; also the type that receivers see."""

    ENFORCED = "ring.enforced"
    """Do ``action`` to the accounts, until ``expires_at`` where that is given."""
    REVERSED = "ring.reversed"
    """Undo what the event ``reverses`` asked for, for these accounts."""
    SUPERSEDED = "ring.superseded"
    """The ring goes by other ids from now on; orders stand as they are."""


@dataclass(frozen=True, slots=True)
class Target:
    """An account that an event is about."""

    account_id: str
    role: Role
    score: float
    """As the run scored it, 0..1."""
    under: Action = Action.NONE
    """The harshest order that stays on it when another is undone."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why: what the latest run said of the ring."""

    decision: Decision
    probability: float | None
    size: int
    families: tuple[Family, ...]
    statements: tuple[str, ...]
    """A sentence for each line of evidence, the strongest first."""
    entities: tuple[str, ...]
    """The strongest shared entities, as ``type:id``."""
    tactics: tuple[str, ...]
    first_seen: datetime | None
    last_seen: datetime | None

    @classmethod
    def of(cls, ring: Ring) -> Grounds:
        """Return the grounds that a ring gives."""
        return cls(
            decision=ring.decision,
            probability=ring.probability,
            size=ring.size,
            families=tuple(dict.fromkeys(line.family for line in ring.evidence)),
            statements=tuple(line.statement for line in ring.evidence),
            entities=tuple(dict.fromkeys(one for line in ring.evidence for one in line.entities)),
            tactics=ring.tactics,
            first_seen=ring.first_seen,
            last_seen=ring.last_seen,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that enforcement systems are told."""

    event_id: str
    kind: EventKind
    ring_id: str
    version: int
    """Of the ring, with this event; rises from event to event of one ring."""
    order_id: str | None
    action: Action
    """What is asked for, or what is undone; ``none`` where a ring was superseded."""
    reason: str
    decided_by: tuple[str, ...]
    """Who ordered it, and who approved."""
    occurred_at: datetime
    expires_at: datetime | None
    accounts: tuple[Target, ...]
    reverses: str | None
    """Event that a reversal undoes."""
    superseded_by: tuple[str, ...]
    """Ring ids that the ring goes by from now on."""
    grounds: Grounds
    ring_opened_at: datetime | None = None
    """When the casebook first had the ring: the same in all events of a ring."""
    reverses_at: datetime | None = None
    """When the event happened that a reversal undoes."""
    reverses_all: bool = False
    """Whether nothing of what that event asked for stands any more."""

    def as_json(self) -> dict[str, Any]:
        """Return the event as plain JSON values; times in ISO 8601 with ``Z``."""
        row = asdict(self)
        for name in ("occurred_at", "expires_at", "ring_opened_at", "reverses_at"):
            row[name] = iso_time(getattr(self, name))
        for name in ("first_seen", "last_seen"):
            row["grounds"][name] = iso_time(getattr(self.grounds, name))
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Event:
        """Return the event that :meth:`as_json` wrote."""
        grounds = row["grounds"]
        return cls(
            **{
                **row,
                "kind": EventKind(row["kind"]),
                "action": Action(row["action"]),
                "decided_by": tuple(row["decided_by"]),
                "occurred_at": datetime.fromisoformat(row["occurred_at"]),
                "expires_at": read_iso_time(row["expires_at"]),
                "ring_opened_at": read_iso_time(row.get("ring_opened_at")),
                "reverses_at": read_iso_time(row.get("reverses_at")),
                "accounts": tuple(
                    Target(**{**one, "role": Role(one["role"]), "under": Action(one.get("under", "none"))})
                    for one in row["accounts"]
                ),
                "superseded_by": tuple(row["superseded_by"]),
                "grounds": Grounds(
                    **{
                        **grounds,
                        "decision": Decision(grounds["decision"]),
                        "families": tuple(Family(one) for one in grounds["families"]),
                        "statements": tuple(grounds["statements"]),
                        "entities": tuple(grounds["entities"]),
                        "tactics": tuple(grounds["tactics"]),
                        "first_seen": read_iso_time(grounds["first_seen"]),
                        "last_seen": read_iso_time(grounds["last_seen"]),
                    }
                ),
            }
        )


def event_id(ring_id: str, version: int, kind: EventKind, action: Action) -> str:
    """Return an event's id: the same for the same ring, version, kind and action."""
    return f"evt_{_digest(ring_id, version, kind, action)[:32]}"


def idempotency_key(event: Event, sink: str) -> str:
    """Return the key of an export: a hash of ring, version, action and sink. Every attempt carries it."""
    return f"key_{_digest(event.ring_id, event.version, event.kind, event.action, sink)[:32]}"


def _digest(*parts: object) -> str:
    return sha256("\0".join(map(str, parts)).encode()).hexdigest()
