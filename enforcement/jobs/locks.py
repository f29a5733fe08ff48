"""Locks with an owner: who works on something, since when, and until when without another sign of life."""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.enforcement.casebook.database import Writing, read_stamp, stamp


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a lock."""

    name: str
    """What is locked."""
    token: str
    """Names this holding and no other."""
    host: str
    pid: int
    started_at: datetime
    leased_until: datetime
    """Renewed while the owner lives; another machine may take the lock over from then on."""

    def __str__(self) -> str:
        since = self.started_at.isoformat(sep=" ", timespec="seconds")
        until = self.leased_until.isoformat(sep=" ", timespec="seconds")
        return f"process {self.pid} on {self.host} since {since}, lease until {until}"


def take(writing: Writing, name: str, lease: timedelta) -> Owner | None:
    """Take a lock; return None where a process of another machine has it.

    Whoever calls this is sure that no other living process **of this machine** has it: that is for a lock of
    the system to say, which ends with its holder. What this machine has left behind is taken over at once,
    what another one has when its lease is over.
    """
    found = owner_of(writing.connection, name)
    here = socket.gethostname()
    if found is not None and found.host != here and found.leased_until > writing.now:
        return None
    mine = Owner(name, secrets.token_hex(8), here, os.getpid(), writing.now, writing.now + lease)
    writing.execute(
        "INSERT OR REPLACE INTO locks VALUES (?, ?, ?, ?, ?, ?)",
        (name, mine.token, mine.host, mine.pid, stamp(mine.started_at), stamp(mine.leased_until)),
    )
    if found is not None:
        writing.audit("lock taken over", lock=name, from_host=found.host, from_pid=found.pid)
    return mine


def renew(writing: Writing, owner: Owner, lease: timedelta) -> bool:
    """Give a sign of life; return whether the lock is still the owner's."""
    renewed = writing.execute(
        "UPDATE locks SET leased_until = ? WHERE name = ? AND token = ?",
        (stamp(writing.now + lease), owner.name, owner.token),
    )
    return renewed.rowcount == 1


def holds(writing: Writing, owner: Owner) -> bool:
    """Return whether the lock is the owner's within the transaction, so that nobody takes it meanwhile."""
    found = owner_of(writing.connection, owner.name)
    return found is not None and found.token == owner.token


def release(writing: Writing, owner: Owner) -> None:
    """Let go of a lock; one that another has by now stays with that one."""
    writing.execute("DELETE FROM locks WHERE name = ? AND token = ?", (owner.name, owner.token))


def owner_of(connection: sqlite3.Connection, name: str) -> Owner | None:
    """Return who has a lock, or had it and died."""
    row = connection.execute("SELECT * FROM locks WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    times = {column: read_stamp(row[column]) for column in ("started_at", "leased_until")}
    return Owner(**{**dict(row), **times})
