"""Text files in chunks that end where a row ends, decompressed on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.errors import InputError
from ringfence.loaders.protocol import Tally

CHUNK_BYTES = 1 << 24
ROW_LIMIT = 1 << 24
"""The longest row that is read, in bytes; a prompt may be 1 MB, and escapes make it longer."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
_LINE_FEED = 10


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole rows of a file."""

    data: bytes
    first_line: int
    """1-based number of its first line."""

    def line_at(self, place: int) -> int:
        """Return the number of the line that the byte at ``place`` stands in."""
        return self.first_line + self.data.count(b"\n", 0, place)


@contextmanager
def decompressed(path: Path) -> Iterator[Any]:
    """Open a file for reading bytes, decompressed as its suffix says.

    Raises:
        InputError: it cannot be opened, or turns out to be damaged.
    """
    compression = _COMPRESSION.get(path.suffix.lower())
    try:
        with pa.input_stream(str(path), compression=compression) as stream:
            yield stream
    except (OSError, pa.ArrowException) as error:
        what = f"is not a whole {compression} file" if compression else "cannot be read"
        raise InputError(f"{path} {what}: {error}") from error


def line_feeds(data: bytes) -> npt.NDArray[np.int64]:
    """Return the positions of the line feeds; shape: ``(n,)``."""
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED)


def after_last_line(data: bytes) -> int:
    """Return the place after the last line feed, 0 where there is none."""
    return data.rfind(b"\n") + 1


def chunks(path: Path, tally: Tally, after_last_row: Callable[[bytes], int]) -> Iterator[Chunk]:
    """Yield a file in chunks of whole rows.

    A row longer than :data:`ROW_LIMIT` is counted, refused and left out with the rest of its line.

    Args:
        path: The file.
        tally: Where over-long rows are noted.
        after_last_row: Given bytes that begin with a row, the place after the last whole row, 0 where
            there is none.
    """
    with decompressed(path) as stream:
        line, rest = 1, b""
        data = stream.read(CHUNK_BYTES).removeprefix(BYTE_ORDER_MARK)
        while data:
            rest += data
            while not (end := after_last_row(rest)) and len(rest) > ROW_LIMIT:
                tally.count_and_refuse(
                    line, f"is longer than {ROW_LIMIT >> 20} MiB, or a quote is not closed"
                )
                rest = _skip_line(rest, stream)
                line += 1
            if end:
                yield Chunk(rest[:end], line)
                line += rest.count(b"\n", 0, end)
                rest = rest[end:]
            data = stream.read(CHUNK_BYTES)
        if rest:
            yield Chunk(rest if rest.endswith(b"\n") else rest + b"\n", line)


def _skip_line(rest: bytes, stream: Any) -> bytes:
    """Drop the first line of ``rest``, reading on as far as it goes; return what follows it."""
    while b"\n" not in rest:
        rest = stream.read(CHUNK_BYTES)
        if not rest:
            return b""
    return rest[rest.index(b"\n") + 1 :]


def fault_of(data: bytes) -> str | None:
    """Return why the bytes are no text to be loaded; None where they are UTF-8 without NUL."""
    if b"\0" in data:
        return "holds a NUL byte"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "is not UTF-8"
    return None


def without_unclean(
    chunk: Chunk, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], tally: Tally
) -> Chunk:
    """Return the chunk without the rows that are not UTF-8 or hold a NUL byte; they are counted and refused.

    Their line feeds stay, so that the line numbers of those behind them hold.

    Args:
        chunk: The chunk.
        starts: shape: ``(n,)``; where each row starts; together the rows are the whole chunk.
        ends: shape: ``(n,)``; where each row ends.
        tally: Where they are noted.
    """
    if fault_of(chunk.data) is None:
        return chunk
    kept = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        row = chunk.data[start:end]
        if fault := fault_of(row):
            tally.count_and_refuse(chunk.line_at(start), fault)
            row = b"\n" * row.count(b"\n")
        kept.append(row)
    return Chunk(b"".join(kept), chunk.first_line)
