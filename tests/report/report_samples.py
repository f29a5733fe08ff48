"""Rings and report data to make tests of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from ringfence.records import Action, Decision, Evidence, Family, FileAccount, Member, Ring, Role
from ringfence.report import ReportData

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def make_ring(
    number: int, accounts: Sequence[str], decision: Decision = Decision.RING, **changes: Any
) -> Ring:
    roles = (Role.CORE, Role.MEMBER, Role.MEMBER)
    members = tuple(Member(a, 0.9 - n / 1000, roles[n % 3]) for n, a in enumerate(accounts))
    ring = Ring(
        ring_id=f"R-{number:010x}",
        probability=0.97 if decision is Decision.RING else 0.6,
        decision=decision,
        size=len(members),
        first_seen=START,
        last_seen=START + timedelta(days=9),
        evidence_score=13.4,
        members=members,
        evidence=(
            Evidence(Family.NETWORK, "They meet on 3 addresses.", 4.0, 1.0, ("ip:21.0.0.1", "ip:21.0.0.2")),
            Evidence(Family.PAYMENT, "They paid with one card.", 9.0, 0.8, ("instrument:pi_1",)),
        ),
        tactics=(),
        recommended_action=Action.SUSPEND if decision is Decision.RING else Action.REVIEW,
    )
    return replace(ring, **changes)


def make_data(rings: Sequence[Ring], **changes: Any) -> ReportData:
    accounts = [m.account_id for ring in rings for m in ring.members]
    owner = {m.account_id: ring.ring_id for ring in rings for m in ring.members}
    sightings = [(a, "instrument", f"pi_{owner[a]}", 1) for a in accounts]
    sightings += [(a, "ip", f"21.0.{n % 7}.1", 3) for n, a in enumerate(accounts)]
    links = [(ring.members[0].account_id, m.account_id, 7.5) for ring in rings for m in ring.members[1:]]
    activity = [(a, date(2026, 3, 2) + timedelta(days=n % 10), 5 + n % 3) for n, a in enumerate(accounts)]
    data = ReportData(
        rings=rings,
        sightings=pd.DataFrame(sightings, columns=["account_id", "entity_type", "entity_id", "count"]),
        links=pd.DataFrame(links, columns=["account_a", "account_b", "weight"]),
        activity=pd.DataFrame(activity, columns=["account_id", "day", "requests"]),
        templates=pd.DataFrame(
            {"template_id": [], "skeleton": [], "tactics": [], "public": []}, dtype="object"
        ),
        files=[FileAccount("requests.parquet", "requests", 1210, 1200, 7, 3)],
        manifest={
            "version": "0.1.0",
            "seed": 7,
            "settings": {"links": {"degree_cap": {"ip": 64}}},
            "stages": [{"name": "load", "seconds": 3.25}],
            "scoring": {"method": "gnn", "calibrated": True, "reason": "It did best.", "comparison": []},
        },
    )
    return replace(data, **changes)
