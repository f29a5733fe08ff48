"""A casebook of one's own, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stopped_clock import Clock

from ringfence.enforcement.casebook.database import Casebook
from ringfence.state import StateFolder


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def book(state: StateFolder, clock: Clock) -> Iterator[Casebook]:
    with Casebook.open(state.casebook, clock=clock) as opened:
        yield opened
