"""Sightings and canonical tables → ``links.parquet``."""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pandas as pd

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.bring import Bringing
from ringfence.graphbuild.linkage.links import LINK_COLUMNS, PAIR, links
from ringfence.graphbuild.linkage.rewiring import rewired
from ringfence.graphbuild.linkage.signals import Signalling, no_signals
from ringfence.graphbuild.linkage.significance import significant_from
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.views import VIEWS, Seen, View, view_sightings
from ringfence.graphbuild.sightings import Tables
from ringfence.progress import Tick, silent
from ringfence.schema import LINK_FAMILIES, TABLES

_STEPS = 80
"""About how many steps there are, for the progress that is told."""


@dataclass(frozen=True, slots=True)
class LinkSources:
    """What links are made from."""

    tables: Tables
    seen: Seen
    """Sightings of the entity types."""
    addresses: Any
    """Ibis table with address, subnet, asn, kind."""
    public: Collection[str]
    """Templates whose wording everybody can find."""
    accounts: int
    """Number of accounts in all."""
    hits: pd.DataFrame
    """Accounts that match indicators, as :mod:`~ringfence.graphbuild.linkage.indicators` tells them."""
    present: frozenset[str] = frozenset(TABLES)
    """Canonical tables that something fed; the others are not asked."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What was linked, in numbers."""

    links: int
    significant_from: float | None
    """Nats from which on what a pair shares is significant; None where nothing is."""
    caps: dict[str, int]
    """View → the most accounts a value had that made a pair of every two."""
    sightings: dict[str, int]
    """View → account–value pairs."""


def link_accounts(
    engine: Any, sources: LinkSources, path: Path, folder: Path, settings: LinkSettings, tick: Tick = silent
) -> Linked:
    """Write :data:`LINK_COLUMNS` to ``path``, in the order of the accounts.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        sources: What links are made from.
        path: File to write.
        folder: A folder that is not there yet, for what lies between the steps; gone afterwards.
        settings: How links are weighed.
        tick: Told the share of steps that are done.
    """
    steps = Steps(engine, folder, _STEPS, tick)
    accounts = sources.tables("accounts").select("account_id")
    number = ibis.row_number().over(order_by="account_id").cast("int64")
    numbers = steps.keep(accounts.mutate(account=number), "numbers")
    views = [view for view in VIEWS if view.family not in settings.without]

    def sightings(view: View) -> Any:
        return view_sightings(view, sources.seen, sources.addresses, sources.tables)

    bringing = Bringing(steps, numbers, sources.addresses, sources.public, settings)
    crowds = bringing.crowds(views, sightings)
    strong = {view: crowd for view, crowd in crowds.items() if not view.weak}
    brought = bringing.bring(crowds, sightings) if strong else _nobody()
    least, signals = math.inf, no_signals()
    if engine.to_pyarrow(brought.count()).as_py():
        # Each view is dealt by itself: two that lie alike would else be dealt alike, and agree in everything.
        dealt = {view: rewired(sightings(view), draw) for draw, view in enumerate(strong)}
        null = {view: steps.keep(rows, f"null-{view.name}") for view, rows in dealt.items()}
        share = min(1.0, settings.null_accounts / sources.accounts)
        by_chance = bringing.bring(strong, null.__getitem__, share)
        least = significant_from(engine, brought, by_chance, settings.false_link_rate, share)
        asked = Signalling(steps, numbers, sources.tables, sources.accounts, sources.hits, sources.present)
        signals = asked.about(brought.select(*PAIR), settings.without)
    found = steps.keep(links(brought, signals, least, settings), "links")
    engine.to_parquet(_named(found, numbers).select(*LINK_COLUMNS).order_by(*PAIR), path)
    rows = int(engine.to_pyarrow(found.count()).as_py())
    shutil.rmtree(folder)
    return Linked(
        rows,
        None if math.isinf(least) else round(least, 6),
        {view.name: crowd.cap for view, crowd in crowds.items()},
        {view.name: crowd.sightings for view, crowd in crowds.items()},
    )


def _nobody() -> Any:
    """Return no pairs, as :func:`~ringfence.graphbuild.linkage.links.brought_pairs` makes them."""
    schema = {**dict.fromkeys((*PAIR, "led", "followed"), "int64"), "shared": "float64"}
    return ibis.memtable([], schema={**schema, **dict.fromkeys(map(str, LINK_FAMILIES), "float64")})


def _named(pairs: Any, numbers: Any) -> Any:
    """Return pairs with account ids in place of numbers."""
    for end in PAIR:
        names = numbers.rename(number="account", name="account_id")
        pairs = (
            pairs.inner_join(names, pairs[end] == names["number"]).drop(end, "number").rename({end: "name"})
        )
    return pairs
