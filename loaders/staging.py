"""Canonical rows on their way in: written as they come, and then freed from doubles."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.loaders.canonical import CANONICAL_TYPES
from ringfence.loaders.protocol import LINE
from ringfence.schema import Kind, Table
from ringfence.templater import Templater

FILE = "_file"
"""Column of canonical Parquet: number of the input file that the row came from; with LINE, its origin."""

STANDING = "_standing"
"""Column of doubles: :data:`REPEATED` or :data:`CONTRADICTED`."""

REPEATED = "repeated"
CONTRADICTED = "contradicted"


_KEYED = "\ue000"
"""What a key begins with in the place of a template id: a sign that nobody's ids have, for private use."""


def foreign(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids that a provider gave so that none of them can be taken for a key of ours."""
    return pc.if_else(pc.starts_with(ids, _KEYED), pc.binary_join_element_wise("?", ids, ""), ids)


def keyed(keys: pa.Array) -> pa.Array:
    """Return a templater's keys as they stand in the place of template ids until all text is read."""
    return pc.binary_join_element_wise(_KEYED, keys.cast(pa.string()), "")


def resolved(ids: pa.ChunkedArray, templater: Templater) -> pa.ChunkedArray:
    """Return template ids with keys resolved; ids that the provider gave stay."""
    ours = pc.fill_null(pc.starts_with(ids, _KEYED), False)
    keys = pc.utf8_slice_codeunits(ids.filter(ours), 1).cast(pa.uint64()).combine_chunks()
    return pc.replace_with_mask(ids.combine_chunks(), ours.combine_chunks(), templater.resolve(keys))


def canonical_schema(table: Table) -> ibis.Schema:
    """Return the types of a table's stored columns and of a row's origin."""
    types = {column.name: CANONICAL_TYPES[column.kind] for column in table.stored}
    return ibis.schema({**types, FILE: "int32", LINE: "int64"})


class PartWriter:
    """Writes one Parquet part behind the reader's back, one batch at a time."""

    def __init__(self, path: Path, table: Table, pool: ThreadPoolExecutor) -> None:
        self._schema = canonical_schema(table).to_pyarrow()
        # A dictionary of values that are all different only costs time.
        few = [column.name for column in table.columns if column.name != table.key]
        self._writer = pq.ParquetWriter(path, self._schema, compression="lz4", use_dictionary=few)
        self._pool = pool
        self._pending: Future[None] | None = None

    def write(self, rows: pa.Table) -> None:
        """Hand a batch over; waits for the one before."""
        self._settle()
        cast = rows.select(self._schema.names).cast(self._schema)
        self._pending = self._pool.submit(self._writer.write_table, cast)

    def _settle(self) -> None:
        if self._pending is not None:
            self._pending.result()

    def close(self) -> None:
        """Write what is pending and the end of the file."""
        try:
            self._settle()
        finally:
            self._writer.close()


@contextmanager
def part_writer(path: Path, table: Table) -> Iterator[PartWriter]:
    """Open a part for writing."""
    with ThreadPoolExecutor(1) as pool:
        writer = PartWriter(path, table, pool)
        try:
            yield writer
        finally:
            writer.close()


def doubles(rows: Any, table: Table) -> Any:
    """Return FILE, LINE and STANDING of the rows that are not loaded because of another row.

    Of rows that are identical the first is loaded; of rows that share their key and differ, none is. A
    table without a key has its whole row as key, so that its rows never contradict each other.

    Rows are compared by 64-bit hashes of their contents, keys as they are.

    Args:
        rows: Ibis table of canonical rows with FILE and LINE.
        table: Their table.
    """
    names = [column.name for column in table.columns if column.kind is not Kind.PROMPT]
    key = [table.key] if table.key else names
    # Hashes group fast; only rows that share one are looked at as they are.
    hashed = rows.mutate(_hash=_hash(rows, key))
    shared = hashed.group_by("_hash").agg(_rows=hashed.count()).filter(ibis._["_rows"] > 1)
    suspects = hashed.semi_join(shared, "_hash")
    suspects = suspects.mutate(_contents=_hash(suspects, names))
    alike = ibis.window(group_by=key)
    in_order = ibis.window(group_by=key, order_by=[FILE, LINE])
    contents = suspects["_contents"]
    standing = ibis.cases(
        (contents.min().over(alike) != contents.max().over(alike), CONTRADICTED),
        (ibis.row_number().over(in_order) > 0, REPEATED),
    )
    judged = suspects.select(FILE, LINE, **{STANDING: standing})
    return judged.filter(judged[STANDING].notnull())


def _hash(rows: Any, names: list[str]) -> Any:
    if len(names) == 1:
        return rows[names[0]].hash()
    return ibis.struct({name: rows[name] for name in names}).hash()
