"""The table formats: CSV, JSONL and Parquet files, against the contract and on their own."""

from __future__ import annotations

import csv
import io
import json
import re

from file_sinks import FileContract, leaves
from pyarrow import parquet

from ringfence.enforcement.sinks.rows import COLUMNS


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
        return leaves(rows)


class TestParquetFiles(FileContract):
    kind = "parquet"

    def values(self, body: bytes) -> list[str]:
        rows = parquet.read_table(io.BytesIO(body)).to_pylist()
        return leaves(rows)
