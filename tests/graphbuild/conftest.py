"""Small worlds of canonical tables, on the engine that runs use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import settings

from ringfence.engine import connect
from ringfence.loaders.staging import canonical_schema
from ringfence.schema import TABLES

# The same cases on every machine, and no clock: two cores may be shared by many.
settings.register_profile("graphbuild", deadline=None, derandomize=True)
settings.load_profile("graphbuild")

World = Mapping[str, pd.DataFrame]


def as_tables(world: World) -> Callable[[str], Any]:
    """Return the canonical tables of a world; columns that it does not give are null."""

    def table(name: str) -> Any:
        schema = canonical_schema(TABLES[name]).to_pyarrow()
        rows = world.get(name, pd.DataFrame())
        rows = pd.DataFrame({column: rows.get(column) for column in schema.names}, index=rows.index)
        return ibis.memtable(rows, schema=ibis.Schema.from_pyarrow(schema))

    return table


@pytest.fixture(scope="session")
def engine() -> Iterator[Any]:
    backend = connect(None)
    backend.con.execute("SET threads = 1")
    yield backend
    backend.disconnect()


@pytest.fixture(scope="session")
def tables() -> Callable[[World], Callable[[str], Any]]:
    """Return the maker of canonical tables."""
    return as_tables
