"""Canonical tables → sightings, addresses, links."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq

from ringfence.config import Settings
from ringfence.files import Workspace
from ringfence.graphbuild.linkage.build import Linked, LinkSources, link_accounts
from ringfence.graphbuild.linkage.indicators import IndicatorSettings, indicator_hits
from ringfence.graphbuild.networks import AddressRange, describe_addresses
from ringfence.graphbuild.sightings import Tables, activity, sightings, transfers
from ringfence.progress import Tick, silent
from ringfence.schema import ACTIVITY_TABLES, ENTITY_TYPES, TABLES


def build_sightings(engine: Any, tables: Tables, work: Workspace, tick: Tick = silent) -> None:
    """Write sightings of each entity type, transfers and activity to ``work.links``."""
    expressions = {name: sightings(tables, entity) for name, entity in ENTITY_TYPES.items()}
    expressions |= {"transfers": transfers(tables), "activity": activity(tables)}
    for done, (name, expression) in enumerate(expressions.items(), 1):
        engine.to_parquet(expression, sightings_path(work, name))
        tick(done / len(expressions))


def sightings_path(work: Workspace, name: str) -> Path:
    """Return where the sightings of an entity type, ``transfers`` or ``activity`` are kept."""
    return work.links / f"{name}.parquet"


def build_addresses(engine: Any, tables: Tables, work: Workspace) -> None:
    """Write address, subnet, asn, as_name and kind of every address that was seen."""
    seen = engine.read_parquet(str(sightings_path(work, "ip")))
    addresses = engine.to_pyarrow(seen.select("entity_id").distinct().order_by("entity_id"))
    ranges = engine.to_pyarrow(tables("ip_ranges").select("cidr", "asn", "as_name", "kind")).to_pylist()
    described = describe_addresses(
        addresses["entity_id"].combine_chunks(), (AddressRange(**row) for row in ranges)
    )
    pq.write_table(described, work.links / "addresses.parquet")


def build_links(
    engine: Any,
    tables: Tables,
    accounts: int,
    work: Workspace,
    settings: Settings,
    public: Collection[str] = (),
    tick: Tick = silent,
    present: frozenset[str] = frozenset(TABLES),
) -> Linked:
    """Write ``links.parquet`` and ``indicator_hits.parquet`` to ``work.links``; return what was linked.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        tables: Canonical tables.
        accounts: Number of accounts in all.
        work: Where sightings and addresses are.
        settings: How links are weighed.
        public: Templates whose wording everybody can find.
        tick: Told the share of steps that are done.
        present: Canonical tables that something fed; the others are not asked.
    """
    seen = {name: engine.read_parquet(str(sightings_path(work, name))) for name in ENTITY_TYPES}
    addresses = engine.read_parquet(str(work.links / "addresses.parquet"))
    hits = indicator_hits(
        engine,
        seen,
        addresses,
        tables("accounts").select("account_id", "email_domain"),
        tables("indicators"),
        _last_seen(engine, tables),
        IndicatorSettings(),
    )
    hits.rows.to_parquet(work.links / "indicator_hits.parquet", index=False)
    sources = LinkSources(tables, seen.__getitem__, addresses, public, accounts, hits.rows, present)
    path, steps = work.links / "links.parquet", work.spill / "linking"
    return link_accounts(engine, sources, path, steps, settings.links, tick)


def _last_seen(engine: Any, tables: Tables) -> Any:
    """Return the last time in the logs; None where there is none."""
    rows = ibis.union(*(tables(name).select("ts") for name in ACTIVITY_TABLES))
    return engine.to_pyarrow(rows.aggregate(last=rows["ts"].max()))["last"][0].as_py()
