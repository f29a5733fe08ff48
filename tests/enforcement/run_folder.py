"""The output folder of a finished run, as far as enforcement reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.records import Ring

TEXT, COUNT, REAL = pa.string(), pa.int64(), pa.float64()


def write_run(
    out: Path,
    *rings: Ring,
    accounts: Mapping[str, Mapping[str, Any]] | None = None,
    cards: Mapping[str, tuple[str, ...]] | None = None,
    orgs: Mapping[str, str] | None = None,
    of: int = 1_000,
    seed: int = 1,
    without: tuple[str, ...] = (),
) -> Path:
    """Write a run.

    Args:
        out: The folder.
        rings: What it found.
        accounts: Account → what differs from 10 requests, 100 tokens, 5 USD and no domain.
        cards: Instrument → who paid with it, once each.
        orgs: Account → its organisation.
        of: Accounts of the run.
        seed: Tells it from other runs.
        without: Columns of accounts that an earlier version did not write.
    """
    nodes, relationships = out / "graph" / "nodes", out / "graph" / "relationships"
    for folder in (nodes, relationships):
        folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(ring.as_json()) + "\n" for ring in rings]
    (out / "rings.jsonl").write_text("".join(lines), encoding="utf-8")
    manifest = {"version": "0", "seed": seed, "graph": {"accounts": of}}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    scores = {member.account_id: member.score for ring in rings for member in ring.members}
    names = sorted({*scores, *(accounts or {})})
    rows = [
        {
            "account_id": name,
            "score": scores.get(name, 0.02),
            "requests": 10,
            "tokens": 100,
            "amount_usd": 5.0,
            "email_domain": None,
            **(accounts or {}).get(name, {}),
        }
        for name in names
    ]
    types = {"account_id": TEXT, "score": REAL, "requests": COUNT, "tokens": COUNT, "amount_usd": REAL}
    table = pa.Table.from_pylist(rows, pa.schema([*types.items(), ("email_domain", TEXT)]))
    pq.write_table(table.drop_columns(list(without)), nodes / "Account.parquet")
    paid = [(who, card, 1) for card, several in (cards or {}).items() for who in several]
    _write(relationships / "PAID_WITH.parquet", paid, {"start": TEXT, "end": TEXT, "count": COUNT})
    _write(relationships / "BELONGS_TO.parquet", list((orgs or {}).items()), {"start": TEXT, "end": TEXT})
    return out


def _write(path: Path, rows: list[Any], types: dict[str, pa.DataType]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in types]
    pq.write_table(pa.table(columns, pa.schema(list(types.items()))), path)
