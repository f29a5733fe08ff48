"""What an account does, as numbers: the raw account features of a snapshot.

Nothing here names an account, a country, a language or a label, or looks at what was decided before
(``status`` and ``account_events`` are left out: a ban is a label).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ringfence.graphbuild.numbered import Seen
from ringfence.graphbuild.sightings import Tables

_SECONDS_A_DAY = 86_400


def account_attributes(tables: Tables, present: frozenset[str], days: Any) -> Any:
    """Return account_id and one column a feature, an account a row, in the order of account_id.

    Args:
        tables: Canonical tables.
        present: Canonical tables that something fed; features of the others are left out.
        days: Requests by account and day, as :func:`ringfence.graphbuild.sightings.activity` makes them.

    Counts are 0 where nothing was seen; shares, means and sums are null there. What floating point adds is
    rounded, so that the order of the rows does not show.
    """
    groups = [_days_active(days)] if "requests" in present else []
    makers = {
        "requests": (_requests, _hours),
        "payments": (_payments,),
        "logins": (_logins,),
        "transfers": (_sent, _received),
    }
    for table, made in makers.items():
        if table in present:
            groups += [make(tables(table)) for make in made]
    accounts = tables("accounts").select("account_id", "created_at")
    rows = accounts
    for group in groups:
        rows = rows.left_join(group, "account_id").drop("account_id_right")
    counts = {
        name: rows[name].fill_null(0)
        for name, kind in rows.schema().items()
        if kind.is_integer() and name != "account_id"
    }
    rows = rows.mutate(**counts)
    if "first_request" in rows.columns:
        rows = rows.mutate(age_days_at_first_request=_days(rows["created_at"], rows["first_request"]))
        rows = rows.drop("first_request")
    return rows.drop("created_at").order_by("account_id")


def entity_counts(seen: Mapping[str, Seen], accounts: int) -> pd.DataFrame:
    """Return how many entities of each type every account was seen with; row ``i`` is account ``i``."""
    return pd.DataFrame(
        {f"{name}s": np.bincount(sighted.account, minlength=accounts) for name, sighted in seen.items()}
    )


def _days(start: Any, end: Any) -> Any:
    """Return the days from start to end; 0 where clocks disagree, null where either is unknown."""
    # Whole seconds, as DuckDB would count fractions of them and Spark would not.
    first, last = (moment.cast("timestamp").truncate("s").epoch_seconds() for moment in (start, end))
    seconds = last - first
    # A greatest() of engines would skip the null and answer 0.
    return ibis.ifelse(seconds < 0, 0.0, seconds / _SECONDS_A_DAY)


def _days_active(days: Any) -> Any:
    return days.group_by("account_id").agg(
        requests=days["requests"].sum().cast("int64"), active_days=days.count()
    )


def _requests(rows: Any) -> Any:
    return rows.group_by("account_id").agg(
        models=rows["model"].nunique(),
        access_routes=rows["access_route"].nunique(),
        end_users=rows["end_user_id"].nunique(),
        sessions=rows["session_id"].nunique(),
        input_tokens_mean=rows["input_tokens"].mean(),
        output_tokens_mean=rows["output_tokens"].mean(),
        output_tokens_spread=rows["output_tokens"].std(how="pop").round(6),
        reasoning_share=_share(rows["reasoning_tokens"] > 0),
        tool_share=_share(rows["tool_calls"] > 0),
        failed_share=_share(rows["status_code"] >= 400),
        first_request=rows["ts"].min(),
    )


def _share(condition: Any) -> Any:
    return condition.cast("float64").mean()


def _hours(rows: Any) -> Any:
    """Return the entropy of the hour of day in nats: high where an account never sleeps."""
    hourly = rows.group_by("account_id", hour=rows["ts"].cast("timestamp").hour()).agg(n=rows.count())
    hourly = hourly.mutate(n_ln_n=hourly["n"] * hourly["n"].ln())
    total = hourly["n"].sum().cast("float64")
    entropy = total.ln() - hourly["n_ln_n"].sum() / total
    # That of a single hour may come out as -0.
    return hourly.group_by("account_id").agg(hour_entropy=entropy.round(6).abs())


def _payments(rows: Any) -> Any:
    return rows.group_by("account_id").agg(
        payments=rows.count(), amount_paid=rows["amount_usd"].sum().round(6)
    )


def _logins(rows: Any) -> Any:
    return rows.group_by("account_id").agg(logins=rows.count())


def _sent(rows: Any) -> Any:
    return rows.group_by(account_id=rows["from_account_id"]).agg(
        transfers_sent=rows.count(),
        receivers=rows["to_account_id"].nunique(),
        amount_sent=rows["amount_usd"].sum().round(6),
    )


def _received(rows: Any) -> Any:
    return rows.group_by(account_id=rows["to_account_id"]).agg(
        transfers_received=rows.count(),
        senders=rows["from_account_id"].nunique(),
        amount_received=rows["amount_usd"].sum().round(6),
    )
