"""A digest of the rows of a window, whatever files they lie in and in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256, shake_256
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.engine import connect
from ringfence.loaders.ahead import ahead
from ringfence.loaders.canonical import PROBLEM, canonical_rows, selected_rows
from ringfence.loaders.discover import Discovery, Source
from ringfence.loaders.prepare import columns_to_read, spelt
from ringfence.loaders.protocol import LINE, Tally
from ringfence.loaders.window import UNTOLD, Sieve, Window
from ringfence.progress import Tick, silent
from ringfence.schema import TABLES, Kind, Table

_BYTES_A_ROW = 256
_MODULUS = 1 << (8 * _BYTES_A_ROW)
_ROWS_A_PIECE = 1 << 15


class RowDigest:
    """A sum of hashes, one a row, modulo 2**2048; so the order of the rows does not count, and each row does.

    Source: AdHash of M. Bellare and D. Micciancio, "A New Paradigm for Collision-Free Hashing:
    Incrementality at Reduced Cost", EUROCRYPT 1997. The sum is so long because sums of 256 bits can be met
    by who can choose many rows (D. Wagner, "A Generalized Birthday Problem", CRYPTO 2002).
    """

    def __init__(self) -> None:
        self._total = 0

    def add(self, rows: Iterable[bytes]) -> None:
        """Add rows, each spelt in its one way."""
        total = sum(int.from_bytes(shake_256(row).digest(_BYTES_A_ROW), "little") for row in rows)
        self._total = (self._total + total) % _MODULUS

    def hexdigest(self) -> str:
        """Return the digest of all rows so far, 64 hex digits."""
        return sha256(self._total.to_bytes(_BYTES_A_ROW, "little")).hexdigest()


@dataclass(frozen=True, slots=True)
class WindowContent:
    """What logs hold of a window."""

    digest: str
    """Of the rows as they are understood, prompts included, without those that are refused."""
    rows: dict[str, int]
    """Canonical table → rows that would be loaded, doubles included."""


def digest_window(discovery: Discovery, window: Window, tick: Tick = silent) -> WindowContent:
    """Read all files once and return the digest of the rows of the window. Nothing is written.

    The same rows give the same digest in any format, under any mapping and from any files; a row that is
    there twice counts twice.

    Args:
        discovery: What feeds what.
        window: Which rows count.
        tick: Told the share of bytes read.

    Raises:
        InputError: a file is damaged, or lacks a required column.
    """
    bytes_in = max(sum(source.path.stat().st_size for source in discovery.sources), 1)
    digest, rows, read = RowDigest(), Counter[str](), 0
    engine = connect(None)
    for source in discovery.sources:
        table = TABLES[source.mapping.name]
        for good in ahead(_good_rows(engine, source, window)):
            rows[table.name] += good.num_rows
            for piece in good.to_batches(max_chunksize=_ROWS_A_PIECE):
                digest.add(spelling(pa.Table.from_batches([piece]), table))
        read += source.path.stat().st_size
        tick(read / bytes_in)
    return WindowContent(digest.hexdigest(), dict(rows))


def spelling(rows: pa.Table, table: Table) -> list[bytes]:
    """Return each row as bytes that no other row has: the table's name and all values, NUL between them.

    Values never hold NUL; one that is null is as good as an empty one, here as everywhere.

    Args:
        rows: Canonical columns and prompts; those that are absent count as null.
        table: Their table.
    """
    values = [pa.repeat(pa.scalar(table.name.encode(), pa.large_binary()), rows.num_rows)]
    values += [_bytes(rows, column.name) for column in table.columns]
    if not rows.num_rows:
        return []
    spelt_rows: list[bytes] = pc.binary_join_element_wise(
        *values, pa.scalar(b"\0", pa.large_binary()), null_handling="replace", null_replacement=""
    ).to_pylist()
    return spelt_rows


def _bytes(rows: pa.Table, name: str) -> Any:
    if name not in rows.column_names:
        return pa.nulls(rows.num_rows, pa.large_binary())
    values = rows[name].combine_chunks()
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return values.cast(pa.large_string()).cast(pa.large_binary())


def _good_rows(engine: Any, source: Source, window: Window) -> Iterable[pa.Table]:
    """Yield the canonical rows of a file that lie in the window and are not refused, with their prompts."""
    mapping, tally = source.mapping, Tally(source.name, source.mapping.name)
    table = TABLES[mapping.name]
    columns = columns_to_read(table, source)
    sieve = Sieve(engine, window, mapping, tally)
    prompts = [c.name for c in table.columns if c.kind is Kind.PROMPT and c.name in columns]
    for batch in source.reader.batches(source.path, list(dict.fromkeys(columns.values())), tally):
        raw = sieve(batch.select([*columns.values(), LINE]).rename_columns([*columns, LINE]))
        if not raw.num_rows:
            continue
        good = _canonical(engine, spelt(raw.drop_columns(prompts), mapping), source)
        good = good.drop_columns(list(UNTOLD.get(table.name, ())))
        places = pc.index_in(good[LINE], raw[LINE].combine_chunks())
        for name in prompts:
            text = raw[name].cast(pa.large_string())
            good = good.append_column(name, text.take(places))
        yield good


def _canonical(engine: Any, raw: pa.Table, source: Source) -> pa.Table:
    engine.con.register("raw", raw)
    given = ibis.table(ibis.Schema.from_pyarrow(raw.schema), name="raw")
    rows = canonical_rows(selected_rows(given, source.mapping), source.mapping)
    return engine.to_pyarrow(rows.filter(rows[PROBLEM].isnull()))
