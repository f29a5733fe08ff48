"""The part of a run's graph that a ring stands on: its members, and everything that two of them share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.errors import AuditError, OutputError
from ringfence.files import parse_json
from ringfence.schema import ENTITY_TYPES, NODE_KEYS, RELATIONSHIPS

Rows = list[dict[str, Any]]

NODES, RELATIONS = "graph/nodes/", "graph/relationships/"


def cut_graph(out: Path, members: Iterable[str], ring_id: str) -> dict[str, Rows]:
    """Return name within the bundle, such as ``graph/nodes/Account``, → rows in the order of their keys.

    Entities that one member alone has are left out: they link nobody.

    Args:
        out: Output folder of the run.
        members: Account ids.
        ring_id: What the run calls the ring.

    Raises:
        OutputError: the folder's graph cannot be read.
    """
    cut = _Cut(out, list(members), ring_id)
    try:
        return cut.carry_out()
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise OutputError(f"{out} has no graph that can be read: {error}. Run again.") from error


class _Cut:
    """One ring being cut out."""

    def __init__(self, out: Path, members: list[str], ring_id: str) -> None:
        self._graph, self._members, self._ring_id = out / "graph", members, ring_id
        self._kept: dict[str, Rows] = {}

    def carry_out(self) -> dict[str, Rows]:
        self._relate("LINKED_TO", start=self._members, end=self._members)
        self._relate("TRANSFERRED_TO", start=self._members, end=self._members)
        self._relate("MEMBER_OF", start=self._members, end=[self._ring_id])
        self._relate("BELONGS_TO", start=self._members)
        for entity in ENTITY_TYPES.values():
            self._share(entity.relationship)
        self._relate("IN_SUBNET", start=self._ends("USED_IP"))
        self._relate("IN_ASN", start=self._ends("IN_SUBNET"))
        self._nodes("Account", self._members)
        self._nodes("Ring", [self._ring_id])
        for name in (*(e.relationship for e in ENTITY_TYPES.values()), "BELONGS_TO", "IN_SUBNET", "IN_ASN"):
            self._nodes(RELATIONSHIPS[name][1], self._ends(name))
        return self._kept

    def _ends(self, name: str) -> list[str]:
        return sorted({row["end"] for row in self._kept[RELATIONS + name]})

    def _relate(self, name: str, **ends: list[str]) -> None:
        table = self._read("relationships", name)
        for end, values in ends.items():
            table = _among(table, end, values)
        self._kept[RELATIONS + name] = _rows(table)

    def _share(self, name: str) -> None:
        """Keep the sightings of entities that two members or more were seen with."""
        seen = _among(self._read("relationships", name), "start", self._members)
        counts = seen.group_by("end").aggregate([("start", "count")])
        shared = counts.filter(pc.greater(counts["start_count"], 1))["end"]
        self._kept[RELATIONS + name] = _rows(_among(seen, "end", shared))

    def _nodes(self, label: str, keys: list[str]) -> None:
        self._kept[NODES + label] = _rows(_among(self._read("nodes", label), NODE_KEYS[label], keys))

    def _read(self, kind: str, name: str) -> pa.Table:
        return pq.read_table(self._graph / kind / f"{name}.parquet")


def _among(table: pa.Table, column: str, values: Any) -> pa.Table:
    kept = values if isinstance(values, pa.ChunkedArray) else pa.array(values, table[column].type)
    return table.filter(pc.is_in(table[column], value_set=kept))


def _rows(table: pa.Table) -> Rows:
    return [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def to_lines(rows: Rows) -> bytes:
    """Return rows as JSON, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def read_rows(files: Mapping[str, bytes], name: str) -> Rows:
    """Return the rows that :func:`to_lines` wrote to ``name`` of a bundle.

    Raises:
        AuditError: they are not there, or cannot be read.
    """
    try:
        return [parse_json(line) for line in files[f"{name}.jsonl"].decode().splitlines()]
    except (KeyError, ValueError) as error:
        raise AuditError(f"{name}.jsonl is missing from the bundle, or cannot be read.") from error
