"""Frames as the canonical tables that runs read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ibis
import pandas as pd

from ringfence.loaders.staging import canonical_schema
from ringfence.schema import TABLES

World = Mapping[str, pd.DataFrame]


def as_tables(world: World) -> Callable[[str], Any]:
    """Return the canonical tables of a world; columns that it does not give are null."""

    def table(name: str) -> Any:
        schema = canonical_schema(TABLES[name]).to_pyarrow()
        rows = world.get(name, pd.DataFrame())
        rows = pd.DataFrame({column: rows.get(column) for column in schema.names}, index=rows.index)
        return ibis.memtable(rows, schema=ibis.Schema.from_pyarrow(schema))

    return table
