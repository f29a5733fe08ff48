"""A small simulated provider with two planted rings: what ``ringfence demo`` runs on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.progress import Tick, silent
from ringfence.worlds import tables
from ringfence.worlds.innocents import innocents
from ringfence.worlds.networks import range_table
from ringfence.worlds.people import Nursery
from ringfence.worlds.rings import hosting_ring, residential_ring
from ringfence.worlds.traffic import traffic


@dataclass(frozen=True, slots=True)
class DemoTruth:
    """What was planted, and how much was written."""

    accounts: pd.DataFrame
    """account_id, population, ring (null for innocents), role (null outside rings); a row an account."""
    rows: dict[str, int]
    """Canonical table → its rows."""


def make_demo(folder: Path, truth: Path, seed: int, tick: Tick = silent) -> DemoTruth:
    """Write a simulated month of a provider: about 5,000 accounts and 120,000 requests.

    The same seed gives the same bytes.

    Args:
        folder: Where the canonical tables go, as ``<table>.parquet``; made where missing.
        truth: Where ``accounts.parquet`` goes, which says who belongs to which ring; never inside ``folder``.
        seed: What everything is drawn from.
        tick: Told how much is done.
    """
    rng = np.random.default_rng(seed)
    nursery = Nursery(rng)
    people = innocents(nursery)
    tick(0.2)
    campaigns = []
    for plant in (residential_ring, hosting_ring):
        members, campaign = plant(nursery)
        people += members
        campaigns.append(campaign)
    named = tables.name_people(rng, people)
    sent = traffic(rng, people, campaigns, nursery.book)
    tick(0.3)
    made = {
        "accounts": tables.accounts(rng, named),
        "requests": tables.requests(rng, named, sent, nursery.book),
        "payments": tables.payments(rng, named),
        "logins": tables.logins(rng, named),
        "account_events": tables.account_events(named),
        "models": tables.models(),
        "ip_ranges": range_table(),
        "labels": tables.labels(rng, named),
    }
    tick(0.8)
    answer = tables.truth(named)
    for name, frame in made.items():
        _write(frame, folder / f"{name}.parquet")
    _write(answer, truth / "accounts.parquet")
    tick(1.0)
    return DemoTruth(answer, {name: len(frame) for name, frame in made.items()})


def _write(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")
