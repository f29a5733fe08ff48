"""What happened to a ring: what runs said, what people decided, and what changed between versions."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from ringfence.enforcement.casebook.cases import case, ring_at
from ringfence.errors import UnknownCaseError
from ringfence.records import Decision, Family, Ring, Role


@dataclass(frozen=True, slots=True)
class GivenVerdict:
    """A verdict that was given."""

    verdict_id: int
    account_id: str | None
    """None where it is on the ring as a whole."""
    version: int
    """The version that was decided on."""
    verdict: str
    reason: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote down."""

    text: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Telling:
    """A version that a run made: what it said was new."""

    version: int
    run_id: str
    at: str


@dataclass(frozen=True, slots=True)
class Ancestry:
    """One line of a ring's lineage."""

    version: int
    event: str
    other_id: str | None
    accounts: int
    at: str

    @property
    def sentence(self) -> str:
        """The line in words."""
        many = f"{self.accounts:,} account" + ("" if self.accounts == 1 else "s")
        words = {
            "born": f"first seen, with {many}",
            "split": f"split from {self.other_id}, with {many}",
            "merged": f"merged with {self.other_id}, {many} in both",
            "seen again": f"seen again, with {many} of those known",
            "grew": f"grew by {many}",
            "shrank": f"shrank by {many}",
        }
        return f"{words[self.event]}, on {self.at[:10]}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a ring from one version to another."""

    ring_id: str
    since: int
    to: int
    came: tuple[str, ...]
    went: tuple[str, ...]
    roles: tuple[tuple[str, Role, Role], ...]
    """Accounts whose role changed: before, after."""
    decision: tuple[Decision, Decision]
    probability: tuple[float | None, float | None]
    families_come: tuple[Family, ...]
    families_gone: tuple[Family, ...]
    verdicts: tuple[GivenVerdict, ...]
    """Given since."""

    def as_json(self) -> dict[str, Any]:
        """Return the changes as plain JSON values."""
        return asdict(self)


def verdicts(connection: sqlite3.Connection, ring_id: str) -> list[GivenVerdict]:
    """Return the verdicts on a ring and on its accounts, the first first."""
    rows = connection.execute(
        "SELECT verdict_id, account_id, version, verdict, reason, by, at FROM verdicts "
        "WHERE ring_id = ? ORDER BY verdict_id",
        (ring_id,),
    )
    return [GivenVerdict(*row) for row in rows]


def notes(connection: sqlite3.Connection, ring_id: str) -> list[Note]:
    """Return the notes on a ring, the first first."""
    rows = connection.execute("SELECT text, by, at FROM notes WHERE ring_id = ? ORDER BY note_id", (ring_id,))
    return [Note(*row) for row in rows]


def tellings(connection: sqlite3.Connection, ring_id: str) -> list[Telling]:
    """Return the versions of a ring that runs made, the first first."""
    rows = connection.execute(
        "SELECT version, run_id, recorded_at FROM versions WHERE ring_id = ? ORDER BY version", (ring_id,)
    )
    return [Telling(*row) for row in rows]


def ancestry(connection: sqlite3.Connection, ring_id: str) -> list[Ancestry]:
    """Return the lineage of a ring, the first event first."""
    rows = connection.execute(
        "SELECT version, event, other_id, accounts, at FROM lineage WHERE ring_id = ? ORDER BY rowid",
        (ring_id,),
    )
    return [Ancestry(*row) for row in rows]


def seen_before(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the rings that more than one run told of, or that come from other rings."""
    rows = connection.execute("SELECT DISTINCT ring_id FROM lineage WHERE event <> 'born'")
    return frozenset(row["ring_id"] for row in rows)


def rings_of(connection: sqlite3.Connection, account_id: str) -> frozenset[str]:
    """Return the rings that an account is a member of."""
    rows = connection.execute("SELECT ring_id FROM members WHERE account_id = ?", (account_id,))
    return frozenset(row["ring_id"] for row in rows)


def changed_since_verdict(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the rings of which runs say something else than when they were last decided on as a whole."""
    rows = connection.execute(
        "SELECT given.ring_id FROM verdicts AS given WHERE verdict_id = "
        "(SELECT max(verdict_id) FROM verdicts WHERE ring_id = given.ring_id AND account_id IS NULL) "
        "AND EXISTS (SELECT 1 FROM versions WHERE ring_id = given.ring_id AND version > given.version)"
    )
    return frozenset(row["ring_id"] for row in rows)


def changes(connection: sqlite3.Connection, ring_id: str, since: int, to: int | None = None) -> Changes:
    """Return what changed from one version of a ring to another, the latest where none is given.

    Raises:
        UnknownCaseError: there is no such ring or version, or ``to`` comes before ``since``.
    """
    last = case(connection, ring_id).version if to is None else to
    if last < since:
        raise UnknownCaseError(f"Version {last} of {ring_id} comes before version {since}.")
    before, after = ring_at(connection, ring_id, since), ring_at(connection, ring_id, last)
    was, now = _roles(before), _roles(after)
    return Changes(
        ring_id=ring_id,
        since=since,
        to=last,
        came=tuple(sorted(now.keys() - was.keys())),
        went=tuple(sorted(was.keys() - now.keys())),
        roles=tuple((a, was[a], now[a]) for a in sorted(was.keys() & now.keys()) if was[a] is not now[a]),
        decision=(before.decision, after.decision),
        probability=(before.probability, after.probability),
        families_come=tuple(sorted(_families(after) - _families(before))),
        families_gone=tuple(sorted(_families(before) - _families(after))),
        verdicts=tuple(one for one in verdicts(connection, ring_id) if since <= one.version < last),
    )


def _roles(ring: Ring) -> dict[str, Role]:
    return {member.account_id: member.role for member in ring.members}


def _families(ring: Ring) -> set[Family]:
    return {line.family for line in ring.evidence}
