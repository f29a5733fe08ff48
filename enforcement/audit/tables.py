"""The casebook's tables against its log: whoever edits a row leaves the entry that tells otherwise."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from ringfence.files import digest_json

Content = Mapping[str, Any]
"""What an entry says."""
Row = Mapping[str, Any]

_VERDICT = ("ring_id", "version", "verdict", "reason", "by", "at")

TOLD: Mapping[str, tuple[str, ...]] = {
    "run recorded": ("run_id",),
    "verdict given": (*_VERDICT, "account_digest"),
    "order placed": ("order_id", "ring_id", "action", "reason", "by", "at", "accounts_digest"),
    "order approved": ("order_id", "by", "at"),
    "order narrowed": ("order_id", "left_digest"),
    "order withdrawn": ("order_id",),
    "order reversed": ("order_id", "ring_id", "reversal", "reason", "by", "at", "accounts_digest"),
    "export queued": ("key", "ring_id", "event_id", "sink", "digest"),
    "export delivered": ("key", "at", "receipt_digest"),
    "export withdrawn": ("key",),
}
"""Kinds of entries that rows are held against, and what each must say."""

_PLACED = (("ring_id", "ring_id"), ("action", "action"), ("reason", "reason"), ("expires_at", "expires_at"))


def says_enough(content: Content) -> bool:
    """Return whether an entry of one of these kinds says what rows are held against."""
    return all(isinstance(content.get(name, ()), str | int | None) for name in TOLD[content["what"]])


def account_digest(ring_id: str, version: int, account_id: str) -> str:
    """Return what stands for an account in the entry of a verdict on it."""
    return digest_json([ring_id, version, account_id])


def table_faults(connection: sqlite3.Connection, told: Sequence[Content]) -> list[str]:
    """Return what the tables and the log say differently, a sentence each.

    Args:
        connection: To the casebook.
        told: Contents of the entries of the kinds :data:`TOLD`, in order.
    """
    connection.row_factory = sqlite3.Row
    accounts: dict[str, list[str]] = {}
    for row in connection.execute("SELECT order_id, account_id FROM order_accounts ORDER BY account_id"):
        accounts.setdefault(row["order_id"], []).append(row["account_id"])
    orders = [
        {**dict(row), "accounts": accounts.get(row["order_id"], [])}
        for row in connection.execute("SELECT * FROM orders ORDER BY order_id")
    ]
    runs = [row["run_id"] for row in connection.execute("SELECT run_id FROM runs")]
    return [
        *_run_faults(told, runs),
        *verdict_faults(told, map(dict, connection.execute("SELECT * FROM verdicts"))),
        *order_faults(told, orders),
        *_way_back_faults(connection),
        *_export_faults(told, connection.execute("SELECT * FROM exports ORDER BY number")),
    ]


def verdict_faults(told: Iterable[Content], rows: Iterable[Row]) -> list[str]:
    """Return which verdicts the log does not have as they stand, and which it has that are gone."""
    given = Counter(
        (*(one.get(name) for name in _VERDICT), one.get("account_digest"))
        for one in told
        if one["what"] == "verdict given"
    )
    written = Counter((*(row[name] for name in _VERDICT), _digest(row)) for row in rows)
    return [
        f"The verdict {key[2]!r} on {key[0]} at version {key[1]}, by {key[4]}, is not in the log like that."
        for key in (written - given).elements()
    ] + [
        f"The log has a verdict {key[2]!r} on {key[0]} at version {key[1]}, by {key[4]}; no row says so."
        for key in (given - written).elements()
    ]


def _digest(row: Row) -> str | None:
    account = row["account_id"]
    return None if account is None else account_digest(row["ring_id"], row["version"], account)


def order_faults(told: Iterable[Content], rows: Iterable[Row]) -> list[str]:
    """Return which orders the log does not have as they stand, and which it has that are gone.

    Args:
        told: Contents of entries, in order.
        rows: Of the table, each with ``accounts``: the ids of the accounts it is about.
    """
    about: dict[str, dict[str, Content]] = {}
    for one in told:
        if one["what"].startswith("order "):
            about.setdefault(one["order_id"], {})[one["what"]] = one
        if one["what"] == "order reversed":
            about.setdefault(one["reversal"], {})["reversal placed"] = one
    faults, seen = [], set()
    for row in rows:
        seen.add(row["order_id"])
        said = about.get(row["order_id"], {})
        faults += [f"Order {row['order_id']}: {fault}" for fault in _order_faults(said, row)]
    placed = {name for name, said in about.items() if {"order placed", "reversal placed"} & said.keys()}
    return faults + [f"The log has order {name}; no row has." for name in sorted(placed - seen)]


def _order_faults(said: Mapping[str, Content], row: Row) -> Iterator[str]:
    placed = said.get("order placed") or said.get("reversal placed")
    if placed is None:
        yield "the log has no entry that places it."
        return
    differing = _differing(placed, row)
    if row["reverses"] is not None and row["reverses"] != placed["order_id"]:
        differing.append("reverses")
    left = said.get("order narrowed", {}).get("left_digest", placed["accounts_digest"])
    if digest_json(sorted(row["accounts"])) != left:
        differing.append("accounts")
    approved = said.get("order approved", {"by": None, "at": None})
    if (row["approved_by"], row["approved_at"]) != (approved["by"], approved["at"]):
        differing.append("approved_by")
    if differing:
        yield f"the log says otherwise of {', '.join(differing)}."
    if row["status"] not in _statuses(said, placed):
        yield f"it is {row['status']!r}, which nothing in the log makes it."


def _differing(placed: Content, row: Row) -> list[str]:
    names = [column for column, name in _PLACED if name in placed and row[column] != placed[name]]
    if (row["ordered_by"], row["ordered_at"]) != (placed["by"], placed["at"]):
        names.append("ordered_by")
    if "shadow" in placed and bool(row["shadow"]) != placed["shadow"]:
        names.append("shadow")
    return names


def _statuses(said: Mapping[str, Content], placed: Content) -> set[str]:
    """Return what the status of an order may be; one undone in part is still active."""
    if "order withdrawn" in said:
        return {"withdrawn"}
    if placed.get("awaiting") and "order approved" not in said:
        return {"awaiting approval"}
    return {"active", "reversed"} if "order reversed" in said and "order placed" in said else {"active"}


_LET_GO = """
    SELECT given.order_id FROM order_accounts AS given
    LEFT JOIN orders AS back ON back.order_id = given.reversed_by AND back.reverses = given.order_id
    LEFT JOIN order_accounts AS named
        ON named.order_id = back.order_id AND named.account_id = given.account_id
    WHERE given.reversed_by IS NOT NULL AND named.order_id IS NULL
    UNION
    SELECT back.reverses FROM orders AS back JOIN order_accounts AS named USING (order_id)
    WHERE back.reverses IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM order_accounts AS given WHERE given.order_id = back.reverses
        AND given.account_id = named.account_id AND given.reversed_by = back.order_id)
