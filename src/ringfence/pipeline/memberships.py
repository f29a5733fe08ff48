"""Several networks in one ring, and members that serve another ring: told beside what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.files import Workspace
from ringfence.records import DoubleMember, Ring


def with_memberships(rings: Sequence[Ring], work: Workspace) -> list[Ring]:
    """Return the rings with their parts, and their members that serve another ring.

    Only of flagged rings, and only other flagged ones are named: whoever looks into them should know. It is
    no evidence, and no decision rests on it.

    Args:
        rings: As they were judged, under the ids that they keep.
        work: Where members and memberships are.
    """
    ring_of = _communities([ring for ring in rings if ring.flagged], work)
    found = pd.read_parquet(work.links / "memberships.parquet").sort_values("account_id")
    found["ring"], found["other"] = found["community"].map(ring_of), found["second"].map(ring_of)
    found = found[found["ring"].notna()]
    parts = found[found["part"].notna()].groupby(["ring", "part"])["account_id"].agg(tuple)
    parts_of = {str(ring): tuple(told) for ring, told in parts.groupby(level="ring")}
    also_in = _also_in(found[found["other"].notna()])
    return [
        replace(ring, parts=parts_of.get(ring.ring_id, ()), also_in=tuple(also_in.get(ring.ring_id, ())))
        if ring.ring_id in parts_of or ring.ring_id in also_in
        else ring
        for ring in rings
    ]


def _communities(rings: Sequence[Ring], work: Workspace) -> Mapping[int, str]:
    """Return community → ring, told by one member of each."""
    ring_of = {ring.members[0].account_id: ring.ring_id for ring in rings}
    members = pq.read_table(work.links / "members.parquet", columns=["account_id", "community"])
    members = members.filter(pc.is_in(members["account_id"], pa.array(ring_of, pa.string())))
    return {
        community: ring_of[account]
        for account, community in zip(*(column.to_pylist() for column in members.columns), strict=True)
    }


def _also_in(found: pd.DataFrame) -> dict[str, list[DoubleMember]]:
    told: dict[str, list[DoubleMember]] = {}
    for ring, *row in zip(*(found[name] for name in ("ring", "account_id", "other", "share")), strict=True):
        told.setdefault(ring, []).append(DoubleMember(*row))
    return told
