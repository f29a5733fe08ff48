"""Any one file that has a column of prompts, as it streams by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ringfence.engine import connect
from ringfence.errors import InputError, near_names, told
from ringfence.loaders.ahead import ahead
from ringfence.loaders.chunks import after_last_line, chunks, line_feeds, without_unclean
from ringfence.loaders.discover import READERS
from ringfence.loaders.protocol import LINE, Reader, Tally
from ringfence.loaders.values import is_readable, plain
from ringfence.schema import TABLES, Kind

ACCOUNT = "account_id"
"""Where accounts are looked for unless another column is named."""

_COMPRESSED = (".gz", ".zst")
_USUAL_RATIO = 4
"""How much larger than the file its rows are, where it is compressed; only the progress bar asks."""
_ROWS_A_PIECE = 1 << 15
_BYTES_A_PIECE = 1 << 28
_PROMPTS = frozenset(c.name for t in TABLES.values() for c in t.columns if c.kind is Kind.PROMPT)
_NAMES = "SELECT DISTINCT unnest(TRY(json_keys(text))) AS name FROM lines ORDER BY name"


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file that has a column of prompts."""

    path: Path
    reader: Reader
    columns: tuple[str, ...]
    """Every column that is read."""
    column: str
    """Where the prompts stand."""
    account: str | None
    """Where the accounts stand that sent them."""
    kept: dict[str, pa.DataType]
    """Columns to be written, with their types."""
    left_out: tuple[str, ...]
    """Columns that hold prompts and are not to be written."""
    bytes: int
    """About what all rows take, at least 1."""
    stamp: tuple[int, int]
    """Size and time of the last change when it was opened."""

    def pieces(self, tally: Tally) -> Iterator[pa.RecordBatch]:
        """Yield the rows in their order, a bounded piece at a time, the same pieces each time.

        Raises:
            InputError: the file is damaged.
        """
        for table in ahead(self.reader.batches(self.path, self.columns, tally)):
            for batch in table.select(list(self.columns)).to_batches(max_chunksize=_ROWS_A_PIECE):
                yield from _cut(batch)

    def changed(self) -> bool:
        """Whether the file is another one than when it was opened."""
        return _stamp(self.path) != self.stamp


def open_prompts(
    path: Path, column: str, account: str | None, *, keep: bool, added: tuple[str, ...]
) -> PromptFile:
    """Look at a file and say what of it is read and written.

    Args:
        path: Parquet, CSV or NDJSON, as its suffix says; also ``.gz`` and ``.zst``.
        column: Where the prompts stand.
        account: Where the accounts stand that sent them; None for :data:`ACCOUNT`, which may be absent.
        keep: Whether text may be written. If not, columns that a log's prompts stand in are left out with it.
        added: Names that columns to be written cannot have.

    Raises:
        InputError: the file is missing or cannot be read, lacks a column, or has one that cannot be used.
    """
    reader = _reader(path)
    there = _columns(path, reader)
    # An NDJSON file without rows names no columns, and is no error.
    there = there or dict.fromkeys([column, *([account] if account else [])], pa.string())
    _check_columns(path, there, column, account)
    found = account or (ACCOUNT if ACCOUNT in there else None)
    left_out = () if keep else tuple(name for name in there if name in _PROMPTS or name == column)
    kept = {name: kind for name, kind in there.items() if name not in left_out}
    if twice := [name for name in added if name in kept]:
        raise InputError(
            f"{path} has a column {' and '.join(map(repr, twice))}, which is to be added. Rename it first."
        )
    compressed = path.suffix.lower() in (*_COMPRESSED, ".parquet")
    size = path.stat().st_size * (_USUAL_RATIO if compressed else 1)
    return PromptFile(path, reader, tuple(there), column, found, kept, left_out, max(size, 1), _stamp(path))


def text_of(rows: pa.RecordBatch, column: str) -> pa.Array:
    """Return a column of text as plain strings, white space and all; shape: ``(rows,)``."""
    values = rows[column]
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(pa.string())


def accounts_of(rows: pa.RecordBatch, column: str | None) -> pa.Array:
    """Return the accounts of the rows as text, null where nobody is named; shape: ``(rows,)``."""
    if column is None:
        return pa.nulls(rows.num_rows, pa.string())
    return plain(pa.chunked_array([rows[column]])).cast(pa.string()).combine_chunks()


def _reader(path: Path) -> Reader:
    if not path.exists():
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"{path} does not exist.{near_names(path.name, siblings)}")
    if not path.is_file():
        raise InputError(f"{path} is no file. Name one file of prompts; it is read twice.")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    reader = READERS.get(suffixes[-1]) if suffixes else None
    if reader is None:
        known = ", ".join(READERS)
        raise InputError(f"{path} has no known format; known are {known}, also with .gz or .zst.")
    return reader


def _columns(path: Path, reader: Reader) -> dict[str, pa.DataType]:
    """Return all columns and their types; of a file whose rows may differ, those of all rows."""
    there = reader.columns(path)
    if reader.sparse and there:
        there |= {name: pa.string() for name in _later_names(path) if name not in there}
    odd = sum(not _is_text(name) for name in there)
    if odd:
        raise InputError(f"{path} has {odd} columns whose names are no text, or hold a NUL. Rename them.")
    return there


def _later_names(path: Path) -> list[str]:
    """Return the names in all rows of an NDJSON file, sorted."""
    engine = connect(None).con
    names: set[str] = set()
    for chunk in chunks(path, Tally("", ""), after_last_line):
        ends = line_feeds(chunk.data) + 1
        clean = without_unclean(chunk, np.concatenate(([0], ends[:-1])), ends, Tally("", ""))
        starts = np.concatenate((np.zeros(1, np.int64), line_feeds(clean.data) + 1))
        text = pa.LargeStringArray.from_buffers(
            len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(clean.data)
        )
        lines = pa.Table.from_batches(pa.table({"text": text}).to_batches(max_chunksize=_ROWS_A_PIECE))
        engine.register("lines", lines)
        names.update(engine.sql(_NAMES).to_arrow_table()["name"].to_pylist())
    return sorted(names)


def _is_text(name: str) -> bool:
    try:
        return b"\0" not in name.encode()
    except UnicodeEncodeError:
        return False


def _check_columns(path: Path, there: dict[str, pa.DataType], column: str, account: str | None) -> None:
    for name, option in ((column, "--column"), (account, "--account-column")):
        if name is not None and name not in there:
            raise InputError(
                f"{path} has no column {name!r} ({option}).{near_names(name, there)} It has: {told(there)}."
            )
    if LINE in there:
        raise InputError(f"{path} has a column {LINE!r}, by which rows are counted here. Rename it first.")
    if not _holds_text(there[column]):
        raise InputError(f"{path}: column {column!r} holds {there[column]}, and prompts are text.")
    sender = account or ACCOUNT
    if sender in there and not is_readable(there[sender]):
        raise InputError(f"{path}: column {sender!r} holds {there[sender]}, which names no accounts.")


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_text(kind.value_type)
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(is_one(kind) for is_one in text)


def _cut(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield rows in pieces that plain strings can hold, whatever the length of a prompt."""
    if rows.nbytes <= _BYTES_A_PIECE or rows.num_rows < 2:
        yield rows
        return
    half = rows.num_rows // 2
    yield from _cut(rows[:half])
    yield from _cut(rows[half:])


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
