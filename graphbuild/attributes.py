"""What an account does, as numbers: the raw account features of a snapshot.

Nothing here names an account, a country, a language or a label, or looks at what was decided before
(``status`` and ``account_events`` are left out: a ban is a label).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.graphbuild.numbered import Seen
from ringfence.graphbuild.sightings import Tables

_SECONDS_A_DAY = 86_400


def account_attributes(
    engine: Any, tables: Tables, present: frozenset[str], days: Any
) -> tuple[pa.Array, pd.DataFrame]:
    """Return the ids of all accounts in their order, and what each does: one column a feature.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        tables: Canonical tables.
        present: Canonical tables that something fed; features of the others are left out.
        days: Requests by account and day, as :func:`ringfence.graphbuild.sightings.activity` makes them.

    Counts are 0 where nothing was seen; shares, means and sums are null there. What floating point adds is
    rounded, so that the order of the rows does not show.
    """
    rows = engine.to_pyarrow(tables("accounts").select("account_id", "created_at").order_by("account_id"))
    accounts = rows["account_id"].combine_chunks()
    features: dict[str, pd.Series] = {}
    # One after the other and not joined: a join of all would hold them all at once.
    for group in _groups(tables, present, days):
        found = engine.to_pyarrow(group)
        place = pc.index_in(accounts, found["account_id"])
        for name, column in zip(found.column_names[1:], found.columns[1:], strict=True):
            of_all = column.take(place)
            is_count = pa.types.is_integer(column.type)
            features[name] = (pc.fill_null(of_all, 0) if is_count else of_all).to_pandas()
    if "first_request" in features:
        first = features.pop("first_request")
        features["age_days_at_first_request"] = _days_between(rows["created_at"].to_pandas(), first)
    return accounts, pd.DataFrame(features, range(len(accounts)), copy=False)


def _groups(tables: Tables, present: frozenset[str], days: Any) -> Iterator[Any]:
    """Yield Ibis tables of account_id and features."""
    if "requests" in present:
        yield _days_active(days)
    makers = {
        "requests": (_requests, _hours),
        "payments": (_payments,),
        "logins": (_logins,),
        "transfers": (_sent, _received),
    }
    for table, made in makers.items():
        if table in present:
            yield from (make(tables(table)) for make in made)


def entity_counts(seen: Mapping[str, Seen], accounts: int) -> pd.DataFrame:
    """Return how many entities of each type every account was seen with; row ``i`` is account ``i``."""
    return pd.DataFrame(
        {f"{name}s": np.bincount(sighted.account, minlength=accounts) for name, sighted in seen.items()}
    )


def _days_between(start: pd.Series, end: pd.Series) -> pd.Series:
    """Return the days from start to end; 0 where clocks disagree, null where either is unknown."""
    seconds: pd.Series = (end.dt.floor("s") - start.dt.floor("s")).dt.total_seconds()
    return (seconds / _SECONDS_A_DAY).clip(lower=0.0)


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
