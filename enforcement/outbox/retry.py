"""What a person does about exports that got stuck: put dead letters back, let a halted sink go on."""

from __future__ import annotations

import sqlite3

from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.events import EventKind
from ringfence.errors import NotAllowedError, UnknownCaseError, near_names

# A later event that was tried may have arrived though no answer came, unless it was refused in the end.
_OVERTAKEN = """
SELECT 1 FROM exports WHERE ring_id = ? AND sink = ? AND number > ?
AND (status = 'delivered' OR (attempts > 0 AND status IN ('waiting', 'withdrawn'))) LIMIT 1
"""

# What undoes a dead letter may be dead as well. It must go again with it, or whoever was let go is met after
# all; and where it was tried more than once, an attempt before the last may have arrived.
_UNDOING = """
SELECT undoing.key, undoing.event_id, undoing.ring_id, undoing.sink, undoing.number, undoing.attempts
FROM exports AS mine JOIN events AS undone ON undone.event_id = mine.event_id
JOIN orders ON orders.reverses = undone.order_id
JOIN events AS told ON told.order_id = orders.order_id
JOIN exports AS undoing ON undoing.event_id = told.event_id AND undoing.sink = mine.sink
WHERE mine.key = ? AND undoing.status = 'dead' ORDER BY undoing.number
"""

# What lets accounts go may come late, or they would be held for ever; not so where a later order stands on
# each of them, which a receiver of states would then take for undone.
_STANDS = """
SELECT count(DISTINCT ours.account_id) AS under,
    (SELECT count(*) FROM order_accounts WHERE order_id = mine.order_id) AS of
FROM events AS mine JOIN order_accounts AS ours USING (order_id)
JOIN order_accounts AS theirs ON theirs.account_id = ours.account_id AND theirs.reversed_by IS NULL
JOIN orders ON orders.order_id = theirs.order_id AND orders.reverses IS NULL AND orders.status = 'active'
JOIN events AS told ON told.order_id = orders.order_id
JOIN exports ON exports.event_id = told.event_id
WHERE mine.event_id = ? AND exports.sink = ? AND exports.number > ?
AND (exports.status = 'delivered' OR exports.attempts > 0)
"""


def retry_one(writing: Writing, key: str) -> list[str]:
    """Put a dead letter back, and what undoes it where that is dead, too; return their keys, due at once.

    Raises:
        UnknownCaseError: there is no export of that key.
        NotAllowedError: it is no dead letter, or a later event of its ring went to the sink already, or may
            have: the order of events is kept, or a reversal would be undone by what it reversed. A reversal
            stays only while later orders stand on all of its accounts.
    """
    row = _dead(writing.connection, key)
    if _overtaken(writing.connection, row):
        raise NotAllowedError(
            f"{key} cannot go to {row['sink']} any more: a later event of {row['ring_id']} went there, or "
            f"may have. Reverse its order and order anew (`ringfence rings show {row['ring_id']}`)."
        )
    rows = [row, *_undoing(writing.connection, key)]
    for one in rows:
        _put_back(writing, one)
    return [one["key"] for one in rows]


def retry_all(writing: Writing, sink: str | None = None) -> tuple[list[str], list[str]]:
    """Put back the dead letters of a sink, or of all.

    Returns:
        The keys put back, and those that must stay since a later event of their ring went out already.
    """
    back, stay = dead_letters(writing.connection, sink)
    for key in back:
        _put_back(writing, _dead(writing.connection, key))
    return back, stay


def dead_letters(
    connection: sqlite3.Connection, sink: str | None = None, key: str | None = None
) -> tuple[list[str], list[str]]:
    """Return which dead letters could be put back, and which must stay; all, those of a sink, or one.

    Raises:
        UnknownCaseError: there is no export of that key.
        NotAllowedError: it is no dead letter.
    """
    rows = (
        connection.execute(
            "SELECT key, event_id, ring_id, sink, number FROM exports "
            "WHERE status = 'dead' AND (:sink IS NULL OR sink = :sink) ORDER BY number",
            {"sink": sink},
        ).fetchall()
        if key is None
        else [_dead(connection, key)]
    )
    stay = [row["key"] for row in rows if _overtaken(connection, row)]
    back = [row["key"] for row in rows if row["key"] not in stay]
    if key is not None and back:
        back += [row["key"] for row in _undoing(connection, key)]
    return back, stay


def _dead(connection: sqlite3.Connection, key: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        "SELECT key, event_id, ring_id, sink, number, status FROM exports WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        known = [one["key"] for one in connection.execute("SELECT key FROM exports WHERE status = 'dead'")]
        raise UnknownCaseError(
            f"The outbox has no export {key!r}.{near_names(key, known)} "
            "`ringfence outbox retry --all --dry-run --json` lists the dead ones."
        )
    if row["status"] != "dead":
        raise NotAllowedError(f"{key} is {row['status']}; only dead letters are put back.")
    return row


def resume(writing: Writing, sink: str) -> int:
    """Let a sink go on that was halted; return how many exports wait for it.

    Raises:
        UnknownCaseError: no sink of that name is halted.
    """
    done = writing.execute("DELETE FROM halts WHERE sink = ?", (sink,))
    if done.rowcount == 0:
        halted = [row["sink"] for row in writing.execute("SELECT sink FROM halts")]
        raise UnknownCaseError(
            f"No sink {sink!r} is halted.{near_names(sink, halted)} "
            "`ringfence outbox status` shows which are."
        )
    due = writing.execute(
        "UPDATE exports SET due_at = ? WHERE sink = ? AND status = 'waiting'", (writing.now.timestamp(), sink)
    )
    writing.audit("sink resumed", sink=sink, waiting=due.rowcount)
    return due.rowcount


def _overtaken(connection: sqlite3.Connection, row: sqlite3.Row) -> bool:
    told = connection.execute("SELECT kind FROM events WHERE event_id = ?", (row["event_id"],)).fetchone()
    if told["kind"] == EventKind.REVERSED:
        values = (row["event_id"], row["sink"], row["number"])
        later = connection.execute(_STANDS, values).fetchone()
        return bool(later["under"] and later["under"] == later["of"])
    found = connection.execute(_OVERTAKEN, (row["ring_id"], row["sink"], row["number"]))
    if found.fetchone() is not None:
        return True
    return any(undoing["attempts"] > 1 for undoing in _undoing(connection, row["key"]))


def _undoing(connection: sqlite3.Connection, key: str) -> list[sqlite3.Row]:
    """Return the dead letters that undo what a dead letter asks for."""
    return connection.execute(_UNDOING, (key,)).fetchall()


def _put_back(writing: Writing, row: sqlite3.Row) -> None:
    """Make an export due, with all but one of its attempts before it: that it was tried is not forgotten."""
    writing.execute(
        "UPDATE exports SET status = 'waiting', attempts = 1, due_at = ? WHERE key = ?",
        (writing.now.timestamp(), row["key"]),
    )
    writing.audit(
        "export put back", row["ring_id"], event_id=row["event_id"], sink=row["sink"], key=row["key"]
    )
