"""Rows of canonical tables, a folder for each day of their time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ringfence.schema import TABLES, Kind

LOGS: dict[str, tuple[str, ...]] = {
    "requests": ("account_id", "ts", "model"),
    "payments": ("account_id", "ts", "instrument_type", "bin"),
    "logins": ("account_id", "ts"),
    "transfers": ("from_account_id", "to_account_id", "ts", "amount_usd"),
}
"""Canonical tables that come in day by day, and what linkage reads of their rows beside sightings."""

UNDATED = "undated"
"""Day of the rows that have no time."""

_MOST_DAYS = 1 << 16
"""In one delivery; more than there are between the first log ever and a clock that is wrong by a century."""

TYPES = {
    Kind.TIME: pa.timestamp("us", "UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.REAL: pa.float64(),
}
"""Arrow types of canonical columns; the others are text."""


def log_schema(table: str, columns: Iterable[str]) -> pa.Schema:
    """Return the types of a canonical table's columns."""
    kinds = {column: TABLES[table].column(column).kind for column in columns}
    return pa.schema([(column, TYPES.get(kind, pa.string())) for column, kind in kinds.items()])


def split_by_day(parts: list[Path], table: str, folder: Path) -> None:
    """Write the rows of one table's parts into a folder for each day."""
    rows = ds.dataset([str(part) for part in parts], format="parquet")
    columns = {column.name: pc.field(column.name) for column in TABLES[table].stored}
    day = pc.coalesce(pc.field("ts").cast(pa.date32()).cast(pa.string()), pa.scalar(UNDATED))
    ds.write_dataset(
        rows.scanner(columns={**columns, "_day": day}),
        folder,
        format="parquet",
        partitioning=ds.partitioning(pa.schema([("_day", pa.string())])),
        max_partitions=_MOST_DAYS,
    )
