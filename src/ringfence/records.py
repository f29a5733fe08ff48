"""The records that stages hand to each other and to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Family(StrEnum):
    """Evidence family: links of one family share a way of being wrong, links of two do not."""

    NETWORK = "network"
    PAYMENT = "payment"
    DEVICE = "device"
    CONTENT = "content"
    TIMING = "timing"
    LIFECYCLE = "lifecycle"


class Decision(StrEnum):
    """What a run says of a community."""

    RING = "ring"
    REVIEW = "review"
    BENIGN = "benign"


class Role(StrEnum):
    """What an account is within its ring; a bystander is never enforced."""

    CORE = "core"
    MEMBER = "member"
    BYSTANDER = "bystander"


class Action(StrEnum):
    """What enforcement is asked to do, mildest first; a run asks for nothing that cannot be undone."""

    NONE = "none"
    REVIEW = "review"
    MONITOR = "monitor"
    RATE_LIMIT = "rate-limit"
    STEP_UP = "step-up"
    SUSPEND = "suspend"
    BAN = "ban"

    @property
    def severity(self) -> int:
        """Its place among all actions, the mildest being 0."""
        return list(Action).index(self)


@dataclass(frozen=True, slots=True)
class Member:
    """An account within a ring."""

    account_id: str
    score: float
    """Probability that the account belongs to a ring where calibrated, else its evidence score in 0..1."""
    role: Role
    end_users: tuple[str, ...] = ()
    """Of an account with many, those whose own doings link it to the ring; nobody else is named."""

    def as_json(self) -> dict[str, Any]:
        """Return the member as plain JSON values; end users only where there are some."""
        row = _values(self)
        if not self.end_users:
            del row["end_users"]
        return row


@dataclass(frozen=True, slots=True)
class Replacement:
    """A member that was banned, and the one that took its place."""

    banned: str
    replacement: str
    days: float
    """From the ban to the replacement's start."""
    confidence: float
    """How sure one can be that it is this one, 0..1: low where others started at the time, too."""


@dataclass(frozen=True, slots=True)
class DoubleMember:
    """A member that is linked with the accounts of another flagged ring, too."""

    account_id: str
    ring_id: str
    """The other ring."""
    share: float
    """Share of the weight of its links that those into the other ring have, 0..1."""


