"""What the contract tests of all sinks that write files share: the other side is a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringfence.testing.sink_contract import SinkContract


class FileContract(SinkContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Path:
        return tmp_path / "exports"

    def settings(self, backend: Path) -> dict[str, Any]:
        return {"folder": backend.name}

    def held(self, backend: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in backend.glob("*") if path.is_file()}

    @contextmanager
    def broken(self, backend: Path) -> Iterator[None]:
        backend.write_text("a file where the folder should be")
        yield
        backend.unlink()


def leaves(value: Any) -> list[str]:
    """Every value within a JSON value, as text."""
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in leaves(one)]
    return [str(value)]
