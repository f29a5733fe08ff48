"""How much an account asks, when, and in what rhythm."""

from __future__ import annotations

from typing import Any

import ibis

from ringfence.worlds.baselines.columns.helpers import share
from ringfence.worlds.baselines.tables import Tables

_DAY, _HOUR = 86_400, 3_600
_MICRO = 1_000_000


def traffic(tables: Tables, _engine: Any) -> list[Any]:
    """Return the groups of columns about the requests' number and times, each keyed by account_id."""
    rows = tables("requests")
    return [_volume(rows), _per_day(rows), _per_hour(rows), _clock(rows), _gaps(rows)]


def _volume(rows: Any) -> Any:
    seconds = rows["ts"].epoch_seconds()
    return rows.group_by("account_id").agg(
        requests=rows.count(),
        span_days=(seconds.max() - seconds.min()) / _DAY,
        night_share=share(rows["ts"].hour() < 6),
        weekend_share=share(rows["ts"].day_of_week.index() >= 5),
    )


def _per_day(rows: Any) -> Any:
    daily = rows.group_by("account_id", day=rows["ts"].date()).agg(n=rows.count())
    n = daily["n"].cast("float64")
    return daily.group_by("account_id").agg(
        active_days=daily.count(),
        requests_per_active_day=n.mean(),
        requests_max_per_day=n.max(),
        requests_per_day_cv=n.std(how="pop") / n.mean(),
        busiest_day_share=n.max() / n.sum(),
    )


def _per_hour(rows: Any) -> Any:
    hour = (rows["ts"].epoch_seconds() // _HOUR).cast("int64")
    hourly = rows.group_by("account_id", hour=hour).agg(n=rows.count())
    n = hourly["n"].cast("float64")
    return hourly.group_by("account_id").agg(
        active_hours=hourly.count(),
        requests_max_per_hour=n.max(),
        requests_per_active_hour=n.mean(),
        burstiness=n.var(how="pop") / n.mean(),
    )


def _clock(rows: Any) -> Any:
    """Return the entropy of the hour of day, and how many hours of it are in use."""
    hourly = rows.group_by("account_id", hour=rows["ts"].hour()).agg(n=rows.count())
    total = hourly["n"].sum().over(ibis.window(group_by="account_id"))
    shares = hourly.mutate(p=hourly["n"] / total)
    return shares.group_by("account_id").agg(
        hour_entropy=(-(shares["p"] * shares["p"].ln())).sum(), hours_of_day=shares.count()
    )


def _gaps(rows: Any) -> Any:
    """Return what the times between an account's requests look like, in seconds."""
    before = rows["ts"].lag().over(ibis.window(group_by="account_id", order_by="ts"))
    timed = rows.select("account_id", gap=rows["ts"].delta(before, unit="microsecond") / _MICRO)
    timed = timed.filter(timed["gap"].notnull())
    log = (timed["gap"] + 1.0).ln()
    return timed.group_by("account_id").agg(
        gap_mean=timed["gap"].mean(),
        gap_min=timed["gap"].min(),
        gap_median=timed["gap"].median(),
        gap_cv=timed["gap"].std(how="pop") / timed["gap"].mean().nullif(0.0),
        gap_log_mean=log.mean(),
        gap_log_sd=log.std(how="pop"),
        gap_below_second_share=share(timed["gap"] < 1.0),
        gap_below_minute_share=share(timed["gap"] < 60.0),
    )