class Turn(StrEnum):
    """What happens to a ring in the course of time."""

    BORN = "born"
    GREW = "grew"
    SHRANK = "shrank"
    MERGED = "merged"
    SPLIT = "split"
    REGROWN = "regrown"
    """Most members were banned, and others took their places."""
    DORMANT = "dormant"
    REBORN = "reborn"
    """Active again after it was dormant."""


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One turn in a ring's life."""

    turn: Turn
    at: datetime | None
    """None where the logs do not tell."""
    accounts: int
    """How many were there at first, came, went, were shared, took places, fell silent or came back."""
    other: str | None = None
    """The ring it merged with, or split from."""

    def as_json(self) -> dict[str, Any]:
        """Return the event as plain JSON values."""
        return {**_values(self), "at": iso_time(self.at)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> LifeEvent:
        """Return the event that :meth:`as_json` wrote."""
        return cls(**{**row, "turn": Turn(row["turn"]), "at": read_iso_time(row["at"])})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one family says about a ring."""

    family: Family
    statement: str
    """One sentence a person can check."""
    weight: float
    """Mean log-odds (nats) that this family adds to a pair of the ring's accounts."""
    coverage: float
    """Share of members with at least one link of this family inside the ring, 0..1."""
    entities: tuple[str, ...]
    """The strongest shared entities, as ``type:id``, at most ten."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A community and what was decided about it: one line of ``rings.jsonl``."""

    ring_id: str
    probability: float | None
    """Calibrated probability of a ring; None while there is no calibration."""
    decision: Decision
    size: int
    first_seen: datetime | None
    last_seen: datetime | None
    evidence_score: float
    """Sum over families of weight × coverage, in nats: what ranks rings where nothing is calibrated."""
    members: tuple[Member, ...]
    evidence: tuple[Evidence, ...]
    tactics: tuple[str, ...]
    recommended_action: Action
    replacements: tuple[Replacement, ...] = ()
    """Banned members with the members that took their places, by the banned one's id."""
    history: tuple[LifeEvent, ...] = ()
    """Its life, the first event first."""
    parts: tuple[tuple[str, ...], ...] = ()
    """Sub-networks that little joins, the largest first, each by account id; none where it is one network."""
    also_in: tuple[DoubleMember, ...] = ()
    """Members that serve another ring, too, by account id."""

    @property
    def flagged(self) -> bool:
        """Whether it is called a ring or asks for a look; a benign community's members carry no ring id."""
        return self.decision is not Decision.BENIGN

    def as_json(self) -> dict[str, Any]:
        """Return the ring as plain JSON values; times in ISO 8601 with ``Z``.

        Of end users, replacements, history, parts and double members only those that have some are told: a
        run that was recorded before there were any keeps its digest.
        """
        row = _values(self)
        row["first_seen"] = iso_time(self.first_seen)
        row["last_seen"] = iso_time(self.last_seen)
        row["members"] = [member.as_json() for member in self.members]
        row["evidence"] = [_values(line) for line in self.evidence]
        row["replacements"] = [_values(one) for one in self.replacements]
        row["history"] = [event.as_json() for event in self.history]
        row["parts"] = [list(part) for part in self.parts]
        row["also_in"] = [_values(one) for one in self.also_in]
        for name in ("replacements", "history", "parts", "also_in"):
            if not row[name]:
                del row[name]
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Ring:
        """Return the ring that :meth:`as_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: the row is none of ours.
        """
        return cls(
            **{
                **row,
                "decision": Decision(row["decision"]),
                "first_seen": read_iso_time(row["first_seen"]),
                "last_seen": read_iso_time(row["last_seen"]),
                "members": tuple(_member(one) for one in row["members"]),
                "evidence": tuple(
                    Evidence(**{**one, "family": Family(one["family"]), "entities": tuple(one["entities"])})
                    for one in row["evidence"]
                ),
                "tactics": tuple(row["tactics"]),
                "recommended_action": Action(row["recommended_action"]),
                "replacements": tuple(Replacement(**one) for one in row.get("replacements", ())),
                "history": tuple(LifeEvent.from_json(one) for one in row.get("history", ())),
                "parts": tuple(tuple(part) for part in row.get("parts", ())),
                "also_in": tuple(DoubleMember(**one) for one in row.get("also_in", ())),
            }
        )


def _values(record: Any) -> dict[str, Any]:
    """Return a record's values by name, those that are records themselves as they are."""
    return {name: getattr(record, name) for name in record.__slots__}


def _member(row: Mapping[str, Any]) -> Member:
    return Member(**{**row, "role": Role(row["role"]), "end_users": tuple(row.get("end_users", ()))})


@dataclass(frozen=True, slots=True)
class FileAccount:
    """The balance of one input file feeding one table: rows_in = loaded + rejected + duplicates."""

    file: str
    table: str
    rows_in: int
    loaded: int
    rejected: int
    duplicates: int
    outside: int = 0
    """Further rows, which lie outside the window that is looked at; none where there is no window."""

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for."""
        return self.rows_in == self.loaded + self.rejected + self.duplicates


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refused row: where it stands and why, never what it says."""

    file: str
    table: str
    line: int | None
    """1-based line of a text file, 1-based row of a Parquet file; None where the whole file is refused."""
    column: str | None
    reason: str


def iso_time(when: datetime | None) -> str | None:
    """Return a UTC time as ISO 8601 with ``Z``."""
    return None if when is None else when.isoformat(timespec="seconds").replace("+00:00", "Z")


def read_iso_time(text: str | None) -> datetime | None:
    """Return the time that :func:`iso_time` wrote."""
    return None if text is None else datetime.fromisoformat(text)
