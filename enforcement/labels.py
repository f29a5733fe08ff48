"""What people decided, as labels that the next scoring learns from.

Only decisions make labels, never what a run said, and only of accounts that somebody could see when deciding:

* A verdict on one account outranks every verdict on a ring that it is in: ``rejected`` (an upheld appeal
  gives one) makes it benign, ``confirmed`` ring, ``watch`` nothing.
* A ring's latest verdict holds for who was in it **at the version that was decided on**. ``confirmed`` labels
  its core and members, ``rejected`` all of them as benign, ``watch`` nobody. Bystanders of a confirmed ring,
  and whoever joined later, were not decided on. Taking a ring up again withdraws no verdict.
* Where rings that share an account were decided differently, the later verdict wins.
* An account whose orders were all undone before they ended, with no verdict to say why, is not labelled at
  all: nobody cleared it, and nobody stands by the accusation either. An order that ran out undoes nothing,
  and one that a harsher order replaced does not either.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ringfence.enforcement.casebook.cases import ring_at
from ringfence.enforcement.casebook.database import read_stamp, stamp
from ringfence.enforcement.casebook.life import Verdict
from ringfence.errors import UsageError
from ringfence.files import whole_file
from ringfence.records import Role, iso_time

COLUMNS = ("account_id", "label", "ring_name", "source", "ts")
"""Of the canonical table ``labels``."""

_END_OF_TIME = "9999"


@dataclass(frozen=True, slots=True)
class Label:
    """A row of the canonical table ``labels``."""

    account_id: str
    label: str
    """``ring`` or ``benign``."""
    ring_name: str | None
    """The ring; None where the account is benign."""
    source: str
    """``verdict`` on a ring, or ``account verdict``."""
    ts: datetime
    """When it was decided."""

    @property
    def is_ring(self) -> bool:
        """Whether the account belongs to a ring."""
        return self.label == "ring"

    def as_json(self) -> dict[str, str | None]:
        """Return the label as plain JSON values, in the order of :data:`COLUMNS`."""
        return {
            "account_id": self.account_id,
            "label": self.label,
            "ring_name": self.ring_name,
            "source": self.source,
            "ts": iso_time(self.ts),
        }


def labels(connection: sqlite3.Connection, before: datetime | None = None) -> list[Label]:
    """Return a label for each account that people have decided on.

    Args:
        connection: To the casebook.
        before: Only what was decided before; None for all. The same time gives the same labels whenever it
            is asked, since nothing that was decided is ever changed.

    Returns:
        Sorted by account.
    """
    until = _END_OF_TIME if before is None else stamp(before)
    found = _by_rings(connection, until)
    for account, when in _undone(connection, until).items():
        if account in found and found[account].is_ring and found[account].ts <= when:
            del found[account]
    for account, own in _by_accounts(connection, until).items():
        found.pop(account, None)
        if own is not None:
            found[account] = own
    return [found[account] for account in sorted(found)]


def watched(connection: sqlite3.Connection) -> frozenset[str]:
    """Return whom people want to watch and nothing more: the last that was said of each, or of its ring."""
    found: dict[str, bool] = {}
    for row in _latest_on_rings(connection, _END_OF_TIME):
        watch = row["verdict"] == Verdict.WATCH
        # Watching a ring speaks of everyone in it, as rejecting it does.
        meant = Verdict.REJECTED if watch else Verdict(row["verdict"])
        for account in _decided_on(connection, row["ring_id"], row["version"], meant):
            found[account] = watch
    for row in _latest_on_accounts(connection, _END_OF_TIME):
        found[row["account_id"]] = row["verdict"] == Verdict.WATCH
    return frozenset(account for account, watch in found.items() if watch)


def write_labels(path: Path, rows: Sequence[Label]) -> None:
    """Write labels as a table that a run reads: CSV, NDJSON or Parquet, by the file's ending.

    Ids are written as they are, also where a spreadsheet would take them for formulas: a run must find the
    same account again.

    Raises:
        UsageError: the ending is another.
        OutputError: the file cannot be written.
    """
    writers = {
        ".csv": _write_csv,
        ".ndjson": _write_ndjson,
        ".jsonl": _write_ndjson,
        ".parquet": _write_parquet,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"{path.name}: labels are written as {', '.join(writers)}.")
    with whole_file(path, parents=True) as building:
        writer(building, rows)


def _by_rings(connection: sqlite3.Connection, until: str) -> dict[str, Label]:
    """Return what the latest verdict on each ring says of its accounts; the later one of two rings wins."""
    found: dict[str, Label] = {}
    for row in _latest_on_rings(connection, until):
        verdict, when = Verdict(row["verdict"]), read_stamp(row["at"])
        for account in _decided_on(connection, row["ring_id"], row["version"], verdict):
            found[account] = _label(account, verdict, row["ring_id"], "verdict", when)
    return found


def _latest_on_rings(connection: sqlite3.Connection, until: str) -> list[sqlite3.Row]:
    """Return the latest verdict on each ring as a whole, the first given first."""
    return connection.execute(
        "SELECT ring_id, version, verdict, at FROM verdicts WHERE verdict_id IN "
        "(SELECT max(verdict_id) FROM verdicts WHERE account_id IS NULL AND at < ? GROUP BY ring_id) "
        "ORDER BY verdict_id",
        (until,),
    ).fetchall()


def _latest_on_accounts(connection: sqlite3.Connection, until: str) -> list[sqlite3.Row]:
    """Return the latest verdict on each account that has one of its own."""
    return connection.execute(
        "SELECT ring_id, account_id, verdict, at FROM verdicts WHERE verdict_id IN "
        "(SELECT max(verdict_id) FROM verdicts WHERE account_id IS NOT NULL AND at < ? GROUP BY account_id)",
        (until,),
    ).fetchall()


def _decided_on(
    connection: sqlite3.Connection, ring_id: str, version: int, verdict: Verdict
) -> Iterable[str]:
    if verdict is Verdict.WATCH:
        return []
    members = ring_at(connection, ring_id, version).members
    everyone = verdict is Verdict.REJECTED
    return [one.account_id for one in members if everyone or one.role is not Role.BYSTANDER]


def _by_accounts(connection: sqlite3.Connection, until: str) -> dict[str, Label | None]:
    """Return what the latest verdict on each account says; None where it says nothing."""
    return {
        row["account_id"]: None
        if row["verdict"] == Verdict.WATCH
        else _label(
            row["account_id"],
            Verdict(row["verdict"]),
            row["ring_id"],
            "account verdict",
            read_stamp(row["at"]),
        )
        for row in _latest_on_accounts(connection, until)
    }


def _label(account: str, verdict: Verdict, ring_id: str, source: str, when: datetime) -> Label:
    if verdict is Verdict.CONFIRMED:
        return Label(account, "ring", ring_id, source, when)
    return Label(account, "benign", None, source, when)


def _undone(connection: sqlite3.Connection, until: str) -> dict[str, datetime]:
    """Return when the last order on an account was undone before it ended, where it is under no other one.

    What is milder than a suspension, and placed after, does not take it back: an account that was let go may
    be watched without anybody saying that it belongs to a ring.
    """
    rows = connection.execute(
        "SELECT account_id, max(CASE WHEN undoing.ordered_at < coalesce(placed.expires_at, :end) "
        "THEN undoing.ordered_at END) AS at, "
        "max(undoing.order_id IS NULL AND placed.action IN ('suspend', 'ban')) AS under, "
        "min(CASE WHEN undoing.order_id IS NULL THEN coalesce(placed.approved_at, placed.ordered_at) END) "
        "AS since "
        "FROM order_accounts JOIN orders AS placed USING (order_id) "
        "LEFT JOIN orders AS undoing ON undoing.order_id = reversed_by AND undoing.ordered_at < :until "
        "WHERE placed.reverses IS NULL AND NOT placed.shadow "
        "AND placed.status IN ('active', 'reversed') "
        "AND coalesce(placed.approved_at, placed.ordered_at) < :until "
        "GROUP BY account_id HAVING NOT under AND (since IS NULL OR since > at)",
        {"until": until, "end": _END_OF_TIME},
    )
    return {row["account_id"]: read_stamp(row["at"]) for row in rows if row["at"] is not None}


def _write_csv(path: Path, rows: Sequence[Label]) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(row.as_json() for row in rows)


def _write_ndjson(path: Path, rows: Sequence[Label]) -> None:
    lines = [json.dumps(row.as_json(), ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def _write_parquet(path: Path, rows: Sequence[Label]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [(name, pa.timestamp("us", "UTC") if name == "ts" else pa.string()) for name in COLUMNS]
    )
    table = pa.Table.from_pylist([{**row.as_json(), "ts": row.ts} for row in rows], schema)
    pq.write_table(table, path, compression="zstd")
