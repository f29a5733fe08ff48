"""Arrow tables as the Python values that a store takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa


def columns_of(table: pa.Table) -> dict[str, list[Any]]:
    """Return the columns as lists of plain values: None for nulls, times as UTC ``datetime``."""
    return {name: _values(column) for name, column in zip(table.column_names, table.columns, strict=True)}


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).to_pylist()
    return [None if value is None else _utc(value) for value in micros]


def _utc(value: datetime) -> datetime:
    # The driver writes the standard library's UTC as an offset; a named zone would show as [UTC].
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
