"""CSV as RFC 4180 describes it; comma, semicolon, tab or bar between the values."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from ringfence.errors import InputError, told
from ringfence.loaders.chunks import BYTE_ORDER_MARK, Chunk, chunks, decompressed, line_feeds, without_unclean
from ringfence.loaders.csv_rows import Rows, find_rows
from ringfence.loaders.protocol import LINE, Tally, with_absent

_DELIMITERS = ",;\t|"
_HEADER_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class _Header:
    names: tuple[str, ...]
    delimiter: str


class CsvReader:
    """Reads CSV with a header line. An empty value is null."""

    sparse = False

    def columns(self, path: Path) -> dict[str, pa.DataType]:
        """Return the names in the header."""
        return dict.fromkeys(_read_header(path).names, pa.string())

    def batches(self, path: Path, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        """Yield rows as text columns."""
        header = _read_header(path)

        def after_last_row(data: bytes) -> int:
            return find_rows(data, header.delimiter).open_from

        for chunk in chunks(path, tally, after_last_row):
            table = _parse(*_rows_only(chunk, header, tally), header, tally)
            known = [name for name in columns if name in header.names]
            yield with_absent(table.select([*known, LINE]), columns)


def _read_header(path: Path) -> _Header:
    with decompressed(path) as stream:
        first = stream.read(_HEADER_LIMIT).removeprefix(BYTE_ORDER_MARK)
    try:
        line = first.split(b"\n", 1)[0].rstrip(b"\r").decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 in its header. Save it as UTF-8.") from error
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True), []))
    except csv.Error as error:
        raise InputError(f"{path} has no CSV header in its first line: {error}.") from error
    if not any(names):
        raise InputError(f"{path} has no header: its first line must name the columns.")
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise InputError(
            f"{path} names a column more than once in its first line, which must be a header: {told(twice)}."
        )
    return _Header(names, delimiter)


def _rows_only(chunk: Chunk, header: _Header, tally: Tally) -> tuple[Chunk, Rows]:
    """Return the chunk without its header and without what is no row; its line feeds stay."""
    if chunk.first_line == 1:
        chunk = Chunk(chunk.data[chunk.data.index(b"\n") :], 1)
    rows = find_rows(chunk.data, header.delimiter)
    while stray := _stray_lines(chunk.data, rows):
        chunk = _without_lines(chunk, stray, tally)
        rows = find_rows(chunk.data, header.delimiter)
    clean = without_unclean(chunk, rows.starts, rows.ends, tally)
    return clean, rows if clean is chunk else find_rows(clean.data, header.delimiter)


def _stray_lines(data: bytes, rows: Rows) -> tuple[int, ...]:
    # A chunk ends where a row ends; only the end of the file leaves a quote open.
    return rows.stray if rows.open_from == len(data) else (*rows.stray, rows.open_from)


def _without_lines(chunk: Chunk, starts: tuple[int, ...], tally: Tally) -> Chunk:
    kept, place = [], 0
    for start in starts:
        reason = "has a quote that is not closed, or one inside an unquoted value"
        tally.count_and_refuse(chunk.line_at(start), reason)
        kept.append(chunk.data[place:start])
        place = chunk.data.index(b"\n", start)
    return Chunk(b"".join([*kept, chunk.data[place:]]), chunk.first_line)


def _parse(chunk: Chunk, rows: Rows, header: _Header, tally: Tally) -> pa.Table:
    lines = _row_lines(chunk, rows)
    tally.rows_in += len(lines)
    text = dict.fromkeys(header.names, pa.string())
    if not len(lines):
        return pa.table(
            {**{name: pa.array([], pa.string()) for name in text}, LINE: pa.array([], pa.int64())}
        )
    refused: list[int] = []

    def odd(row: Any) -> str:
        # Arrow numbers the rows of a text that are not blank, from 1.
        refused.append(row.number - 1)
        counts = f"has {row.actual_columns} values where the header names {row.expected_columns}"
        tally.refuse(int(lines[row.number - 1]), None, counts)
        return "skip"

    table = pa_csv.read_csv(
        pa.BufferReader(chunk.data),
        # Arrow numbers rows for the handler only without threads.
        pa_csv.ReadOptions(
            column_names=list(header.names), use_threads=False, block_size=len(chunk.data) + 1
        ),
        pa_csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True, invalid_row_handler=odd),
        pa_csv.ConvertOptions(column_types=text, strings_can_be_null=True, null_values=[""]),
    )
    return table.append_column(LINE, pa.array(np.delete(lines, refused)))


def _row_lines(chunk: Chunk, rows: Rows) -> npt.NDArray[np.int64]:
    """Return the line at which each row starts that is not blank; shape: ``(rows,)``."""
    lines = chunk.first_line + np.searchsorted(line_feeds(chunk.data), rows.starts)
    octets = np.frombuffer(chunk.data, np.uint8)
    width = rows.ends - rows.starts
    blank = (width == 1) | ((width == 2) & (octets[rows.starts] == ord("\r")))
    return np.asarray(lines[~blank], np.int64)
