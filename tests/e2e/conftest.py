"""One demonstration, which many tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import ringfence

from ringfence.stores.local import LocalServer


@dataclass(frozen=True)
class Demo:
    folder: Path
    said: str

    @property
    def out(self) -> Path:
        return self.folder / "out"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, neo4j_server: LocalServer) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    said = ringfence(
        "demo", "--out", folder, "--neo4j", neo4j_server.address, "--force", server=neo4j_server
    ).stdout
    return Demo(folder, said)
