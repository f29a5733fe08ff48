"""Rings as the casebook knows them: reading them, and finding them by what a person has at hand."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from ringfence.enforcement.casebook.content import unpacked
from ringfence.enforcement.casebook.life import State
from ringfence.errors import StaleVersionError, UnknownCaseError, near_names
from ringfence.records import Decision, Ring


@dataclass(frozen=True, slots=True)
class Case:
    """A ring of the casebook, as lists show it."""

    ring_id: str
    state: State
    version: int
    """Counts every change: what runs say, and what people decide."""
    assignee: str | None
    decision: Decision
    """The latest run's."""
    probability: float | None
    size: int
    opened_at: str
    changed_at: str
    last_run: str
    succeeded_by: str | None
    """The ring it has merged into."""

    def as_json(self) -> dict[str, Any]:
        """Return the case as plain JSON values."""
        return asdict(self)


def case(connection: sqlite3.Connection, ring_id: str) -> Case:
    """Return a ring of the casebook.

    Raises:
        UnknownCaseError: there is none of that id.
    """
    row = connection.execute("SELECT * FROM rings WHERE ring_id = ?", (ring_id,)).fetchone()
    if row is None:
        known = [row["ring_id"] for row in connection.execute("SELECT ring_id FROM rings")]
        raise UnknownCaseError(
            f"The casebook knows no ring {ring_id!r}.{near_names(ring_id, known)} "
            "`ringfence rings list` shows them."
        )
    return _case(row)


def case_at(connection: sqlite3.Connection, ring_id: str, version: int | None) -> Case:
    """Return a ring that is to be changed, at the version that the change was decided on.

    Raises:
        UnknownCaseError: there is none of that id.
        StaleVersionError: it has another version by now.
    """
    found = case(connection, ring_id)
    if version is not None and version != found.version:
        raise StaleVersionError(
            f"{ring_id} is at version {found.version}, not {version}: something was decided or found since. "
            f"Read `ringfence rings diff {ring_id} --since {version}`, then decide again."
        )
    return found


def cases(
    connection: sqlite3.Connection, states: tuple[State, ...] = (), *, merged: bool = False
) -> list[Case]:
    """Return the rings in the given states (all where none is given), those to be looked at first first.

    Args:
        connection: To the casebook.
        states: Which to return.
        merged: Whether to return those, too, that have merged into others.
    """
    rows = connection.execute(
        "SELECT * FROM rings WHERE (:merged OR succeeded_by IS NULL) "
        "ORDER BY CASE decision WHEN 'ring' THEN 0 WHEN 'review' THEN 1 ELSE 2 END, "
        "probability DESC, size DESC, ring_id",
        {"merged": merged},
    )
    return [found for found in map(_case, rows) if not states or found.state in states]


def ring_at(connection: sqlite3.Connection, ring_id: str, version: int | None = None) -> Ring:
    """Return what runs said of a ring: the latest, or what stood at a version.

    Raises:
        UnknownCaseError: there is no such ring, or no such version.
    """
    if version is not None and version > (latest := case(connection, ring_id).version):
        raise UnknownCaseError(f"{ring_id} has no version {version} yet; it is at {latest}.")
    row = connection.execute(
        "SELECT content FROM versions WHERE ring_id = ? AND version <= ? ORDER BY version DESC LIMIT 1",
        (ring_id, (1 << 62) if version is None else version),
    ).fetchone()
    if row is None:
        case(connection, ring_id)
        raise UnknownCaseError(f"{ring_id} had no version {version}.")
    return Ring.from_json(unpacked(row["content"]))


def successor(connection: sqlite3.Connection, ring_id: str) -> str:
    """Return the ring that a ring goes by now: itself, or the last one it has merged into.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
    """
    found = case(connection, ring_id)
    return ring_id if found.succeeded_by is None else successor(connection, found.succeeded_by)


def _case(row: sqlite3.Row) -> Case:
    values = dict(row)
    return Case(**{**values, "state": State(values["state"]), "decision": Decision(values["decision"])})
