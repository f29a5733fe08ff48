"""Arrow tables as the Python values that a store takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa


def columns_of(table: pa.Table) -> dict[str, list[Any]]:
    """Return the columns as lists of plain values: None for nulls, times as UTC ``datetime``."""
    return {name: _values(column) for name, column in zip(table.column_names, table.columns, strict=True)}


def rows_of(table: pa.Table) -> list[list[Any]]:
    """Return the rows as lists of plain values: None for nulls, times as microseconds since the epoch.

    Numbers, as a driver takes many times as long to send a ``datetime``.
    """
    columns = [_numbers(column) if is_time(column.type) else column for column in table.columns]
    return [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]


def is_time(kind: pa.DataType) -> bool:
    """Return whether a column of that type holds times; without a zone they are UTC."""
    return bool(pa.types.is_timestamp(kind))


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not is_time(column.type):
        values: list[Any] = column.to_pylist()
        return values
    return [None if value is None else _utc(value) for value in _micros(column).to_pylist()]


def _micros(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.timestamp("us", column.type.tz), safe=False)


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return _micros(column).cast(pa.int64())


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
