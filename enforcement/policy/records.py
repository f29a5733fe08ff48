"""What a policy says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from ringfence.records import Action, Role


class Mode(StrEnum):
    """Whether orders leave the house."""

    LIVE = "live"
    SHADOW = "shadow"
    """Orders are recorded and sent nowhere."""


class Needs(StrEnum):
    """Who must agree before a tier's action goes out."""

    NOBODY = "nobody"
    """The policy alone, for what a run calls a ring."""
    VERDICT = "verdict"
    """A person who confirmed the ring."""
    TWO_PERSONS = "two persons"
    """That, and another person who approves the order."""


UNATTENDED = (Action.MONITOR, Action.RATE_LIMIT, Action.STEP_UP)
"""What may be done before a person has looked: nobody is locked out by it."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What is done to a member that meets all of its conditions; the first tier that fits decides."""

    action: Action
    needs: Needs
    least_probability: float
    """The ring's calibrated probability from which it holds; above 0, nothing uncalibrated fits."""
    least_score: float
    """The same for the account's own score."""
    roles: tuple[Role, ...] = (Role.CORE, Role.MEMBER)
    least_families: int = 2
    """Families of evidence that link at least half of the ring."""
    least_size: int = 0
    """The ring's reach: its members without bystanders."""
    expires: timedelta | None = None
    """How long it holds; None: until it is undone."""


@dataclass(frozen=True, slots=True)
class Allow:
    """Accounts that are never enforced, as long as somebody stands for them."""

    kind: str
    """``account``, ``org`` or ``email_domain``."""
    value: str
    who: str
    """Such as ``licensed partner`` or ``own test account``."""
    reason: str
    owner: str
    """The person who answers for the entry."""
    expires: date
    """The last day, in UTC, that it holds."""

    def holds(self, now: datetime) -> bool:
        """Return whether the entry has not expired."""
        return now.date() <= self.expires


ALLOW_KINDS = ("account", "org", "email_domain")


@dataclass(frozen=True, slots=True)
class BrakeSettings:
    """When automatic orders are halted."""

    factor: float = 3.0
    """Trips where the flagged share is above the median times this, or below the median over it."""
    least_runs: int = 5
    """Runs before it from which a run is judged."""
    window: int = 14
    """The runs before it that the median is taken of."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file, read and checked."""

    mode: Mode
    tiers: tuple[Tier, ...]
    """The first that fits a member decides."""
    allow: tuple[Allow, ...] = ()
    brake: BrakeSettings = BrakeSettings()
