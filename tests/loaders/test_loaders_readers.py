"""Every reader keeps the same promises: the contract, and one subclass a reader."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pytest
from loading import Row, put, written

from ringfence.errors import InputError
from ringfence.loaders.discover import READERS
from ringfence.loaders.protocol import LINE, Tally

COLUMNS = ("id", "text")
ROWS: list[Row] = [
    {"id": "1", "text": 'quotes "" and, commas; tabs\tand | bars'},
    {"id": "2", "text": "two\nlines"},
    {"id": "3", "text": None},
    {"id": "4", "text": "grün, 東京, 🦊"},
]


class ReaderContract:
    """Promises of every reader; a subclass names the suffixes and where the rows above begin."""

    suffixes: ClassVar[tuple[str, ...]]
    lines: ClassVar[tuple[int, ...]]
    shows_damage: ClassVar[tuple[str, ...]] = (".gz", ".zst")
    """Compressions that show that a file was cut; a text that is cut is a shorter text."""

    @pytest.fixture(params=["", ".gz", ".zst"])
    def path(self, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
        path = tmp_path / f"rows{self.suffixes[0]}{request.param}"
        put(path, written(ROWS, COLUMNS, path.name))
        return path

    def read(self, path: Path, columns: tuple[str, ...] = COLUMNS) -> tuple[pa.Table, Tally]:
        tally = Tally(path.name, "rows")
        batches = list(READERS[self.suffixes[0]].batches(path, list(columns), tally))
        return pa.concat_tables(batches), tally

    def test_rows_come_as_they_were_written(self, path: Path) -> None:
        table, tally = self.read(path)
        assert table.select(COLUMNS).to_pylist() == ROWS
        assert (tally.rows_in, tally.rejections) == (4, [])

    def test_each_row_knows_its_line(self, path: Path) -> None:
        table, _tally = self.read(path)
        assert tuple(table[LINE].to_pylist()) == self.lines

    def test_columns_are_known_before_rows_are_read(self, path: Path) -> None:
        assert list(READERS[self.suffixes[0]].columns(path)) == list(COLUMNS)

    def test_absent_column_is_null(self, path: Path) -> None:
        table, _tally = self.read(path, ("text", "absent"))
        assert table["absent"].null_count == 4
        assert table["text"].to_pylist() == [row["text"] for row in ROWS]

    def test_damaged_file_is_an_input_error(self, tmp_path: Path) -> None:
        for ending in self.shows_damage:
            path = tmp_path / f"rows{self.suffixes[0]}{ending}"
            put(path, written(ROWS, COLUMNS, path.name))
            path.write_bytes(path.read_bytes()[:-9])
            with pytest.raises(InputError, match="is not a whole"):
                self.read(path)

    def test_unreadable_file_is_an_input_error(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"none\."):
            READERS[self.suffixes[0]].columns(tmp_path / f"none{self.suffixes[0]}")


class TestCsv(ReaderContract):
    suffixes = (".csv",)
    lines = (2, 3, 5, 6)


class TestTsv(ReaderContract):
    suffixes = (".tsv",)
    lines = (2, 3, 5, 6)


class TestNdjson(ReaderContract):
    suffixes = (".ndjson", ".jsonl", ".json")
    lines = (1, 2, 3, 4)


class TestParquet(ReaderContract):
    suffixes = (".parquet",)
    lines = (1, 2, 3, 4)
    shows_damage = ("",)

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Parquet compresses its own pages."""
        put(tmp_path / "rows.parquet", written(ROWS, COLUMNS, ".parquet"))
        return tmp_path / "rows.parquet"


def test_every_reader_has_its_contract_test() -> None:
    tested = {suffix for contract in ReaderContract.__subclasses__() for suffix in contract.suffixes}
    assert tested == set(READERS)
