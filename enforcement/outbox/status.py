"""How each sink stands: what waits, what is stuck, since when."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ringfence.enforcement.casebook.database import read_stamp
from ringfence.enforcement.outbox.lease import halted, next_up, rings_waiting


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """How one sink stands."""

    sink: str
    waiting: int
    due: int
    """Of those, how many may go now: at most one of each ring."""
    dead: int
    """Given up, or refused by the other side; a person must look."""
    delivered: int
    withdrawn: int
    oldest_seconds: float | None
    """Age of the oldest event that waits; None where none does."""
    halted: str | None
    """What the other side said when it wanted nothing any more."""
    last_error: str | None
    """Why the latest export that is not delivered failed last."""

    def as_json(self) -> dict[str, Any]:
        """Return the status as plain JSON values."""
        return asdict(self)


def status(
    connection: sqlite3.Connection, now: datetime, longest_wait: float, sinks: Iterable[str] = ()
) -> list[SinkStatus]:
    """Return how each sink stands that the outbox knows, or that is named, by name.

    Args:
        connection: To the casebook.
        now: The time.
        longest_wait: The longest backoff, seconds.
        sinks: Names of the sinks file.
    """
    counts: dict[str, dict[str, int]] = {name: {} for name in sinks}
    for row in connection.execute("SELECT sink, status, count(*) AS n FROM exports GROUP BY sink, status"):
        counts.setdefault(row["sink"], {})[row["status"]] = row["n"]
    return [
        SinkStatus(
            sink=name,
            waiting=count.get("waiting", 0),
            due=_due(connection, name, now.timestamp(), longest_wait),
            dead=count.get("dead", 0),
            delivered=count.get("delivered", 0),
            withdrawn=count.get("withdrawn", 0),
            oldest_seconds=_oldest(connection, name, now),
            halted=_one(connection, "SELECT reason FROM halts WHERE sink = ?", name),
            last_error=_one(
                connection,
                "SELECT last_error FROM exports WHERE sink = ? AND status IN ('waiting', 'dead') "
                "AND last_error IS NOT NULL ORDER BY number DESC LIMIT 1",
                name,
            ),
        )
        for name, count in sorted(counts.items())
    ]


def _due(connection: sqlite3.Connection, sink: str, now: float, longest_wait: float) -> int:
    rings = [] if halted(connection, sink) else rings_waiting(connection, sink)
    return sum(next_up(connection, sink, ring, now, longest_wait) is not None for ring in rings)


def _oldest(connection: sqlite3.Connection, sink: str, now: datetime) -> float | None:
    since = _one(
        connection,
        "SELECT min(occurred_at) FROM exports JOIN events USING (event_id) "
        "WHERE sink = ? AND status = 'waiting'",
        sink,
    )
    return None if since is None else max(0.0, (now - read_stamp(since)).total_seconds())


def _one(connection: sqlite3.Connection, query: str, sink: str) -> str | None:
    row = connection.execute(query, (sink,)).fetchone()
    return None if row is None else row[0]
