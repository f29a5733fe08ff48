"""The tables of a simulated world as its provider had them at a moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis

from ringfence.schema import ACTIVITY_TABLES
from ringfence.worlds.baselines.tables import Tables

DATED = (*ACTIVITY_TABLES, "transfers", "account_events", "labels")
"""Tables whose rows become known at their ``ts``; a row without one is never known."""
TIMELESS = ("models", "ip_ranges")
"""Tables that are known throughout. ``indicators`` do not say when they came in, so no past has any."""


def logged_span(engine: Any, tables: Tables) -> tuple[datetime, datetime]:
    """Return the hour in which a world's activity begins, and the moment after its last row of all; UTC."""
    active = ibis.union(*(tables(name).select("ts") for name in ACTIVITY_TABLES))
    dated = ibis.union(*(tables(name).select("ts") for name in DATED))
    first, last = (_moment(engine, end) for end in (active["ts"].min(), dated["ts"].max()))
    return first.replace(minute=0, second=0, microsecond=0), last + timedelta(microseconds=1)


def cut_times(start: datetime, end: datetime, every_hours: float) -> list[datetime]:
    """Return ``start`` plus one, two, ... times ``every_hours``, and ``end`` as the last of them."""
    step = timedelta(seconds=round(every_hours * 3600))
    cuts: list[datetime] = []
    while (when := start + step * (len(cuts) + 1)) < end:
        cuts.append(when)
    return [*cuts, end]


def write_as_known(engine: Any, tables: Tables, when: datetime, folder: Path) -> None:
    """Write the canonical tables with what was known before ``when``.

    Accounts have the status that their events give them. Their other columns are as the world has them: it
    keeps no history of plans or organisations. Accounts that do not say when they were made are left out;
    a run makes them from their events.

    Args:
        engine: Ibis backend that reads ``tables``.
        tables: The whole world's.
        when: UTC, without a zone.
        folder: Where ``<table>.parquet`` go; made where missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = {name: _before(tables(name), "ts", when) for name in DATED}
    known |= {name: tables(name) for name in TIMELESS}
    known["accounts"] = accounts_as_known(tables("accounts"), known["account_events"], when)
    for name, rows in known.items():
        write_canonical(engine, rows, folder / f"{name}.parquet")


def accounts_as_known(accounts: Any, events: Any, when: datetime) -> Any:
    """Return the accounts made before ``when``, with the status that earlier events give them."""
    return with_status(_before(accounts, "created_at", when), events)


def with_status(accounts: Any, events: Any) -> Any:
    """Return the accounts, those banned whose last ban no reinstatement follows.

    Others are active. Of a ban and a reinstatement in one moment, the reinstatement is the last.
    """
    told = events.filter(events["event"].isin(["banned", "reinstated"]))
    order = [told["ts"].desc(), told["event"].desc()]
    last = told.group_by("account_id").agg(last=told["event"].first(order_by=order))
    joined = accounts.left_join(last, "account_id")
    status = ibis.ifelse(joined["last"].fill_null("") == "banned", "banned", "active")
    return joined.mutate(status=status).select(accounts.columns)


def active_accounts(engine: Any, tables: Tables, when: datetime) -> frozenset[str]:
    """Return the accounts that have sent, paid or logged in before ``when``."""
    seen = ibis.union(
        *(_before(tables(name), "ts", when).select("account_id") for name in ACTIVITY_TABLES), distinct=True
    )
    return frozenset(engine.to_pyarrow(seen)["account_id"].to_pylist())


def write_canonical(engine: Any, rows: Any, path: Path) -> None:
    """Write a canonical table; times say that they are UTC."""
    zoned = {
        name: rows[name].cast("timestamp('UTC')")
        for name, kind in rows.schema().items()
        if kind.is_timestamp()
    }
    engine.to_parquet(rows.mutate(**zoned) if zoned else rows, path, compression="zstd")


def _moment(engine: Any, value: Any) -> datetime:
    moment: datetime = engine.to_pyarrow(value).as_py()
    return moment


def _before(rows: Any, column: str, when: datetime) -> Any:
    return rows.filter(rows[column] < ibis.literal(when))
