"""NDJSON: a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.engine import connect
from ringfence.errors import InputError
from ringfence.loaders.chunks import Chunk, after_last_line, chunks, line_feeds, without_unclean
from ringfence.loaders.protocol import LINE, Tally
from ringfence.loaders.values import without_unclean_text

_SAMPLE_LINES = 2_000
_CONSTANT = r"[:,\[]\s*-?(?:nan|inf)"
_NUL_ESCAPED = b"\\u0000"
_ROWS_A_BATCH = 1 << 15

# One pass of DuckDB's JSON parser over a line gives all columns; the paths are a parameter. Text that is no
# JSON gives null; of JSON, what begins with a brace is an object.
_EXTRACT = """
SELECT line, starts_with(ltrim(text, ' \t\r\n'), '{') AS object, TRY(json_extract_string(text, ?)) AS fields
FROM lines
"""


class NdjsonReader:
    """Reads NDJSON. Values become text; objects and arrays stay JSON."""

    sparse = True

    def columns(self, path: Path) -> dict[str, pa.DataType]:
        """Return the names seen in the first lines; none where all of them are blank."""
        unheeded = Tally(str(path), "")
        first = next(chunks(path, unheeded, after_last_line), None)
        lines = first.data.split(b"\n", _SAMPLE_LINES)[:_SAMPLE_LINES] if first else []
        rows = [_row(line) for line in lines if line.strip()]
        if rows and not any(isinstance(row, dict) for row in rows):
            raise InputError(
                f"{path} has no JSON object in its first lines. NDJSON is one object a line, and no array"
                " around them; `jq -c '.[]'` makes one of the other."
            )
        names = (str(name) for row in rows if isinstance(row, dict) for name in row)
        return dict.fromkeys(names, pa.string())

    def batches(self, path: Path, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        """Yield rows as text columns."""
        # No spilling: lines may hold prompt text.
        engine = connect(None).con
        # Pointers (RFC 6901), for in paths a star is a wildcard even within quotes.
        paths = ["/" + name.replace("~", "~0").replace("/", "~1") for name in columns]
        for chunk in chunks(path, tally, after_last_line):
            engine.register("lines", _strict(_lines(chunk, tally), chunk, tally))
            rows = engine.sql(_EXTRACT, params=[paths]).to_arrow_table()
            table = _columns(rows, columns, tally)
            yield without_unclean_text(table, tally) if _NUL_ESCAPED in chunk.data else table


def _lines(chunk: Chunk, tally: Tally) -> pa.Table:
    """Return the lines that are not blank as a table (line, text), without copying the text."""
    offsets = _offsets(chunk)
    clean = without_unclean(chunk, offsets[:-1], offsets[1:], tally)
    if clean is not chunk:
        chunk, offsets = clean, _offsets(clean)
    rows = len(offsets) - 1
    text = pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(chunk.data))
    numbers = np.arange(chunk.first_line, chunk.first_line + rows, dtype=np.int64)
    table = pa.table({"line": pa.array(numbers), "text": text})
    table = table.filter(pc.not_equal(pc.ascii_trim_whitespace(text), ""))
    tally.rows_in += table.num_rows
    return pa.Table.from_batches(table.to_batches(max_chunksize=_ROWS_A_BATCH), table.schema)


def _strict(lines: pa.Table, chunk: Chunk, tally: Tally) -> pa.Table:
    """Return the lines without those that hold NaN or Infinity: no JSON, though many tools write them.

    As text they would be values like any other, and accounts without a device would share one.
    """
    small = chunk.data.lower()
    if b"nan" not in small and b"inf" not in small:
        return lines
    suspects = lines.filter(pc.match_substring_regex(lines["text"], _CONSTANT, ignore_case=True))
    odd = [row["line"] for row in suspects.to_pylist() if _has_constant(row["text"])]
    if not odd:
        return lines
    for line in odd:
        tally.refuse(
            line, None, "holds NaN or Infinity, which JSON has not; null says that there is no value"
        )
    return lines.filter(pc.invert(pc.is_in(lines["line"], pa.array(odd, pa.int64()))))


def _has_constant(text: str) -> bool:
    found: list[str] = []
    try:
        json.loads(text, parse_constant=found.append)
    except (ValueError, RecursionError):
        # Refused in any case; short or lower-case spellings, which Python knows not, are not told apart.
        return True
    return bool(found)


def _offsets(chunk: Chunk) -> npt.NDArray[np.int64]:
    """Return where each line starts, and where the last one ends; shape: ``(lines + 1,)``."""
    return np.concatenate((np.zeros(1, np.int64), line_feeds(chunk.data) + 1))


def _columns(rows: pa.Table, columns: Sequence[str], tally: Tally) -> pa.Table:
    good = pc.and_(rows["object"], pc.is_valid(rows["fields"]))
    for line in rows["line"].filter(pc.invert(good)).to_pylist():
        tally.refuse(line, None, "is not a JSON object")
    rows = rows.filter(good).combine_chunks()
    # Every row has as many fields as there are columns, one behind the other.
    fields = rows["fields"].combine_chunks().flatten()
    places = np.arange(rows.num_rows, dtype=np.int64) * len(columns)
    values = {name: fields.take(pa.array(places + place)) for place, name in enumerate(columns)}
    return pa.table({**values, LINE: rows["line"]})


def _row(line: bytes) -> Any:
    """Return what a line says, None where it is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
