"""Who was seen with what: account–entity pairs with count, first and last time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from ringfence.schema import EntityType

Tables = Callable[[str], Any]
"""Canonical table name → Ibis table; empty, with its columns, where nothing fed it."""


def sightings(tables: Tables, entity: EntityType) -> Any:
    """Return account_id, entity_id, count, first_seen, last_seen for one type of entity."""
    sources = [_seen(tables(table), column) for table, column in entity.sources]
    seen = sources[0] if len(sources) == 1 else ibis.union(*sources)
    return seen.group_by("account_id", "entity_id").agg(
        count=seen.count(), first_seen=seen["ts"].min(), last_seen=seen["ts"].max()
    )


def _seen(rows: Any, column: str) -> Any:
    rows = rows.filter(rows[column].notnull())
    return rows.select("account_id", entity_id=rows[column], ts=rows["ts"])


def transfers(tables: Tables) -> Any:
    """Return start, end, count, amount_usd, first_seen, last_seen: one row a pair that sent and received."""
    rows = tables("transfers")
    paid = rows.group_by(start=rows["from_account_id"], end=rows["to_account_id"])
    return paid.agg(
        count=rows.count(),
        # Rounded, so that the order in which an engine adds does not show.
        amount_usd=rows["amount_usd"].sum().round(6),
        first_seen=rows["ts"].min(),
        last_seen=rows["ts"].max(),
    )


def activity(tables: Tables) -> Any:
    """Return account_id, day, requests: what a timeline shows."""
    rows = tables("requests")
    day = rows["ts"].cast("timestamp").date()
    return rows.group_by("account_id", day=day).agg(requests=rows.count())
