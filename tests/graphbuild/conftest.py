"""Small worlds of canonical tables, on the engine that runs use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from canonical_frames import World, as_tables
from hypothesis import settings

from ringfence.engine import connect

# The same cases on every machine, and no clock: two cores may be shared by many.
settings.register_profile("graphbuild", deadline=None, derandomize=True)
settings.load_profile("graphbuild")


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
