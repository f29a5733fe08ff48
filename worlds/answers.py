"""What is so in a world: its truth, for scoring alone, and the little of it that reviewers know."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.worlds import words
from ringfence.worlds.hashing import Ints
from ringfence.worlds.kinds import DAY, SPAN
from ringfence.worlds.phrases import PHRASEBOOKS, TACTICS
from ringfence.worlds.plan import ROLES, ring_names
from ringfence.worlds.tables import Writer, when

_REVIEWED = 20_000
"""The most innocents that reviewers get round to."""
_REVIEWED_SHARE = 0.06


def truth_accounts(writer: Writer) -> pa.Table:
    """Return what each account is: population, group, ring, ring_type, role, network, replaces, language."""
    plan = writer.plan
    accounts, who, ring = plan.accounts, np.arange(plan.size), plan.ring
    guilty = pa.array(ring >= 0)
    kinds = pa.array([k.name for k in plan.kinds]).take(pa.array(accounts.kind))
    names = ring_names(plan)
    ring_name = pa.array([names.get(n) for n in range(max(names, default=-1) + 1)] or [None], pa.string())
    group = pc.binary_join_element_wise(kinds, pa.array(accounts.group.astype(str)), "-")
    replaced = np.maximum(accounts.replaces, 0)
    table = pa.table(
        {
            "account_id": writer.ids(who),
            "population": pc.if_else(guilty, "ring", kinds),
            "group": pc.if_else(guilty, None, group),
            "ring": pc.if_else(guilty, ring_name.take(pa.array(np.maximum(ring, 0))), None),
            "ring_type": pc.if_else(guilty, kinds, None),
            "role": pa.array(ROLES, pa.string()).take(pa.array(accounts.role)),
            "network": _named("network-", accounts.network),
            "replaces": pc.if_else(pa.array(accounts.replaces >= 0), writer.ids(replaced), None),
            "country": pa.array(words.COUNTRIES).take(pa.array(accounts.habits.country)),
            "language": pa.array(tuple(PHRASEBOOKS)).take(pa.array(accounts.habits.language)),
        }
    )
    return table.sort_by("account_id")


def truth_rings(writer: Writer, distilled: Ints, first: Ints) -> pa.Table:
    """Return what each ring is.

    Args:
        writer: The world.
        distilled: Requests of each account that were part of a campaign; shape ``(n,)``.
        first: When each account sent its first of them, in milliseconds since the start of the window; the
            largest number where it sent none; shape ``(n,)``.
    """
    plan, ring = writer.plan, writer.plan.ring
    names = ring_names(plan)
    rows = []
    for group in np.flatnonzero(plan.groups.operator >= 0).tolist():
        number = int(plan.groups.operator[group])
        kind, members = plan.kinds[plan.groups.kind[group]], ring == number
        network = int(plan.accounts.network[members][0])
        tactic = int(plan.groups.tactic[group])
        start = int(first[members].min())
        rows.append(
            {
                "ring": names[number],
                "ring_type": kind.name,
                "operator": f"operator-{number:03d}",
                "network": f"network-{network}" if network >= 0 else None,
                "families": list(kind.families),
                "single_family": len(kind.families) == 1,
                "accounts": int(members.sum()),
                "requests": int(distilled[members].sum()),
                "tactics": [TACTICS[tactic]] if tactic >= 0 else [],
                "first_request": start if start < np.iinfo(np.int64).max else None,
            }
        )
    table = pa.Table.from_pylist(rows, _RINGS)
    at = table.column_names.index("first_request")
    known = pa.array(np.array([r["first_request"] or 0 for r in rows]) / 1000.0)
    return table.set_column(
        at, "first_request", pc.if_else(table["first_request"].is_valid(), when(known), None)
    )


_RINGS = pa.schema(
    {
        "ring": pa.string(),
        "ring_type": pa.string(),
        "operator": pa.string(),
        "network": pa.string(),
        "families": pa.list_(pa.string()),
        "single_family": pa.bool_(),
        "accounts": pa.int64(),
        "requests": pa.int64(),
        "tactics": pa.list_(pa.string()),
        "first_request": pa.int64(),
    }
)


def labels(writer: Writer, known_rings: float) -> pa.Table:
    """Return the table ``labels``: what reviewers have found out, ring by ring, and late.

    Args:
        writer: The world.
        known_rings: Share of the rings of which they know some accounts; nobody has heard of the others.
    """
    plan, draw = writer.plan, writer.draw
    who, ring = np.arange(plan.size), plan.ring
    chance = np.array([k.known for k in plan.kinds])[plan.accounts.kind]
    chance = np.where(ring < 0, np.maximum(chance, min(_REVIEWED_SHARE, _REVIEWED / plan.size)), chance)
    heard_of = (ring < 0) | (draw.uniform(np.maximum(ring, 0), 191) < known_rings)
    known = np.flatnonzero(heard_of & (draw.uniform(who, 192) < chance) & (writer.days.born < SPAN - 3 * DAY))
    earliest = np.maximum(writer.days.born, plan.groups.starts[plan.accounts.group])[known] + 2 * DAY
    late = np.minimum(earliest, SPAN - DAY)
    ts = late + draw.uniform(known, 193) * (SPAN - late)
    table = pa.table(
        {
            "account_id": writer.ids(known),
            "label": pc.if_else(pa.array(ring[known] >= 0), "ring", "benign"),
            "ring_name": pc.if_else(
                pa.array(ring[known] >= 0), draw.names("case-", np.maximum(ring[known], 0), 194, 6), None
            ),
            "source": pa.repeat("review", len(known)),
            "ts": when(ts),
        }
    )
    return table.sort_by("account_id")


def _named(prefix: str, numbers: Ints) -> pa.Array:
    names = pc.binary_join_element_wise(prefix, pa.array(numbers.astype(str)), "")
    return pc.if_else(pa.array(numbers >= 0), names, None)
