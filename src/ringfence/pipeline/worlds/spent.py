"""What rings had sent by when: the other half of time to detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from ringfence.errors import InputError
from ringfence.worlds.baselines.tables import Tables
from ringfence.worlds.score.truth import Truth


@dataclass(frozen=True, slots=True)
class Firsts:
    """When rings and replacements sent their first request; UTC, without a zone."""

    rings: pd.DataFrame
    """ring, ring_type, first_request; a row a planted ring."""
    replacements: pd.DataFrame
    """account_id, replaces, ring, first_request; a row for each ring account that replaces a banned one and
    sends anything."""


def distilling_by_cut(
    engine: Any, tables: Tables, truth: Truth, start: datetime, times: Sequence[datetime]
) -> dict[str, list[int]]:
    """Return how many distilling requests each ring sent before each of the ``times``.

    Args:
        engine: Ibis backend that reads ``tables``.
        tables: The world's canonical tables.
        truth: The world's.
        start: The first request is no earlier; times are whole seconds after it, but for the last one.
        times: Evenly spaced, but for the last one, which is after every request.

    Returns:
        Ring → requests before each time; rings that sent none are left out.

    Raises:
        InputError: the world does not tell which requests distil.
    """
    told = engine.read_parquet(_told_requests(truth))
    planted = truth.accounts.loc[truth.accounts["ring"].notna(), ["account_id", "ring"]]
    rows = tables("requests").select("request_id", "account_id", "ts")
    distilling = rows.semi_join(told.filter(told["distilling"]), "request_id")
    distilling = distilling.inner_join(
        ibis.memtable(pa.Table.from_pandas(planted, preserve_index=False)), "account_id"
    )
    # Whole seconds are cut off, not rounded: the moment of a cut is the first that it does not see.
    second = (distilling["ts"].truncate("s").epoch_seconds() - ibis.literal(start).epoch_seconds()).name(
        "second"
    )
    counts = engine.to_pyarrow(distilling.group_by("ring", second).agg(requests=ibis._.count())).to_pandas()
    ends = np.array([(when - start).total_seconds() for when in times[:-1]])
    counts["place"] = np.searchsorted(ends, counts["second"].to_numpy(), side="right")
    return {
        str(ring): np.cumsum(np.bincount(part["place"], part["requests"], len(times)).astype(int)).tolist()
        for ring, part in counts.groupby("ring")
    }


def first_requests(engine: Any, tables: Tables, truth: Truth) -> Firsts:
    """Return when rings (as the truth has it, or by the log) and replacements sent their first request."""
    rows = tables("requests")
    sent = engine.to_pyarrow(rows.group_by("account_id").agg(first_request=rows["ts"].min())).to_pandas()
    guilty = truth.accounts[truth.accounts["ring"].notna()].merge(sent, on="account_id", how="inner")
    rings = truth.rings
    if "first_request" not in rings:
        rings = rings.merge(
            guilty.groupby("ring", as_index=False)["first_request"].min(), on="ring", how="left"
        )
    rings = rings[["ring", "ring_type", "first_request"]]
    times = pd.to_datetime(rings["first_request"], utc=True).dt.tz_localize(None)
    replacements = guilty.loc[
        guilty["replaces"].notna(), ["account_id", "replaces", "ring", "first_request"]
    ].sort_values("account_id", ignore_index=True)
    return Firsts(rings.assign(first_request=times), replacements)


def _told_requests(truth: Truth) -> list[str]:
    parts = sorted((truth.folder / "requests").glob("part-*.parquet")) if truth.folder else []
    if not parts:
        raise InputError(
            f"{truth.folder or 'This truth'} does not tell which requests distil. Name the folder that "
            "`ringfence worlds make` wrote."
        )
    return [str(part) for part in parts]
