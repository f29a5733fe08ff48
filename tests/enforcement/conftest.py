"""A casebook of one's own, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringfence.enforcement.casebook.database import Casebook
from ringfence.state import StateFolder

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **by: float) -> None:
        self.now += timedelta(**by)


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
