"""A span of time of a log: rows of other times are left out before anything else looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.loaders.canonical import GIVEN, SELECTED, TIME, row_times
from ringfence.loaders.mapping import TableMapping
from ringfence.loaders.protocol import LINE, Tally
from ringfence.loaders.values import plain
from ringfence.schema import ACTIVITY_TABLES, TABLES, Kind

UNTOLD = {"accounts": ("status",)}
"""Table → columns that tell how things stand when a log is written, and not in the window: taken as null."""

_WITHIN = (*ACTIVITY_TABLES, "transfers")
_BEFORE_ITS_END = {"accounts": "created_at", "account_events": "ts", "labels": "ts"}
_MOMENT = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time; UTC, its end not in it.

    What was done counts from the start on; what became known counts whenever that was before the end.
    """

    start: datetime
    end: datetime

    def as_json(self) -> dict[str, str]:
        """Return the window as plain JSON values."""
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}


def time_column(table: str) -> str | None:
    """Return the column that places a row of a table in time; None where rows hold throughout."""
    return "ts" if table in _WITHIN else _BEFORE_ITS_END.get(table)


class Sieve:
    """Leaves out the rows of one file that lie outside a window, and counts them.

    A row that says no time, where it need not, is kept. One whose time is missing or cannot be read is kept
    to be refused, without its prompts: nobody knows whether they were sent in the window.

    Args:
        engine: Reads times; prompt text never reaches it. Not to be used by another thread meanwhile.
        window: What is to be kept.
        mapping: Of the file.
        tally: Of the file, where rows outside are counted.
    """

    def __init__(self, engine: Any, window: Window, mapping: TableMapping, tally: Tally) -> None:
        self._engine, self._window, self._mapping, self._tally = engine, window, mapping, tally
        self._column = time_column(mapping.name)

    def __call__(self, raw: pa.Table) -> pa.Table:
        """Return the rows of the window, in their order.

        Args:
            raw: Raw columns by their canonical names, and :data:`LINE`.
        """
        name = self._column
        if name is None or (name not in raw.column_names and name not in self._mapping.constants):
            return raw
        when = self._times(raw, name)
        outside = self._outside(when[TIME])
        of_the_table = pc.sum(pc.and_(outside, when[SELECTED])).as_py() or 0
        self._tally.outside += of_the_table
        self._tally.unselected += (pc.sum(outside).as_py() or 0) - of_the_table
        raw = self._without_prompts(raw, self._unreadable(when, name))
        return raw.filter(pc.invert(outside))

    def _times(self, raw: pa.Table, name: str) -> pa.Table:
        wanted = [n for n in dict.fromkeys([name, *self._mapping.only_where]) if n in raw.column_names]
        narrow = pa.table({n: plain(raw[n]) for n in (*wanted, LINE)})
        self._engine.con.register("raw", narrow)
        given = ibis.table(ibis.Schema.from_pyarrow(narrow.schema), name="raw")
        return self._engine.to_pyarrow(row_times(given, self._mapping, name))

    def _outside(self, when: pa.ChunkedArray) -> pa.ChunkedArray:
        when = when.cast(_MOMENT)
        outside = pc.greater_equal(when, pa.scalar(self._window.end, _MOMENT))
        if self._mapping.name in _WITHIN:
            outside = pc.or_(outside, pc.less(when, pa.scalar(self._window.start, _MOMENT)))
        return pc.fill_null(outside, False)

    def _unreadable(self, when: pa.Table, name: str) -> pa.ChunkedArray:
        missing = pc.is_null(when[TIME])
        if TABLES[self._mapping.name].column(name).required:
            return missing
        return pc.and_(missing, when[GIVEN])

    def _without_prompts(self, raw: pa.Table, rows: pa.ChunkedArray) -> pa.Table:
        if not pc.any(rows).as_py():
            return raw
        for column in TABLES[self._mapping.name].columns:
            if column.kind is Kind.PROMPT and column.name in raw.column_names:
                place = raw.column_names.index(column.name)
                text = raw[column.name]
                raw = raw.set_column(place, column.name, pc.if_else(rows, pa.scalar(None, text.type), text))
        return raw
