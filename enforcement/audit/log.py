"""The audit log's entries: canonical JSON, each a leaf of the tree."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from ringfence.enforcement.audit.merkle import leaf_hash


def append(connection: sqlite3.Connection, entry: dict[str, Any]) -> int:
    """Add an entry within the transaction under way; return its place, from 0."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    place = int(connection.execute("SELECT coalesce(max(place) + 1, 0) FROM audit").fetchone()[0])
    connection.execute("INSERT INTO audit VALUES (?, ?, ?)", (place, text, leaf_hash(text)))
    return place
