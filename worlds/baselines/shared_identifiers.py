"""Connected components over shared cards, devices and addresses: the recipe of graph database tutorials.

Entities that many accounts have are dropped first, as every such recipe does, or one carrier's address
would join half the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ringfence.worlds.baselines.clusters import LEAST_SIZE, Numbers, clustered, components, large, numbered
from ringfence.worlds.baselines.tables import Tables, account_ids, fetched, sightings, without_hubs
from ringfence.worlds.score.findings import Findings

NAME = "shared_identifiers"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What counts as shared; unless told, as tutorials have it."""

    kinds: tuple[str, ...] = ("instrument", "device", "ip")
    """Entity types that join accounts."""
    hub_cap: int = 20
    """Entities of more accounts join nobody."""
    least_size: int = LEAST_SIZE
    """Accounts of the smallest component that is reported."""


USUAL = Sharing()
"""The setting of tutorials: every kind, entities of up to 20 accounts, components of five or more."""
TUNED = Sharing(kinds=("ip",), hub_cap=5, least_size=10)
"""The best of ``tune.GRIDS`` by the F1 of reported rings: ``benchmarks/tune_baselines.py --scale 0.01``
measures it on several worlds for tuning. In smaller ones chance decides between settings."""


def shared_identifiers(tables: Tables, engine: Any, sharing: Sharing | None = None) -> Findings:
    """Report the connected components of accounts that share an entity.

    An account's score is the number of accounts it shares entities with, counted once an entity; 0 outside
    reported components.
    """
    sharing = sharing or TUNED
    accounts = account_ids(tables, engine)
    account, entity, sharers = sharing_accounts(tables, engine, accounts, sharing)
    groups = large(components(len(accounts), account, entity), sharing.least_size)
    shared = np.bincount(account, weights=sharers - 1, minlength=len(accounts))
    return clustered(NAME, accounts, groups, np.where(groups >= 0, shared, 0.0))


def sharing_accounts(
    tables: Tables, engine: Any, accounts: pd.Index[str], sharing: Sharing
) -> tuple[Numbers, Numbers, Numbers]:
    """Return account number, entity number and the entity's accounts, a sighting of a shared entity a row.

    Entities are numbered on from the last account, so that both are nodes of one graph.
    """
    seen = fetched(engine, without_hubs(sightings(tables, sharing.kinds), sharing.hub_cap))
    account = numbered(accounts, seen["account_id"])
    entity = np.asarray(pd.MultiIndex.from_frame(seen[["kind", "entity"]]).factorize()[0], np.int64)
    return account, entity + len(accounts), seen["sharers"].to_numpy(np.int64)
