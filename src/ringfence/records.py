"""The records that stages hand to each other and to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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

    @property
    def flagged(self) -> bool:
        """Whether it is called a ring or asks for a look; a benign community's members carry no ring id."""
        return self.decision is not Decision.BENIGN

    def as_json(self) -> dict[str, Any]:
        """Return the ring as plain JSON values; times in ISO 8601 with ``Z``."""
        row = asdict(self)
        row["first_seen"] = iso_time(self.first_seen)
        row["last_seen"] = iso_time(self.last_seen)
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
                "members": tuple(Member(**{**one, "role": Role(one["role"])}) for one in row["members"]),
                "evidence": tuple(
                    Evidence(**{**one, "family": Family(one["family"]), "entities": tuple(one["entities"])})
                    for one in row["evidence"]
                ),
                "tactics": tuple(row["tactics"]),
                "recommended_action": Action(row["recommended_action"]),
            }
        )


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
