"""Accounts that no accounts table lists: made from what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import pyarrow.parquet as pq

from ringfence.files import Workspace
from ringfence.loaders.protocol import with_absent
from ringfence.loaders.staging import canonical_schema
from ringfence.schema import TABLES

_ACCOUNT_COLUMNS = {
    "requests": ("account_id",),
    "payments": ("account_id",),
    "logins": ("account_id",),
    "transfers": ("from_account_id", "to_account_id"),
    "account_events": ("account_id",),
}


def make_accounts(engine: Any, work: Workspace, tables: Callable[[str], Any]) -> int:
    """Add the accounts that only events name, in the order of their ids; return how many.

    Args:
        engine: Ibis backend of the tables.
        work: Where they are written, as a part of the accounts.
        tables: Gives a canonical table by its name.
    """
    listed = tables("accounts")
    named = [
        tables(table).select(account_id=column)
        for table, columns in _ACCOUNT_COLUMNS.items()
        for column in columns
    ]
    new = ibis.union(*named, distinct=True).anti_join(listed, "account_id").order_by("account_id")
    made = engine.to_pyarrow(new)
    schema = canonical_schema(TABLES["accounts"]).to_pyarrow()
    rows = with_absent(made, [name for name in schema.names if name != "account_id"])
    (work.tables / "accounts").mkdir(exist_ok=True)
    pq.write_table(rows.select(schema.names).cast(schema), work.tables / "accounts" / "part-made.parquet")
    return int(made.num_rows)
