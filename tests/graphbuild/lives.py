"""Accounts, their bans and what they send, as small tables for tests of lifecycle evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import ibis
import pandas as pd

HOUR, DAY = 3600, 86_400
ORIGIN = 1_770_000_000
"""Where the tests' clock begins, in seconds since 1970."""


def times(seconds: Iterable[float | None]) -> pd.Series:
    """Return times so many seconds after the origin, in UTC; None where unknown."""
    known = pd.to_numeric(pd.Series(list(seconds), dtype="float64"))
    return pd.to_datetime(known + ORIGIN, unit="s", utc=True).dt.floor("us").dt.as_unit("us")


def accounts(created: Mapping[str, float | None], seen: Mapping[str, float | None] | None = None) -> Any:
    """Return account_id, created_at, first_seen."""
    first = seen or {}
    frame = pd.DataFrame(
        {
            "account_id": list(created),
            "created_at": times(created.values()),
            "first_seen": times(first.get(name) for name in created),
        }
    )
    return _table(frame, account_id="string", created_at="time", first_seen="time")


def events(rows: Iterable[tuple[str, str, float | None]]) -> Any:
    """Return account_id, event, ts."""
    listed = list(rows)
    frame = pd.DataFrame({"account_id": [r[0] for r in listed], "event": [r[1] for r in listed]}, dtype="str")
    frame = frame.assign(ts=times(r[2] for r in listed))
    return _table(frame, account_id="string", event="string", ts="time")


def pairs(rows: Iterable[tuple[str, str]]) -> Any:
    """Return account_a, account_b."""
    frame = pd.DataFrame(list(rows), columns=["account_a", "account_b"], dtype="str")
    return _table(frame, account_a="string", account_b="string")


def links(rows: Mapping[tuple[str, str], float]) -> Any:
    """Return account_a, account_b, weight."""
    frame = pd.DataFrame(list(rows), columns=["account_a", "account_b"], dtype="str")
    frame = frame.assign(weight=[float(weight) for weight in rows.values()])
    return _table(frame, account_a="string", account_b="string", weight="float64")


def requests(rows: Iterable[tuple[str, float | None, str | None]]) -> Any:
    """Return account_id, ts, model."""
    listed = list(rows)
    frame = pd.DataFrame({"account_id": [r[0] for r in listed], "model": [r[2] for r in listed]}, dtype="str")
    frame = frame.assign(ts=times(r[1] for r in listed))
    return _table(frame, account_id="string", model="string", ts="time")


def models(released: Mapping[str, float | None]) -> Any:
    """Return model, released_at."""
    frame = pd.DataFrame({"model": list(released)}, dtype="str")
    frame = frame.assign(released_at=times(released.values()))
    return _table(frame, model="string", released_at="time")


def moves(moved: Mapping[str, tuple[bool, ...]], levels: tuple[int, ...], model: str = "new") -> Any:
    """Return account_id, model and a truth value a level, as ``model_moves`` makes them."""
    frame = pd.DataFrame({"account_id": list(moved), "model": model}, dtype="str")
    names = [f"moved_{level}" for level in levels]
    for place, name in enumerate(names):
        frame[name] = pd.Series([one[place] for one in moved.values()], dtype="bool")
    return _table(frame, account_id="string", model="string", **dict.fromkeys(names, "boolean"))


def _table(frame: pd.DataFrame, **kinds: str) -> Any:
    schema = {n: "timestamp('UTC')" if kind == "time" else kind for n, kind in kinds.items()}
    return ibis.memtable(frame[list(kinds)], schema=schema)