"""
_STANDING = """
    SELECT order_id FROM orders JOIN order_accounts USING (order_id)
    WHERE reverses IS NULL AND status IN ('active', 'reversed')
    GROUP BY order_id HAVING (status = 'active') <> (sum(reversed_by IS NULL) > 0)
"""


def _way_back_faults(connection: sqlite3.Connection) -> list[str]:
    """Return orders of which other accounts are let go than their reversals name."""
    let_go = [
        f"Order {row['order_id']}: other accounts are let go than its reversals name."
        for row in connection.execute(_LET_GO)
    ]
    return let_go + [
        f"Order {row['order_id']}: its status does not fit the accounts that are still under it."
        for row in connection.execute(_STANDING)
    ]


def _run_faults(told: Iterable[Content], runs: Iterable[str]) -> list[str]:
    recorded = {one["run_id"] for one in told if one["what"] == "run recorded"}
    there = set(runs)
    return [f"Run {run} is in the casebook, and not in the log." for run in sorted(there - recorded)] + [
        f"The log has run {run}; the casebook has it no more." for run in sorted(recorded - there)
    ]


def _export_faults(told: Iterable[Content], rows: Iterable[sqlite3.Row]) -> list[str]:
    said = {
        what: {one["key"]: one for one in told if one["what"] == f"export {what}"}
        for what in ("queued", "delivered", "withdrawn")
    }
    faults, seen = [], set()
    for row in rows:
        seen.add(row["key"])
        faults += [f"Export {row['key']}: {fault}" for fault in _one_export(said, row)]
    return faults + [
        f"The log has export {key} to {one['sink']}; no row has."
        for key, one in said["queued"].items()
        if key not in seen
    ]


def _one_export(said: Mapping[str, Mapping[str, Content]], row: sqlite3.Row) -> Iterator[str]:
    queued = said["queued"].get(row["key"])
    if queued is None:
        yield "the log has no entry that queues it."
        return
    same = all(row[name] == queued[name] for name in ("ring_id", "event_id", "sink", "digest"))
    if not same or sha256(row["body"]).hexdigest() != queued["digest"]:
        yield "the log says otherwise of what is sent, or where."
    delivered = said["delivered"].get(row["key"])
    # What was in a sender's hand when it was withdrawn may have been delivered after all.
    withdrawn = delivered is None and row["key"] in said["withdrawn"]
    if (row["status"] == "delivered", row["status"] == "withdrawn") != (delivered is not None, withdrawn):
        yield f"it is {row['status']!r}, and the log says otherwise."
    if delivered is not None and row["status"] == "delivered":
        receipt = sha256((row["receipt"] or "").encode()).hexdigest()
        if (row["delivered_at"], receipt) != (delivered["at"], delivered["receipt_digest"]):
            yield "the log says otherwise of when it was delivered, or of the receipt."
