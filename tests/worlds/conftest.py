"""Generated worlds that tests share: they are read, never changed."""

from __future__ import annotations

import pytest
from made_world import REPORTING, TUNING, MadeWorld, make


@pytest.fixture(scope="session")
def tuning_world(tmp_path_factory: pytest.TempPathFactory) -> MadeWorld:
    """Every type that may be tuned on, three rings of each or more."""
    return make(tmp_path_factory.mktemp("tuning") / "world", TUNING)


@pytest.fixture(scope="session")
def reporting_world(tmp_path_factory: pytest.TempPathFactory) -> MadeWorld:
    """Every type that figures are reported on, two rings of each or more."""
    return make(tmp_path_factory.mktemp("reporting") / "world", REPORTING)


@pytest.fixture(scope="session", params=["tuning_world", "reporting_world"])
def world(request: pytest.FixtureRequest) -> MadeWorld:
    """Either world."""
    made: MadeWorld = request.getfixturevalue(request.param)
    return made
