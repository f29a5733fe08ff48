"""What became of rings in the course of time: their lives, who replaced whom, and the ids they keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.files import Workspace
from ringfence.graphbuild.lineage import LifeSettings, Span, followed, life
from ringfence.graphbuild.linkage.lifecycle import LifecycleSettings, ban_spells, beginnings
from ringfence.graphbuild.replacements import ReplacementSettings, replacements
from ringfence.graphbuild.sightings import Tables
from ringfence.records import Replacement, Ring
from ringfence.schema import ACTIVITY_TABLES


def with_lives(
    engine: Any, tables: Tables, work: Workspace, rings: Sequence[Ring], earlier: Sequence[Ring] | None
) -> list[Ring]:
    """Return the rings with their lives and replacements, under the ids of an earlier run where there is one.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        tables: Canonical tables.
        work: Where members and links are; ``replacements.parquet`` is written there.
        rings: As they were judged.
        earlier: The rings of an earlier run; None where none is given.
    """
    ring_of = {member.account_id: ring.ring_id for ring in rings for member in ring.members}
    members = pq.read_table(work.links / "members.parquet", columns=["account_id", "first_seen", "last_seen"])
    now = _time(members["last_seen"].to_pandas().max())
    judged = pc.is_in(members["account_id"], pa.array(ring_of, members["account_id"].type))
    spans = _spans(members.filter(judged), _banned(engine, tables))
    replaced = _inside(ring_of, _replaced(engine, tables, work))
    active = _active(engine, tables, ring_of)
    lived = [
        _lived(ring, spans, active.get(ring.ring_id, {}), tuple(replaced.get(ring.ring_id, ())), now)
        for ring in rings
    ]
    return lived if earlier is None else followed(lived, earlier, now)


def communities_before(earlier: Sequence[Ring]) -> pd.Series:
    """Return account_id → the number of the community that it was in, in an earlier run."""
    places = {m.account_id: number for number, ring in enumerate(earlier) for m in ring.members}
    return pd.Series(places, dtype="int64")


def _lived(
    ring: Ring,
    spans: Mapping[str, Span],
    active: Mapping[date, int],
    replaced: tuple[Replacement, ...],
    now: datetime | None,
) -> Ring:
    members = {member.account_id: spans[member.account_id] for member in ring.members}
    history = life(members, active, replaced, now, LifeSettings())
    return replace(ring, replacements=replaced, history=history)


def _replaced(engine: Any, tables: Tables, work: Workspace) -> pd.DataFrame:
    """Write down who took the place of which banned account, and return it."""
    found = replacements(
        engine,
        engine.read_parquet(str(work.links / "links.parquet")).select("account_a", "account_b", "weight"),
        beginnings(tables("accounts"), *(tables(name) for name in ACTIVITY_TABLES)),
        tables("account_events"),
        ReplacementSettings(),
        LifecycleSettings(),
    )
    found.to_parquet(work.links / "replacements.parquet", index=False)
    return found


def _inside(ring_of: Mapping[str, str], replaced: pd.DataFrame) -> dict[str, list[Replacement]]:
    """Return ring → replacements of members by members: an account outside is not accused by them."""
    inside: dict[str, list[Replacement]] = {}
    columns = (replaced[name].tolist() for name in ("banned", "replacement", "days", "confidence"))
    for banned, *told in zip(*columns, strict=True):
        ring_id = ring_of.get(banned)
        if ring_id is not None and ring_id == ring_of.get(told[0]):
            inside.setdefault(ring_id, []).append(Replacement(banned, *told))
    return inside


def _spans(members: pa.Table, banned: Mapping[str, datetime]) -> dict[str, Span]:
    """Return account → when it came, and when it was banned."""
    came = pd.DatetimeIndex(members["first_seen"].to_pandas()).to_pydatetime()
    return {
        name: Span(None if first is pd.NaT else first, banned.get(name))
        for name, first in zip(members["account_id"].to_pylist(), came, strict=True)
    }


def _banned(engine: Any, tables: Tables) -> dict[str, datetime]:
    """Return when each account was banned that still is."""
    spells = ban_spells(tables("account_events"))
    standing = (
        spells.filter(spells["ended_at"].isnull()).group_by("account_id").agg(at=spells["banned_at"].max())
    )
    rows = engine.to_pyarrow(standing).to_pylist()
    return {row["account_id"]: datetime.fromtimestamp(row["at"], UTC) for row in rows}


def _active(engine: Any, tables: Tables, ring_of: Mapping[str, str]) -> dict[str, dict[date, int]]:
    """Return ring → day → how many of its accounts were active."""
    accounts = pa.table(
        {
            "account_id": pa.array(ring_of, pa.string()),
            "account": pa.array(range(len(ring_of)), pa.int64()),
            "ring": pa.array(ring_of.values(), pa.string()).dictionary_encode().indices,
        }
    )
    rows = ibis.union(*(tables(name).select("account_id", "ts") for name in ACTIVITY_TABLES))
    rows = rows.filter(rows["ts"].notnull()).inner_join(ibis.memtable(accounts), "account_id")
    rows = rows.select("ring", "account", day=rows["ts"].cast("timestamp").date()).distinct()
    days = engine.to_pyarrow(rows.group_by("ring", "day").agg(accounts=rows.count()))
    names = list(dict.fromkeys(ring_of.values()))
    active: dict[str, dict[date, int]] = {}
    for ring, day, count in zip(*(days[name].to_pylist() for name in days.column_names), strict=True):
        active.setdefault(names[ring], {})[day] = count
    return active


def _time(when: Any) -> datetime | None:
    return None if pd.isna(when) else when.to_pydatetime()
