"""Whether prompts may be sealed at all. They may not, until a person says so and why."""

from __future__ import annotations

import sqlite3

from ringfence.enforcement.casebook.database import Writing
from ringfence.errors import NotAllowedError


def enabled(connection: sqlite3.Connection) -> bool:
    """Whether exhibits may be sealed."""
    row = connection.execute("SELECT enabled FROM exhibit_switch ORDER BY number DESC LIMIT 1").fetchone()
    return row is not None and bool(row["enabled"])


def switch(writing: Writing, reason: str, *, on: bool) -> bool:
    """Allow or forbid sealing; return whether that changed anything.

    What is sealed already stays, and can be unlocked, until it expires.

    Raises:
        NotAllowedError: there is no reason.
    """
    if not reason.strip():
        raise NotAllowedError("Sealing prompts, or no longer doing so, needs a reason.")
    if enabled(writing.connection) is on:
        return False
    writing.execute(
        "INSERT INTO exhibit_switch (enabled, reason, by, at) VALUES (?, ?, ?, ?)",
        (int(on), reason.strip(), writing.by, writing.stamp),
    )
    writing.audit("exhibits enabled" if on else "exhibits disabled", reason=reason.strip())
    return True


def check_enabled(connection: sqlite3.Connection) -> None:
    """Refuse to seal where nobody has allowed it.

    Raises:
        NotAllowedError: nobody has, or not any more.
    """
    if not enabled(connection):
        raise NotAllowedError(
            "Exhibits are off: no prompt is kept, not even sealed. "
            "`ringfence exhibits enable --reason …` allows it."
        )
