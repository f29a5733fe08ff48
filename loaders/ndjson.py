"""NDJSON: a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.engine import connect
from ringfence.loaders.chunks import Chunk, after_last_line, chunks, line_feeds, without_unclean
from ringfence.loaders.protocol import LINE, Tally

_SAMPLE_LINES = 200
_ROWS_A_BATCH = 1 << 15

# One pass of DuckDB's JSON parser over a line gives all columns; the paths are a parameter.
_EXTRACT = """
SELECT line, json_type(text) AS type, json_extract_string(text, ?) AS fields
FROM (SELECT line, CASE WHEN json_valid(text) THEN text END AS text FROM lines)
"""


class NdjsonReader:
    """Reads NDJSON. Values become text; objects and arrays stay JSON."""

    def columns(self, path: Path) -> dict[str, pa.DataType]:
        """Return the names seen in the first lines."""
        names: dict[str, pa.DataType] = {}
        unheeded = Tally(str(path), "")
        for chunk in chunks(path, unheeded, after_last_line):
            for line in chunk.data.split(b"\n")[:_SAMPLE_LINES]:
                names.update(dict.fromkeys(_keys(line), pa.string()))
            break
        return names

    def batches(self, path: Path, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        """Yield rows as text columns."""
        # No spilling: lines may hold prompt text.
        engine = connect(None).con
        paths = [f"$.{json.dumps(name, ensure_ascii=False)}" for name in columns]
        for chunk in chunks(path, tally, after_last_line):
            engine.register("lines", _lines(chunk, tally))
            rows = engine.sql(_EXTRACT, params=[paths]).to_arrow_table()
            yield _columns(rows, columns, tally)


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
    table = table.filter(pc.not_equal(pc.utf8_trim_whitespace(text), ""))
    tally.rows_in += table.num_rows
    return pa.Table.from_batches(table.to_batches(max_chunksize=_ROWS_A_BATCH), table.schema)


def _offsets(chunk: Chunk) -> npt.NDArray[np.int64]:
    """Return where each line starts, and where the last one ends; shape: ``(lines + 1,)``."""
    return np.concatenate((np.zeros(1, np.int64), line_feeds(chunk.data) + 1))


def _columns(rows: pa.Table, columns: Sequence[str], tally: Tally) -> pa.Table:
    # The type is null where the text is no JSON at all.
    good = pc.fill_null(pc.equal(rows["type"], "OBJECT"), False)
    for line in rows["line"].filter(pc.invert(good)).to_pylist():
        tally.refuse(line, None, "is not a JSON object")
    rows = rows.filter(good).combine_chunks()
    values = {name: pc.list_element(rows["fields"], place) for place, name in enumerate(columns)}
    return pa.table({**values, LINE: rows["line"]})


def _keys(line: bytes) -> list[str]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return list(row) if isinstance(row, dict) else []
