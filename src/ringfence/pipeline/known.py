"""What a run knows beyond its logs: how accounts stood at the end of a window, and what people decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.enforcement.labels import COLUMNS, Label
from ringfence.files import Workspace
from ringfence.loaders.load import canonical_table
from ringfence.loaders.protocol import LINE
from ringfence.loaders.staging import FILE, canonical_schema
from ringfence.pipeline.asof import with_status
from ringfence.schema import TABLES

_LABELS = "labels"


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of labels that people's verdicts gave."""

    added: int
    unknown: int
    """Labels of accounts that the logs do not name; they are left out."""
    overruled: int
    """Labels of the logs on the same accounts; they are left out, whatever they say."""


def tell_status(engine: Any, work: Workspace) -> None:
    """Write the accounts again with the status that the events which were loaded give them."""
    events = canonical_table(engine, work, "account_events")
    for part in sorted((work.tables / "accounts").glob("*.parquet")):
        told = with_status(engine.read_parquet(str(part)), events).order_by(LINE, "account_id")
        again = part.with_suffix(".again")
        engine.to_parquet(told, again)
        again.replace(part)


def take_in_labels(engine: Any, work: Workspace, labels: Sequence[Label]) -> TakenIn:
    """Add labels that people's verdicts gave to those of the logs; a person's verdict wins."""
    given = ibis.memtable(_table(labels))
    known = canonical_table(engine, work, "accounts")
    added = engine.to_pyarrow(given.semi_join(known, "account_id").order_by("account_id"))
    folder = work.tables / _LABELS
    folder.mkdir(exist_ok=True)
    overruled = 0
    for part in sorted(folder.glob("*.parquet")):
        rows = engine.read_parquet(str(part))
        kept = engine.to_pyarrow(rows.anti_join(given, "account_id").order_by(LINE))
        overruled += pq.read_metadata(part).num_rows - kept.num_rows
        again = part.with_suffix(".again")
        pq.write_table(kept, again)
        again.replace(part)
    pq.write_table(added, folder / "part-verdicts.parquet")
    return TakenIn(added.num_rows, len(labels) - added.num_rows, overruled)


def _table(labels: Sequence[Label]) -> pa.Table:
    """Return labels as canonical rows that come from no file."""
    schema = canonical_schema(TABLES[_LABELS]).to_pyarrow()
    rows = [{**{name: getattr(label, name) for name in COLUMNS}, FILE: None, LINE: None} for label in labels]
    return pa.Table.from_pylist(rows, schema)
