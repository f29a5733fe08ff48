"""A small graph in which every query of the pack has something to find."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from ringfence.schema import NODE_KEYS
from ringfence.stores.graph import GraphTables, write_graph

START = datetime(2026, 1, 1, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def _account(account_id: str, first: float, banned: float | None = None) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "first_seen": day(first),
        "last_seen": day(first + 5),
        "requests": 100,
        "status": "active" if banned is None else "banned",
        "plan": "pro",
        "banned_at": None if banned is None else day(banned),
    }


NODES: dict[str, list[dict[str, Any]]] = {
    "Account": [
        _account("core", 1, banned=10),
        _account("member", 2),
        _account("successor", 12),
        _account("elder", 3),
        _account("far", 4),
        _account("alone", 11),
    ],
    "IP": [{"address": "192.0.2.1", "kind": "hosting", "accounts": 2}],
    "Subnet": [{"cidr": "192.0.2.0/24", "accounts": 2}],
    "ASN": [{"asn": "64500", "name": "Example", "kind": "hosting"}],
    "PaymentInstrument": [{"instrument_id": "card", "accounts": 4}],
    "Device": [{"device_id": "phone", "accounts": 2}],
    "PromptTemplate": [{"template_id": "tpl", "accounts": 1, "skeleton": None}],
    "Organization": [{"org_id": "org"}],
    "Ring": [
        {
            "ring_id": "ring-1",
            "probability": 0.97,
            "decision": "ring",
            "size": 2,
            "evidence_families": ["network", "payment"],
            "evidence_statements": ["They share an address.", "They share a card."],
            "evidence_weights": [2.0, 5.0],
        }
    ],
}


def _seen(start: str, end: str, count: int, first: float = 1) -> dict[str, Any]:
    times = {"first_seen": day(first), "last_seen": day(first + 1)}
    return {"start": start, "end": end, "count": count, **times}


RELATIONSHIPS: dict[str, list[dict[str, Any]]] = {
    "USED_IP": [_seen("core", "192.0.2.1", 3), _seen("member", "192.0.2.1", 4, first=2)],
    "PAID_WITH": [_seen(who, "card", 1) for who in ("core", "member", "successor", "elder")],
    "USED_DEVICE": [_seen("member", "phone", 2), _seen("far", "phone", 1)],
    "SENT": [_seen("core", "tpl", 9)],
    "IN_SUBNET": [{"start": "192.0.2.1", "end": "192.0.2.0/24"}],
    "IN_ASN": [{"start": "192.0.2.0/24", "end": "64500"}],
    "TRANSFERRED_TO": [
        {**_seen("core", "member", 3), "amount_usd": 30.0},
        {**_seen("core", "alone", 1), "amount_usd": 5.0},
        {**_seen("core", "core", 1), "amount_usd": 1.0},
    ],
    "BELONGS_TO": [{"start": "elder", "end": "org"}],
    "LINKED_TO": [
        {"start": "core", "end": "member", "weight": 7.0, "network": 2.0, "payment": 5.0, "timing": 0.0}
    ],
    "MEMBER_OF": [
        {"start": "core", "end": "ring-1", "score": 0.9, "role": "core"},
        {"start": "member", "end": "ring-1", "score": 0.8, "role": "member"},
    ],
}


def planted(
    folder: Path,
    *,
    without: Collection[tuple[str, str, str]] = (),
    changed: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
) -> GraphTables:
    """Return the graph.

    Args:
        folder: where it is written.
        without: (type, start, end) of relationships to leave out.
        changed: (label, key) → properties that are other than planted.
    """
    new = changed or {}
    nodes = {
        label: [{**row, **new.get((label, row[NODE_KEYS[label]]), {})} for row in rows]
        for label, rows in NODES.items()
    }
    kept = {
        name: [row for row in rows if (name, row["start"], row["end"]) not in without]
        for name, rows in RELATIONSHIPS.items()
    }
    return write_graph(
        folder,
        {label: _table(rows) for label, rows in nodes.items()},
        {name: _table(rows) for name, rows in kept.items() if rows},
    )


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows)
