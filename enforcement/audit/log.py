"""The audit log's entries: canonical JSON, each a leaf of the tree."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.enforcement.audit.merkle import leaf_hash
from ringfence.files import parse_json


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log."""

    place: int
    """From 0."""
    text: bytes
    """Canonical JSON: what is hashed."""

    @property
    def leaf(self) -> bytes:
        """Its hash, drawn from the text and from nothing else."""
        return leaf_hash(self.text)

    @property
    def content(self) -> dict[str, Any]:
        """What it says: ``at``, ``by``, ``what``, ``ring_id`` and details.

        Raises:
            ValueError: it is no JSON object.
        """
        told = parse_json(self.text)
        if not isinstance(told, dict):
            raise ValueError("An entry is a JSON object.")
        return told


def canonical(entry: Mapping[str, Any]) -> bytes:
    """Return the one spelling of an entry.

    Raises:
        ValueError: it holds a number that JSON cannot tell.
    """
    return json.dumps(
        entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def append(connection: sqlite3.Connection, entry: Mapping[str, Any]) -> int:
    """Add an entry within the transaction under way; return its place, from 0."""
    text = canonical(entry)
    place = length(connection)
    connection.execute("INSERT INTO audit VALUES (?, ?, ?)", (place, text, leaf_hash(text)))
    return place


def length(connection: sqlite3.Connection) -> int:
    """Return how many entries there are, as the last one's place says."""
    return int(connection.execute("SELECT coalesce(max(place) + 1, 0) FROM audit").fetchone()[0])


def entries(connection: sqlite3.Connection, start: int = 0, end: int | None = None) -> Iterator[Entry]:
    """Yield the entries of places ``start`` to ``end``, or all that follow, in order."""
    rows = connection.execute(
        "SELECT place, entry FROM audit WHERE place >= ? AND place < ? ORDER BY place",
        (start, (1 << 62) if end is None else end),
    )
    return (Entry(place, bytes(text)) for place, text in rows)


def entries_about(
    connection: sqlite3.Connection,
    ring_id: str | None = None,
    *,
    since: str | None = None,
    what: str | None = None,
) -> Iterator[Entry]:
    """Yield the entries about a ring, from a time on (as the casebook writes it), or of a kind, in order."""
    rows = connection.execute(
        "SELECT place, entry FROM audit "
        "WHERE (:ring IS NULL OR json_extract(CAST(entry AS TEXT), '$.ring_id') = :ring) "
        "AND (:what IS NULL OR json_extract(CAST(entry AS TEXT), '$.what') = :what) "
        "AND (:since IS NULL OR json_extract(CAST(entry AS TEXT), '$.at') >= :since) ORDER BY place",
        {"ring": ring_id, "since": since, "what": what},
    )
    return (Entry(place, bytes(text)) for place, text in rows)
