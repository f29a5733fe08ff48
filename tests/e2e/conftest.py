"""Runs that many tests look at: they are read, never changed."""

from __future__ import annotations

import pytest
from commands import Demo, Trained, ringfence

from ringfence.stores.local import LocalServer


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, neo4j_server: LocalServer) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    said = ringfence(
        "demo", "--out", folder, "--neo4j", neo4j_server.address, "--force", server=neo4j_server
    ).stdout
    return Demo(folder, said)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    small = ("--scenario", "demo", "--scale", "0.0003", "--prevalence", "0.2", "--seed", "11")
    ringfence("worlds", "make", folder / "world", *small)
    ringfence("run", folder / "world" / "input", "--out", folder / "out", "--neo4j", "none")
    return Trained(folder / "world", folder / "out")
