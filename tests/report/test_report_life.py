"""The report tells what became of a ring, who took whose place, its parts and who serves two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from report_samples import make_data, make_ring

from ringfence.records import DoubleMember, LifeEvent, Replacement, Turn
from ringfence.report import render_report


def test_life_and_replacements_are_told() -> None:
    when = datetime(2026, 3, 4, tzinfo=UTC)
    ring = make_ring(1, ["a", "b", "c"])
    (one, other) = (member.account_id for member in ring.members[:2])
    told = replace(
        ring,
        history=(LifeEvent(Turn.BORN, when, 3), LifeEvent(Turn.SPLIT, None, 2, "<b>R-1</b>")),
        replacements=tuple(Replacement(one, other, 0.5, 0.25) for _ in range(12)),
    )
    page = render_report(make_data([told]))
    assert "2026-03-04: first seen, with 3 accounts" in page
    assert "split from" in page
    assert "<b>R-1</b>" not in page
    assert "0.5 days later (confidence 0.25)" in page
    assert "2 replacements more in rings.jsonl." in page
    assert "What became of it" not in render_report(make_data([ring]))


def test_parts_and_members_of_two_rings_are_told() -> None:
    ring = make_ring(1, [f"a-{n}" for n in range(30)])
    names = [member.account_id for member in ring.members]
    parts = [tuple(names[n : n + 2]) for n in range(0, 14, 2)]
    twice = tuple(DoubleMember(name, "<i>R-2</i>", 0.3846) for name in names[:12])
    page = render_report(make_data([replace(ring, parts=tuple(parts[:3]), also_in=twice)]))
    assert "3 sub-networks of 2, 2 and 2 accounts, which hold together" in page
    assert page.count("(38% of its link weight)") == 10
    assert "; 2 accounts more in rings.jsonl." in page
    assert "<i>R-2</i>" not in page
    page = render_report(make_data([replace(ring, parts=tuple(parts))]))
    assert "7 sub-networks of 2, 2, 2, 2, 2 and fewer accounts" in page
    assert "Members of two" not in page
    assert "Parts:" not in render_report(make_data([ring]))
