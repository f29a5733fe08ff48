"""The table formats: CSV, JSONL and Parquet files, against the contract and on their own."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from ringfence.enforcement.sinks.rows import COLUMNS
from ringfence.testing.sink_contract import SinkContract


class FileContract(SinkContract):
    """What all file sinks share: the other side is a folder."""

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


def unescaped(cell: str) -> str:
    """Undo what the module says can be undone, written after its words and not its code."""
    bare = re.sub("(^|[;,|])'(?=[\\s\"'`´‘’“”\u200c\u200d]*[-=+@＝＋－＠﹦﹢﹣﹫−])", r"\1", cell)
    return re.sub(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})", lambda one: chr(int(one[1] or one[2], 16)), bare)


class TestCsvFiles(FileContract):
    kind = "csv"

    def values(self, body: bytes) -> list[str]:
        return [unescaped(cell) for row in csv.reader(io.StringIO(body.decode(), newline="")) for cell in row]


class TestJsonlFiles(FileContract):
    kind = "jsonl"

    def values(self, body: bytes) -> list[str]:
        rows = [json.loads(line) for line in body.decode("ascii").splitlines()]
        assert all(tuple(row) == COLUMNS for row in rows)
        return [str(one) for row in rows for value in row.values() for one in flat(value)]


class TestParquetFiles(FileContract):
    kind = "parquet"

    def values(self, body: bytes) -> list[str]:
        rows = parquet.read_table(io.BytesIO(body)).to_pylist()
        return [str(one) for row in rows for value in row.values() for one in flat(value)]


def flat(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
