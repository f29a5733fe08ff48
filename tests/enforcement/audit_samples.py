"""A casebook in which much has happened, with checkpoints; and what somebody with the file could do to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from case_samples import accounts, confirmed, ring, targets_of

from ringfence.enforcement.audit.keeping import keep_checkpoint
from ringfence.enforcement.audit.merkle import leaf_hash
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import add_note, give_account_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.events import Event
from ringfence.enforcement.orders.place import approve, place, withdraw_order
from ringfence.enforcement.orders.records import Request
from ringfence.enforcement.orders.reverse import reverse
from ringfence.records import Action
from ringfence.state import StateFolder

SOAK = "RINGFENCE_SOAK" in os.environ


class Told:
    """A sink that turns events into a few bytes."""

    name, media_type = "here", "text/plain"

    def render(self, event: Event) -> bytes:
        return f"{event.kind} {len(event.accounts)}".encode()


SINKS = {"here": Told()}


def lively(state: StateFolder, copies: Path) -> None:
    """Fill a casebook: verdicts, orders of every status, a delivery; a checkpoint every few steps."""
    with Casebook.open(state.casebook) as book:
        found = confirmed(book, ring("R-1", accounts(9), ["by-1"]))
        sign(book, state, copies)
        with book.writing("ada") as writing:
            give_account_verdict(writing, "R-1", "acct_00008", Verdict.REJECTED, "A partner's own account.")
            add_note(writing, "R-1", "Same hours.")
            to = targets_of(found)
            first = place(writing, Request("R-1", Action.SUSPEND, to[:4], "Cards."), SINKS)  # type: ignore[arg-type]
            second = place(writing, Request("R-1", Action.BAN, to[4:6], "Cards.", approvals=1), SINKS)  # type: ignore[arg-type]
            third = place(writing, Request("R-1", Action.BAN, to[6:7], "Cards.", approvals=1), SINKS)  # type: ignore[arg-type]
            place(writing, Request("R-1", Action.BAN, to[7:8], "Cards.", approvals=1), SINKS)  # type: ignore[arg-type]
        sign(book, state, copies)
        with book.writing("bo") as writing:
            approve(writing, second.order_id, SINKS)  # type: ignore[arg-type]
            withdraw_order(writing, third.order_id, "Not sure.")
            _deliver(writing)
            reverse(writing, first.order_id, "An appeal.", SINKS, ["acct_00000"])  # type: ignore[arg-type]
            reverse(writing, second.order_id, "Wrong ring.", SINKS)  # type: ignore[arg-type]
        sign(book, state, copies)
    with sqlite3.connect(state.casebook) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def sign(book: Casebook, state: StateFolder, copies: Path | None = None) -> None:
    with book.writing("checkpoint") as writing:
        keep_checkpoint(writing, state, copies=copies)


def _deliver(writing: object) -> None:
    row = writing.execute("SELECT * FROM exports ORDER BY number LIMIT 1").fetchone()  # type: ignore[attr-defined]
    writing.execute(  # type: ignore[attr-defined]
        "UPDATE exports SET status = 'delivered', delivered_at = ?, receipt = 'ok' WHERE key = ?",
        (writing.stamp, row["key"]),  # type: ignore[attr-defined]
    )
    writing.audit(  # type: ignore[attr-defined]
        "export delivered",
        row["ring_id"],
        key=row["key"],
        sink=row["sink"],
        receipt_digest=sha256(b"ok").hexdigest(),
    )


def tamper(state: StateFolder, change: Callable[[sqlite3.Connection], None]) -> None:
    """Change the file as somebody would who has it, knows how it is made, and leaves no other trace."""
    connection = sqlite3.connect(state.casebook, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    ).fetchall()
    for name, _sql in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    change(connection)
    for _name, sql in triggers:
        connection.execute(sql)
    connection.close()


def rewrite(connection: sqlite3.Connection, texts: list[bytes]) -> None:
    """Let the log hold these entries, with hashes that fit them."""
    connection.execute("DELETE FROM audit")
    connection.executemany(
        "INSERT INTO audit VALUES (?, ?, ?)",
        [(place, text, leaf_hash(text)) for place, text in enumerate(texts)],
    )
