"""How many accounts did the same at about the same time."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

Levels = tuple[tuple[int, float], ...]
"""Seconds → m: share of one operator's pairs, beyond those of narrower levels, that are as close."""

_BINS = 4


def with_crowds(rows: Any, times: Any, levels: Levels, *, before: bool) -> Any:
    """Return ``rows``, which have ``at``, with the column ``crowd_<level>`` for each level, null for none."""
    for level, _ in levels:
        crowd = _crowd(times, level, before=before)
        binned = rows.mutate(place=_bin(rows["at"], level))
        joined = binned.left_join(crowd, binned["place"] == crowd["bin"])
        rows = joined.drop("place", "bin").rename({f"crowd_{level}": "crowd"})
    return rows


def _crowd(times: Any, level: int, *, before: bool) -> Any:
    """Return bin and crowd: how many rows lie within ``level`` of a time in that bin, or a little further.

    Counted in whole bins of a quarter of the level: up to a quarter too many, which can only make evidence
    weaker, and no engine has to sort all accounts in one place for it.

    Args:
        times: Has ``at``, in seconds.
        level: Seconds.
        before: Whether rows before the time count, too, and not those after it alone.
    """
    bins = times.group_by(bin=_bin(times["at"], level)).agg(rows=times.count())
    steps = range(-_BINS if before else 0, _BINS + 1)
    around = ibis.memtable(pd.DataFrame({"step": list(steps)}), schema={"step": "int64"})
    spread = bins.cross_join(around)
    spread = spread.select("rows", bin=spread["bin"] - spread["step"])
    return spread.group_by("bin").agg(crowd=spread["rows"].sum())


def _bin(at: Any, level: int) -> Any:
    return (at / (level // _BINS)).floor().cast("int64")
