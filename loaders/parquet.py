"""Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.errors import InputError
from ringfence.loaders.protocol import LINE, Tally, with_absent
from ringfence.loaders.values import without_unclean_text

_ROWS_A_BATCH = 1 << 18
# Column names that are not UTF-8 are plain value errors.
_DAMAGE = (OSError, ValueError, pa.ArrowException)


class ParquetReader:
    """Reads Parquet; values keep their types."""

    sparse = False

    def columns(self, path: Path) -> dict[str, pa.DataType]:
        """Return the file's columns and types."""
        try:
            schema = pq.read_schema(path)
            names = schema.names
        except _DAMAGE as error:
            raise InputError(f"{path} is not a whole Parquet file: {error}") from error
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"{path} has more than one column {', '.join(map(repr, twice))}.")
        return dict(zip(names, schema.types, strict=True))

    def batches(self, path: Path, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        """Yield rows with the file's own types."""
        there = self.columns(path)
        known = [name for name in columns if name in there]
        row = 1
        try:
            with pq.ParquetFile(path) as file:
                said = file.metadata.num_rows
                tally.rows_in += said
                for batch in file.iter_batches(_ROWS_A_BATCH, columns=known):
                    lines = np.arange(row, row + batch.num_rows, dtype=np.int64)
                    row += batch.num_rows
                    table = pa.Table.from_batches([batch]).append_column(LINE, pa.array(lines))
                    yield with_absent(without_unclean_text(table, tally), columns)
        except _DAMAGE as error:
            raise InputError(f"{path} is damaged after row {row - 1}: {error}") from error
        if row - 1 != said:
            raise InputError(f"{path} is damaged: it says it has {said} rows, and {row - 1} are in it.")
