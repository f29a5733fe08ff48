"""What a reader of one file format does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from ringfence.records import Rejection

LINE = "_line"
"""Column of every raw batch: 1-based line of a text file, 1-based row of a Parquet file."""


@dataclass(slots=True)
class Tally:
    """What was found in one file while it was read for one table."""

    file: str
    table: str
    rows_in: int = 0
    """Rows found, counted by the reader before anything is parsed."""
    unselected: int = 0
    """Rows that the mapping's ``only_where`` leaves out: none of this table's. Counted by the loader."""
    outside: int = 0
    """Rows of the table that lie outside the window that is looked at. Counted by the loader."""
    rejections: list[Rejection] = field(default_factory=list)

    def refuse(self, line: int | None, column: str | None, reason: str) -> None:
        """Note that a row which was counted is refused."""
        self.rejections.append(Rejection(self.file, self.table, line, column, reason))

    def count_and_refuse(self, line: int, reason: str) -> None:
        """Note a row that is refused before the rows around it are counted."""
        self.rows_in += 1
        self.refuse(line, None, reason)


class Reader(Protocol):
    """Reads one file format, a batch at a time, in memory that does not grow with the file."""

    sparse: bool
    """Whether rows may have columns that the beginning of the file does not show."""

    def columns(self, path: Path) -> dict[str, pa.DataType]:
        """Return the columns the file has, as far as its beginning tells.

        Raises:
            InputError: the file cannot be read as this format.
        """
        ...

    def batches(self, path: Path, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        """Yield the rows: the columns asked for (null where absent) and :data:`LINE`.

        Every row found is counted in ``tally.rows_in``, and is either yielded or refused; text that is
        yielded is UTF-8 without NUL.

        Raises:
            InputError: the file is damaged, from this place on or as a whole.
        """
        ...


def with_absent(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return the table with a column of nulls for each name it lacks."""
    for name in columns:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table
