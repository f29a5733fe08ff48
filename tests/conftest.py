"""What tests of several areas share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from ringfence.stores import local

# Nothing is timed in a test: where cores are shared, any example may take long.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever needs the server, so that one process at a time has one."""
    for item in items:
        if "neo4j_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.neo4j)


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local.LocalServer]:
    """A real server in a home of its own: address, user, password. Whoever uses it empties it first."""
    home = tmp_path_factory.mktemp("neo4j_server")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RINGFENCE_HOME", str(home))
        server = local.up()
    yield server
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RINGFENCE_HOME", str(home))
        local.down()
