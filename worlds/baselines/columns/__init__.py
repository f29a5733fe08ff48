"""Own-account columns: all that can be said of an account without looking at another.

What they can tell is what a detector needs no graph for. A categorical column comes as one ``name=value``
column a frequent value, with the share of the account's rows that have it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ringfence.worlds.baselines.columns.content import content
from ringfence.worlds.baselines.columns.network import network
from ringfence.worlds.baselines.columns.profile import profile
from ringfence.worlds.baselines.columns.traffic import traffic
from ringfence.worlds.baselines.tables import account_ids, fetched, open_tables

_MAKERS = (traffic, content, network, profile)

NEVER_FEATURES = frozenset({"country", "language"})
"""Columns that are checked on their own, and that no detector may see."""

VOLUME = frozenset(
    {
        "requests",
        "span_days",
        "active_days",
        "requests_per_active_day",
        "requests_max_per_day",
        "active_hours",
        "requests_max_per_hour",
        "requests_per_active_hour",
        "burstiness",
        "hours_of_day",
        "gap_mean",
        "gap_median",
        "gap_log_mean",
        "logins",
        "payments",
        "amount_sum",
        "prompt_count",
        "prompt_prefix_count",
        "system_prompt_count",
        "system_prefix_count",
        "template_count",
        "device_count",
        "user_agent_count",
        "model_count",
        "access_route_count",
        "end_user_count",
        "session_count",
        "instrument_count",
        "login_ip_count",
        "login_device_count",
    }
)
"""Columns that say how much an account does: a ring is there to do much."""

NETWORK = frozenset({"ip_kind", "ipv6_share", "ip_count", "subnet_count", "asn_count"})
"""Columns that say through what an account comes: proxies and hosts have kinds of address of their own."""


def own_columns(folder: Path, engine: Any) -> pd.DataFrame:
    """Return the own-account columns of a world, an account a row, indexed by account_id in order.

    Counts of what was not seen are null, as are shares and means over nothing.

    Args:
        folder: The ``input`` folder of a world.
        engine: Ibis backend. Each group of columns is one query, so that only one is in memory at a time.
    """
    tables = open_tables(folder, engine)
    names = account_ids(tables, engine)
    groups = [
        fetched(engine, group).set_index("account_id").reindex(names)
        for make in _MAKERS
        for group in make(tables, engine)
    ]
    columns = pd.concat(groups, axis=1).astype("float32")
    requests, logins = columns["requests"].fillna(0), columns["logins"].fillna(0)
    ratio = (logins / requests.clip(lower=1)).rename("logins_per_request")
    frame: pd.DataFrame = pd.concat([columns, ratio], axis=1).rename_axis("account_id")
    return frame


def source(column: str) -> str:
    """Return the name of what a column tells of: ``plan`` of ``plan=pro``."""
    return column.partition("=")[0]


def model_columns(columns: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a detector may see and that say something: no country, no language."""
    allowed = [name for name in columns.columns if source(name) not in NEVER_FEATURES]
    return columns[allowed].dropna(axis="columns", how="all")


def kind(name: str) -> str:
    """Return ``volume``, ``network`` or ``other``: the first two may rank rings, and do in the real world."""
    if name in VOLUME:
        return "volume"
    return "network" if name in NETWORK else "other"
