"""Small worlds of sightings, what links them, and a plain recount of every pair."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
from canonical_frames import as_tables

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.build import Linked, LinkSources, link_accounts
from ringfence.graphbuild.linkage.indicators import HIT_COLUMNS
from ringfence.graphbuild.networks import ADDRESS_SCHEMA

Row = tuple[str, str, int | None]
"""Account, entity, and the second at which the account was first seen with it; None where unknown."""

Pair = tuple[str, str]

_SEEN = pa.schema(
    [("account_id", pa.string()), ("entity_id", pa.string()), ("first_seen", pa.timestamp("us", "UTC"))]
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a view says of a pair."""

    weight: float
    led: int
    followed: int


def seen_table(rows: Iterable[Row]) -> Any:
    """Return sightings as an Ibis table."""
    accounts, entities, seconds = zip(*rows, strict=True) if rows else ((), (), ())
    times = [None if second is None else second * 1_000_000 for second in seconds]
    columns = [pa.array(accounts, pa.string()), pa.array(entities, pa.string())]
    columns.append(pa.array(times, pa.int64()).cast(_SEEN.field("first_seen").type))
    return ibis.memtable(pa.table(columns, schema=_SEEN))


def address_table(rows: Collection[Mapping[str, str | None]] = ()) -> Any:
    """Return addresses as an Ibis table; what a row does not say is null."""
    whole = [{name: row.get(name) for name in ADDRESS_SCHEMA.names} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(whole, schema=ADDRESS_SCHEMA))


def link(
    engine: Any,
    folder: Path,
    settings: LinkSettings,
    sights: Mapping[str, Collection[Row]] | Callable[[str], Any],
    tables: Callable[[str], Any] | None = None,
    addresses: Any | None = None,
    public: Collection[str] = (),
) -> tuple[pd.DataFrame, Linked]:
    """Link accounts; without canonical tables, those that were seen.

    Args:
        engine: Ibis backend.
        folder: Where files go.
        settings: How links are weighed.
        sights: Entity type → its sightings, or an Ibis table of them.
        tables: Canonical tables.
        addresses: As :func:`address_table` makes them.
        public: Templates that everybody can find.
    """
    if not callable(sights):
        rows = dict(sights)
        names = sorted({row[0] for seen in rows.values() for row in seen})
        tables = tables or as_tables({"accounts": pd.DataFrame({"account_id": names})})
        held = {name: seen_table(seen) for name, seen in rows.items()}
        empty = seen_table([])
    seen = sights if callable(sights) else lambda name: held.get(name, empty)
    assert tables is not None
    accounts = int(engine.to_pyarrow(tables("accounts").count()).as_py())
    hits = pd.DataFrame(columns=list(HIT_COLUMNS))
    found = address_table() if addresses is None else addresses
    sources = LinkSources(tables, seen, found, public, accounts, hits)
    path = folder / "links.parquet"
    linked = link_accounts(engine, sources, path, folder / "steps", settings)
    assert not (folder / "steps").exists()
    return pd.read_parquet(path), linked


def recount(
    rows: Collection[Row],
    agreement: float,
    scale: float = 1.0,
    factors: Mapping[str, float] | None = None,
    most: float = math.inf,
) -> dict[Pair, Told]:
    """Weigh every pair of accounts by one view, one after the other.

    Args:
        rows: Sightings of the view, each once.
        agreement: m of the view.
        scale: Factor on what it says.
        factors: Value → factor of its kind; 1 where it is not named.
        most: The most that the view adds.
    """
    degree = Counter(entity for _, entity, _ in rows)
    has: dict[str, dict[str, int | None]] = defaultdict(dict)
    for account, entity, first in rows:
        has[account][entity] = first
    found = {}
    for a, b in combinations(sorted(has), 2):
        crowd = max(len(has[a]), len(has[b]))
        linking = [e for e in has[a] if e in has[b] and agreement * len(rows) / degree[e] > 1 + 1e-9]
        nats, led, followed = 0.0, 0, 0
        for entity in linking:
            chance = crowd * degree[entity] / len(rows)
            worth = max((factors or {}).get(entity, 1.0) * math.log(agreement / chance), 0.0)
            nats += worth
            times = has[a][entity], has[b][entity]
            unknown = None in times
            led += worth >= 1 and (unknown or times[0] <= times[1])  # type: ignore[operator]
            followed += worth >= 1 and (unknown or times[1] <= times[0])  # type: ignore[operator]
        apart = min(len(has[a]), len(has[b])) - len(linking)
        weight = min(scale * (nats + apart * math.log(1 - agreement)), most)
        if linking and weight > 0:
            found[a, b] = Told(weight, led, followed)
    return found
