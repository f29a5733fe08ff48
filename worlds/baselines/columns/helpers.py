"""Group-bys that several groups of own-account columns are made of."""

from __future__ import annotations

from typing import Any

import ibis

from ringfence.worlds.baselines.tables import fetched

FREQUENT = 30
"""Values of a categorical column that get a column of their own."""


def share(condition: Any) -> Any:
    """Return the share of rows that meet a condition; null where it is null everywhere."""
    return condition.cast("float64").mean()


def moments(name: str, values: Any) -> dict[str, Any]:
    """Return the mean and the standard deviation of values."""
    values = values.cast("float64")
    return {f"{name}_mean": values.mean(), f"{name}_sd": values.std(how="pop")}


def variety(rows: Any, name: str, value: Any, *, own_rows: str) -> Any:
    """Return per account how many different values there are, per row, and the share of the most frequent.

    Args:
        rows: With account_id.
        name: Stem of the columns' names.
        value: A column of the rows, or an expression over them; nulls are left out.
        own_rows: What a row is, for the name of the ratio.
    """
    each = rows.select("account_id", value=value).filter(lambda t: t["value"].notnull())
    counted = each.group_by("account_id", "value").agg(n=each.count())
    # Two group-bys rather than a distinct count: each can spill.
    return counted.group_by("account_id").agg(
        **{
            f"{name}_count": counted.count(),
            f"{name}_per_{own_rows}": counted.count() / counted["n"].sum(),
            f"{name}_top_share": counted["n"].max() / counted["n"].sum(),
        }
    )


def shares(engine: Any, rows: Any, column: str, name: str | None = None) -> Any:
    """Return per account the share of its rows with each frequent value, as ``name=value`` columns.

    Args:
        engine: Ibis backend: which values are frequent is asked first.
        rows: With account_id and the column.
        column: A text column.
        name: Stem of the columns' names, the column's own where None.
    """
    known = rows.filter(rows[column].notnull())
    counted = known.group_by(column).agg(n=known["account_id"].nunique())
    top = fetched(engine, counted.order_by(ibis.desc("n"), column).limit(FREQUENT))
    values = {f"{name or column}={value}": share(rows[column] == value) for value in top[column]}
    return rows.group_by("account_id").agg(**values) if values else rows.select("account_id").distinct()
