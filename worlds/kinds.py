"""What a group of accounts is made of: the same words describe rings and innocents.

A world differs from published ones in this: every account, guilty or not, draws its own habits (volume,
hours, addresses, devices, prompts) from one set of distributions. A kind of group only says what its
members have in common, and what they do together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

DAY = 86400.0
DAYS = 30
"""Length of the window that is logged."""
SPAN = DAYS * DAY

LIGHT, REGULAR, BUILDER, MACHINE = range(4)
"""Classes of habits: now and then, daily, a project, a program that never sleeps."""

Mix = tuple[float, float, float, float]
"""Shares of the four classes."""

ORDINARY: Mix = (0.62, 0.28, 0.08, 0.02)
BUSY: Mix = (0.2, 0.35, 0.33, 0.12)


class Rhythm(IntEnum):
    """When the members of a group work together."""

    OWN_HOURS = 0
    """Each when it likes."""
    SHIFTS = 1
    """In stretches of work whose load is balanced over the crew."""
    DEADLINE = 2
    """More the closer a date comes."""
    ON_THE_HOUR = 3
    """By a scheduler."""
    EVENT = 4
    """Within two days."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What members of a group have in common of one type of entity."""

    uses: float
    """Share of a member's uses of the type that go to what is shared, 0..1."""
    each: float = 0.0
    """Shared entities for each member of the group."""
    least: int = 1
    """The fewest of them."""
    cell: tuple[int, int] | None = None
    """Members share in handfuls of so many; None: all share the same."""
    keeps: int = 0
    """How many of the shared ones a member keeps to; 0: any of them at any time."""
    reach: float = 1.0
    """Share of the members who take part."""
    kind: str = ""
    """Kind of address; of a card: ``prepaid`` or any."""


@dataclass(frozen=True, slots=True)
class Together:
    """What members of a group send together, besides what each sends by itself."""

    share: float
    """Share of a member's requests."""
    templates: float = 0.0
    """Prompt templates for each member of the group; they have at least ``least_templates`` in all."""
    least_templates: int = 3
    own_templates: bool = False
    """Whether every member has templates of its own for it instead."""
    rhythm: Rhythm = Rhythm.OWN_HOURS
    crew: float = 1.0
    """Share of the members at work on a day."""
    tactics: bool = False
    """Whether its prompts ask for what distillers want."""
    pasted: str = ""
    """``assignment`` or ``starter``: a text that all members paste."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of group; one account alone is a group of one."""

    name: str
    size: tuple[int, int] = (1, 1)
    """Fewest and most members; sizes are log-uniform in between."""
    mix: Mix = ORDINARY
    volume: float = 1.0
    """Factor on the requests of its members."""
    ip: Shared | None = None
    device: Shared | None = None
    instrument: Shared | None = None
    together: Together | None = None
    network: bool = False
    """Whether its shared addresses are those of a proxy network, which serves others as well."""
    servers: float = 0.04
    """Share of a member's own addresses that are rented servers."""
    signup_days: float | None = None
    """Members sign up within so many days; None: at any time."""
    aged: bool = False
    """Whether accounts are older than the window."""
    framework: float = 0.08
    """Share of members whose requests carry the default system prompt of a popular framework."""
    organisation: float = 0.0
    """Share of groups that are an organisation, with an e-mail domain of its own."""
    prepaid: float = 0.12
    """Share of a member's own cards that are prepaid."""
    eager: float = 0.2
    """Share of members who move to a new model within a day."""
    public: float = 1.0
    """Factor on how much a member sends public prompts rather than its own."""
    end_users: int = 0
    """End users that a member serves under its own account."""
    banned: float = 0.008
    """Share of members banned within the window."""
    replaced: float = 0.0
    """Share of banned members who come back as a new account; others may be reinstated."""
    heavy: float = 0.0
    """Share of members who carry most of the work."""
    known: float = 0.02
    """Share of members that reviewers have labelled."""
    families: tuple[str, ...] = ()
    """Evidence families in which a ring shows; empty for innocents."""
