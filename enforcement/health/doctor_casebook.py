"""What a person would look at first in a casebook; nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from ringfence.enforcement.casebook.database import read_stamp, stamp
from ringfence.enforcement.exhibits.records import ExhibitState, sealed
from ringfence.enforcement.health.checks import Check, Finding
from ringfence.enforcement.policy.brake import tripped

OTHERS = 0o077
"""Rights of everybody but the owner."""

_SKEW = timedelta(minutes=1)
_NEWEST = (
    "SELECT max(at) FROM (SELECT max(recorded_at) AS at FROM runs "
    "UNION ALL SELECT max(ordered_at) FROM orders UNION ALL SELECT max(occurred_at) FROM events "
    "UNION ALL SELECT max(at) FROM verdicts)"
)


def check_casebook(path: Path, now: datetime) -> Iterator[Check]:
    """Look at a casebook: whether it is whole and current, and whether something in it is stuck.

    Args:
        path: The file.
        now: The time, as this machine tells it.
    """
    if not path.is_file():
        yield Check(
            "casebook", Finding.WARN, f"{path} is not there", "Record a run: `ringfence rings record`."
        )
        return
    try:
        with _read_only(path) as connection:
            damage = connection.execute("PRAGMA integrity_check(3)").fetchall()
            if damage[0][0] != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
                said = (
                    "; ".join(row[0] for row in damage if row[0] != "ok")
                    or "rows refer to rows that are gone"
                )
                yield Check("casebook", Finding.FAIL, f"damaged: {said}", "Restore a copy; keep this one.")
                return
            mode = "" if not path.stat().st_mode & OTHERS else f"chmod 600 {path}"
            yield Check("casebook", Finding.WARN if mode else Finding.OK, f"{path}, whole", mode)
            version = _version(connection)
            yield version
            if version.finding is Finding.OK:
                yield from (look(connection, now) for look in _LOOKS)
    except sqlite3.Error as error:
        advice = "Restore a copy; keep this one."
        if error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            # A log beside the file must be written even to read it.
            advice = f"Run it as whoever owns {path.parent}, who may write there."
        yield Check("casebook", Finding.FAIL, f"{path} cannot be read: {error}", advice)


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that changes nothing, not even the tables of an older version."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def _version(connection: sqlite3.Connection) -> Check:
    folder = files("ringfence.enforcement.casebook.migrations")
    known = sum(step.name.endswith(".sql") for step in folder.iterdir())
    there = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if there > known:
        said = f"schema {there}, and this version knows {known}"
        return Check("schema", Finding.FAIL, said, "Update Ringfence.")
    if there < known:
        return Check(
            "schema", Finding.WARN, f"schema {there} of {known}", "The next command brings it up to date."
        )
    return Check("schema", Finding.OK, f"schema {there}")


def _clock(connection: sqlite3.Connection, now: datetime) -> Check:
    newest = connection.execute(_NEWEST).fetchone()[0]
    if newest is not None and read_stamp(newest) > now + _SKEW:
        said = f"it is {stamp(now)} here, and the casebook has something of {newest}"
        return Check("clock", Finding.FAIL, said, "Set the clock: holds, exhibits and leases end by it.")
    return Check("clock", Finding.OK, stamp(now))


def _leases(connection: sqlite3.Connection, now: datetime) -> Check:
    late = connection.execute(
        "SELECT count(*) FROM exports WHERE status = 'waiting' AND leased_until < ?", (now.timestamp(),)
    ).fetchone()[0]
    stale = connection.execute(
        "SELECT name, pid, host, leased_until FROM locks WHERE leased_until < ?", (stamp(now),)
    ).fetchall()
    said = [f"lock {row['name']} of process {row['pid']} on {row['host']}" for row in stale]
    if late:
        said.append(f"{late} events in the hand of a sender that has died")
    if said:
        return Check("leases", Finding.WARN, "; ".join(said), "They ran out; whoever comes next takes over.")
    return Check("leases", Finding.OK, "none has run out")


def _letters(connection: sqlite3.Connection, _now: datetime) -> Check:
    dead = connection.execute("SELECT count(*) FROM exports WHERE status = 'dead'").fetchone()[0]
    halted = [row["sink"] for row in connection.execute("SELECT sink FROM halts ORDER BY sink")]
    said = [f"{dead} dead letters"] if dead else []
    said += [f"{name} wants nothing any more" for name in halted]
    if said:
        return Check(
            "outbox", Finding.WARN, "; ".join(said), "`ringfence outbox status`, then `outbox retry`."
        )
    return Check("outbox", Finding.OK, "no dead letter")


def _brake(connection: sqlite3.Connection, _now: datetime) -> Check:
    on = tripped(connection)
    if on is None:
        return Check("brake", Finding.OK, "off")
    return Check(
        "brake",
        Finding.WARN,
        f"on since {on.at}",
        "See why, then `ringfence enforce brake --release --reason …`.",
    )


def _exhibits(connection: sqlite3.Connection, now: datetime) -> Check:
    over = sum(one.state is ExhibitState.EXPIRED for one in sealed(connection, now))
    if over:
        return Check("exhibits", Finding.WARN, f"{over} are past their end", "`ringfence exhibits expire`")
    return Check("exhibits", Finding.OK, "none is past its end")


_LOOKS: tuple[Callable[[sqlite3.Connection, datetime], Check], ...] = (
    _clock,
    _leases,
    _letters,
    _brake,
    _exhibits,
)
