"""Parquet files: a row per account, with types, every value exactly as it is."""

from __future__ import annotations

import io
from typing import Any

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.files import FileSink
from ringfence.enforcement.sinks.rows import COLUMNS, LISTS, TIMES, of_accounts, of_event

_NUMBERS = ("score", "probability")


class ParquetFiles(FileSink):
    """Times are UTC, lists are lists; the bytes are the same wherever the same Arrow writes them."""

    extension = "parquet"
    media_type = "application/vnd.apache.parquet"

    def render(self, event: Event) -> bytes:
        """Return a Parquet file with a row per account."""
        import pyarrow as pa
        from pyarrow import parquet

        shared = of_event(event) | {"occurred_at": event.occurred_at, "expires_at": event.expires_at}
        accounts = list(of_accounts(event))
        columns = [
            _repeated(pa, name, shared[name], len(accounts))
            if name in shared
            else pa.array([account[name] for account in accounts], _type(pa, name))
            for name in COLUMNS
        ]
        written = io.BytesIO()
        parquet.write_table(pa.table(columns, names=list(COLUMNS)), written, compression="zstd")
        return written.getvalue()


def _repeated(pa: Any, name: str, value: Any, times: int) -> Any:
    """Return a column that has one value in all rows."""
    one = pa.array([value], _type(pa, name))
    return one.take(pa.array([0] * times, pa.int32()))


def _type(pa: Any, name: str) -> Any:
    if name in TIMES:
        return pa.timestamp("us", "UTC")
    if name in LISTS:
        return pa.list_(pa.string())
    if name == "version":
        return pa.int64()
    return pa.float64() if name in _NUMBERS else pa.string()
